import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { IpText } from '../../src/base/address.ts';
import { type Entry, entryOf } from '../../src/history/entry.ts';
import { missingOf } from '../../src/history/merge.ts';

const ip = '192.0.2.1' as IpText;
const login = (time: number, what = 'granted'): Entry =>
  entryOf('login', time, { ip, user: 'anna', server: 'dovecot', what });
const ended = (time: number): Entry => entryOf('ended', time, { ip, what: 'purged' });
const relayed = (id: string, messages = 1, recipients = 1): Entry =>
  entryOf('relayed', 100, { ip, id, messages, recipients });

describe('what the history does not have yet', () => {
  const cases: readonly (readonly [string, Entry[], Entry[], Entry[]])[] = [
    ['all, when it is empty', [login(1), ended(9)], [], [login(1), ended(9)]],
    ['nothing, when it has all', [login(1), ended(9)], [login(1), ended(9)], []],
    ['one of two in the same second', [login(1), login(1)], [login(1)], [login(1)]],
    ['nothing when it has more', [login(1)], [login(1), login(1)], []],
    ['no login that only granted where the log begins', [login(1)], [login(1, 'refreshed')], []],
    ['no end that another clock has told', [ended(9)], [ended(11)], []],
    ['an end of another time', [ended(9)], [ended(30)], [ended(9)]],
    [
      'no message in other parts',
      [relayed('A', 1, 2)],
      [relayed('A', 1, 1), relayed('A', 0, 1)],
      [],
    ],
    [
      'all parts of a message',
      [relayed('A'), relayed('A', 0)],
      [relayed('B')],
      [relayed('A'), relayed('A', 0)],
    ],
  ];
  for (const [name, entries, known, wanted] of cases)
    test(name, () => assert.deepEqual(missingOf(entries, known), wanted));
});
