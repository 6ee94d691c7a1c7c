/**
 * Who is behind grants, and what they have relayed, as the history has it: after a crash nothing else knows.
 *
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

const MOST_HOURS = 24;

/**
 * @param ips that have a grant now
 * @param grace the longest, in seconds
 * @param now in Unix time
 * @throws Failure HISTORY
 */
export async function holdersIn(
  file: HistoryFile,
  ips: ReadonlySet<IpText>,
  grace: number,
  now: number,
): Promise<Map<IpText, KnownHolder>> {
  const entries: Entry[] = [];
  if (ips.size === 0) return new Map();
  const hours = Math.min(MOST_HOURS, Math.ceil(grace / HOUR) + 1);
  await file.visit(hourOf(now) - hours, hourOf(now) + 1, entry => {
    const isOfInterest = isGranting(entry) || entry.kind === 'relayed' || entry.kind === 'ended';
    if (isOfInterest && entry.ip !== null && ips.has(entry.ip)) entries.push(entry);
  });
  const holders = new Map<IpText, KnownHolder>();
  for (const entry of entries.sort((a, b) => a.time - b.time)) take(entry, holders);
  return holders;
}

function take(entry: Entry, holders: Map<IpText, KnownHolder>): void {
  const { kind, ip, user, server } = entry;
  if (ip === null) return;
  const before = holders.get(ip);
  if (kind === 'ended') holders.delete(ip);
  else if (kind === 'login')
    holders.set(ip, { messages: 0, recipients: 0, ...before, user, server });
  else if (before !== undefined)
    holders.set(ip, {
      ...before,
      messages: before.messages + entry.messages,
      recipients: before.recipients + entry.recipients,
    });
}
