/**
 * What of some entries a history does not have yet: for logs that are imported twice, or that the daemon has read itself.
 *
 * Promises: nothing is counted twice, and nothing is lost that happened more than once in the same second: of entries that are the same,
 * as many are left as there are more of them than the history has.  A message is the same when its id and time are; the end
 * of a grant, when one of that address ended within some seconds.
 */
import type { Entry } from './entry.ts';

/** Seconds by which the daemon's clock and that of a log may tell the end of a grant differently. */
const NEAR = 5;

/** @param known of the same hours */
export function missingOf(entries: readonly Entry[], known: readonly Entry[]): Entry[] {
  const counts = new Map<string, number>();
  for (const entry of known)
    for (const key of keysOf(entry)) counts.set(key, (counts.get(key) ?? 0) + 1);
  return entries.filter(entry => {
    const [key = ''] = keysOf(entry);
    const count = counts.get(key) ?? 0;
    // The same message may have several entries, of which the history has made as many as it needed.
    if (count > 0 && !isOfMessage(entry)) counts.set(key, count - 1);
    return count === 0;
  });
}

const isOfMessage = ({ kind }: Entry): boolean => kind === 'relayed' || kind === 'sent';

/** What makes an entry the same as another; the first is its own, others are those that it stands for. */
function keysOf({ kind, time, ip, user, server, what, id, until }: Entry): string[] {
  if (kind === 'relayed' || kind === 'sent') return [`${kind} ${id} ${time}`];
  if (kind === 'ended' || kind === 'limit') {
    const near = Math.floor(time / NEAR);
    return [near, near - 1, near + 1].map(at => `${kind} ${ip} ${at}`);
  }
  // Whether a login granted or refreshed depends on where the log begins.
  const why = kind === 'login' ? '' : what;
  return [[kind, time, ip, user, server, why, until].join(' ')];
}
