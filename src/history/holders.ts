/**
 * Who is behind grants, and what they have relayed, as the history has it: after a crash nothing else knows.
 *
 * Promises: of a grant whose holder is known without the history, no more is kept than what it has relayed; of the others, a number that
 * is bounded.  What the run that asks has written itself is left out.
 * Known limit: looks back for some hours only, so that a start does not wait for a long history.
 */
import type { IpText } from '../base/address.ts';
import type { Sender } from '../mta/messages.ts';
import { HOUR, hourOf } from './block.ts';
import { type Entry, isGranting } from './entry.ts';
import type { HistoryFile } from './history-file.ts';
import type { Sent } from './ledger.ts';

/** The user as the history has him (`log-users`). */
export interface KnownHolder extends Sender, Sent {}

/**
 * Since when an address has the grant that it has now, in Unix time; null when nobody else knows whose it is; undefined when it has none.
 */
export type SinceOf = (ip: IpText) => number | null | undefined;

const MOST_HOURS = 24;
/** Addresses of which nobody else knows: those of the last moment before a crash, and what is beyond the roster's bound. */
const MOST_UNKNOWN = 20_000;
/** As in ledger.ts: seconds by which the stamps of two logs may differ. */
const SLACK = 1;

/**
 * @param since asked of each entry
 * @param serial the first one of this run (block.ts)
 * @param grace the longest, in seconds
 * @param now in Unix time
 * @throws Failure HISTORY
 */
export async function holdersIn(
  file: Pick<HistoryFile, 'visitBefore'>,
  since: SinceOf,
  { serial, grace, now }: { readonly serial: number; readonly grace: number; readonly now: number },
): Promise<Map<IpText, KnownHolder>> {
  const holders = new Map<IpText, KnownHolder>();
  const others = new Others();
  const hours = Math.min(MOST_HOURS, Math.ceil(grace / HOUR) + 1);
  await file.visitBefore(serial, hourOf(now) - hours, hourOf(now) + 1, entry => {
    const { kind, ip, time } = entry;
    const begin = ip === null ? undefined : since(ip);
    if (ip === null || begin === undefined) return;
    if (begin === null) others.note(entry, ip);
    else if (kind === 'relayed' && time >= Math.floor(begin) - SLACK) add(entry, ip, holders);
  });
  for (const entry of others.sorted()) take(entry, holders);
  return holders;
}

/** The entries of addresses of which nobody else knows. */
class Others {
  readonly #ips = new Set<IpText>();
  readonly #entries: Entry[] = [];

  note(entry: Entry, ip: IpText): void {
    const isOfInterest = isGranting(entry) || entry.kind === 'relayed' || entry.kind === 'ended';
    if (!isOfInterest || (this.#ips.size >= MOST_UNKNOWN && !this.#ips.has(ip))) return;
    this.#ips.add(ip);
    this.#entries.push(entry);
  }

  sorted(): readonly Entry[] {
    return this.#entries.sort((a, b) => a.time - b.time);
  }
}

function take(entry: Entry, holders: Map<IpText, KnownHolder>): void {
  const { kind, ip, user, server } = entry;
  if (ip === null) return;
  const before = holders.get(ip);
  if (kind === 'ended') holders.delete(ip);
  else if (kind === 'login')
    holders.set(ip, { messages: 0, recipients: 0, ...before, user, server });
  else if (before !== undefined) add(entry, ip, holders);
}

function add(
  { user, server, messages, recipients }: Entry,
  ip: IpText,
  holders: Map<IpText, KnownHolder>,
): void {
  const before = holders.get(ip) ?? { user, server, messages: 0, recipients: 0 };
  holders.set(ip, {
    ...before,
    messages: before.messages + messages,
    recipients: before.recipients + recipients,
  });
}
