/**
 * Fills a history as a busy host does in 90 days: so many entries of so many users, who come from one of three addresses each.
 */
import type { IpText } from '../../src/base/address.ts';
import { HOUR, hourOf } from '../../src/history/block.ts';
import { type Entry, entryOf } from '../../src/history/entry.ts';
import { HistoryFile } from '../../src/history/history-file.ts';
import { Recorder } from '../../src/history/recorder.ts';

const USERS = 5000;
const DAYS = 90;
const GIB = 2 ** 30;
/** Hours that are committed at once. */
const PORTION = 12;

export const userOf = (number: number): string => `user${number % USERS}@example.org`;

export const addressOf = (number: number, place: number): IpText => {
  const user = number % USERS;
  return (
    place === 2
      ? `2001:db8:${(user >> 8).toString(16)}:${(user & 255).toString(16)}::17`
      : `${place === 0 ? 198 : 203}.${51 + (user >> 14)}.${(user >> 7) & 127}.${user & 127}`
  ) as IpText;
};

function entryAt(index: number, time: number): Entry {
  // A step that has no divisor in common with the users: all of them come, and none in order.
  const number = (index * 7919) % USERS;
  const ip = addressOf(number, index % 3);
  const [user, server] = [userOf(number), 'dovecot'];
  const kind = index % 20;
  if (kind < 12)
    return entryOf('login', time, {
      ip,
      user,
      server,
      what: kind < 3 ? 'granted' : 'refreshed',
      tls: kind % 2 === 0,
    });
  if (kind < 15) return entryOf('ended', time, { ip, user, server, what: 'purged' });
  if (kind < 18)
    return entryOf('relayed', time, {
      ...{
        ip,
        user,
        server,
        id: `mx 4A1B${(index % 0xffffff).toString(16).padStart(6, '0').toUpperCase()}`,
      },
      ...{ messages: 1, recipients: 1 + (index % 3), bytes: 1000 + (index % 100_000) },
    });
  if (kind === 18) return entryOf('sent', time, { ip, user, id: `mx 4A1B${index % 0xffffff}` });
  return entryOf('refused', time, { ip, what: 'relay access denied' });
}

/** @param end of the 90 days, in Unix time */
export async function makeHistory(path: string, entries: number, end: number): Promise<void> {
  const warn = (text: string): void => void process.stderr.write(`${text}\n`);
  const start = (hourOf(end) - DAYS * 24) * HOUR;
  const recorder = new Recorder({
    open: () => HistoryFile.open(path, { most: GIB, warn }),
    serial: Math.floor(start),
    age: Number.POSITIVE_INFINITY,
    warn,
  });
  recorder.add(entryOf('daemon', start, { what: 'started' }));
  const step = (DAYS * 24 * HOUR) / entries;
  let portion = Math.floor(start / (PORTION * HOUR));
  for (let index = 0; index < entries; index++) {
    const time = start + index * step;
    const now = Math.floor(time / (PORTION * HOUR));
    if (now !== portion) {
      portion = now;
      await recorder.commit(time);
    }
    recorder.add(entryAt(index, time));
  }
  await recorder.close(end);
}
