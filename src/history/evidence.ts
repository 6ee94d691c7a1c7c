/**
 * What of a history's file bears on a question: all that is about the address and the user, about his other addresses, the
 * daemon, and what happened in the network around the moment.
 *
 * Blocks in which none of it stands are passed over without being read, so that a large file is no slower than the disk.
 */
import { HOUR, hourOf } from './block.ts';
import type { Entry } from './entry.ts';
import type { HistoryFile } from './history-file.ts';
import { neighbourhoodOf } from './neighbourhood.ts';
import type { Question } from './why.ts';

/** Seconds around the moment in which all that is near is of interest. */
const AROUND = HOUR;
/** Seconds after it in which a login may have come too late. */
const AFTER = 86_400;
/** What stands in entries about the daemon. */
const OF_DAEMON = ['started', 'stopped', 'lost'].map(text => Buffer.from(text));

/** @throws Failure HISTORY */
export async function evidenceFor(question: Question, file: HistoryFile): Promise<Entry[]> {
  const { address, at } = question;
  const found = new Set<Entry>();
  const users = new Set(question.user === null ? [] : [question.user.toLowerCase()]);
  const ips = new Set<string>(address === null ? [] : [address]);
  await gather(file, at, ips, users, found);
  // Whoever was at the address, or wherever the user was, is of interest too.
  for (const { kind, user } of found) {
    if (kind === 'login' && user !== null) users.add(user.toLowerCase());
  }
  await gather(file, at, ips, users, found);
  const known = ips.size;
  for (const { kind, ip } of found) if (kind === 'login' && ip !== null) ips.add(ip);
  if (ips.size > known) await gather(file, at, ips, users, found);
  await gatherAround(file, question, found);
  return unique(found);
}

async function gather(
  file: HistoryFile,
  at: number,
  ips: ReadonlySet<string>,
  users: ReadonlySet<string>,
  found: Set<Entry>,
): Promise<void> {
  found.clear();
  const texts = [...ips].map(ip => Buffer.from(ip));
  // Names may be written with capitals, which only reading tells.
  const isNamed = users.size > 0;
  const names = [...users].map(user => new RegExp(escaped(user), 'i'));
  const mayMatter = (bytes: Buffer): boolean =>
    [...texts, ...OF_DAEMON].some(text => bytes.includes(text)) ||
    (isNamed && mayName(bytes, users, names));
  await file.visit(
    0,
    hourOf(at + AFTER) + 1,
    entry => {
      const isAbout =
        entry.kind === 'daemon' ||
        (entry.ip !== null && ips.has(entry.ip)) ||
        (entry.user !== null && users.has(entry.user.toLowerCase()));
      if (isAbout) found.add(entry);
    },
    mayMatter,
  );
}

function mayName(bytes: Buffer, users: ReadonlySet<string>, names: readonly RegExp[]): boolean {
  for (const user of users) if (bytes.includes(user)) return true;
  const text = bytes.toString('utf8');
  return names.some(name => name.test(text));
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

async function gatherAround(
  file: HistoryFile,
  { address, at }: Question,
  found: Set<Entry>,
): Promise<void> {
  const network = address === null ? null : neighbourhoodOf(address);
  await file.visit(hourOf(at - AROUND), hourOf(at + AROUND) + 1, entry => {
    const { kind, ip, time } = entry;
    if (ip === null || Math.abs(time - at) > AROUND) return;
    if (kind === 'refused' && address === null) found.add(entry);
    if (network !== null && neighbourhoodOf(ip) === network) found.add(entry);
  });
}

/** The parts that were gone through overlap. */
function unique(entries: Iterable<Entry>): Entry[] {
  return [...new Map([...entries].map(entry => [JSON.stringify(entry), entry])).values()];
}
