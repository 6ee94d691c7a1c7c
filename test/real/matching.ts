/**
 * What `popbsmtp match --json` recognises in a log that real servers wrote.
 *
 * Promises: the events in the order of the address, then the kind, since processes of one server may log in either
 * order.  Their lines and times are left out: the tests know who logged in from where, not when.
 */
import assert from 'node:assert/strict';
import { popbsmtp } from './popbsmtp.ts';
import type { Result } from './processes.ts';

export interface Matched {
  readonly event: 'login' | 'logout';
  readonly server: string;
  readonly ip: string | null;
  readonly user: string | null;
}

const key = ({ ip, event, user }: Matched): string => `${ip ?? '-'} ${event} ${user}`;

export const sorted = (events: readonly Matched[]): Matched[] =>
  events.toSorted((one, other) => (key(one) < key(other) ? -1 : 1));

/**
 * The events of a log, sorted.
 *
 * @param more options
 */
export const eventsIn = async (log: string, ...more: readonly string[]): Promise<Matched[]> =>
  eventsOf(await popbsmtp('match', '--json', ...more, log));

/** What such a run has told, sorted. */
export function eventsOf({ code, stdout, stderr }: Result): Matched[] {
  assert.equal(code, 0, stderr);
  const events = stdout.split('\n').slice(0, -1);
  return sorted(
    events.map(line => {
      const { event, server, ip, user }: Matched = JSON.parse(line);
      return { event, server, ip, user };
    }),
  );
}
