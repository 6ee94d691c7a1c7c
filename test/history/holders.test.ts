import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IpText } from '../../src/base/address.ts';
import { type Entry, type EntryKind, entryOf } from '../../src/history/entry.ts';
import { holdersIn, type KnownHolder, type SinceOf } from '../../src/history/holders.ts';

const NOW = 1_795_000_000;
const A = '192.0.2.1' as IpText;

type Line = readonly [kind: EntryKind, secondsAgo: number, user: string, messages?: number];

const entriesOf = (lines: readonly Line[]): Entry[] =>
  lines.map(([kind, ago, user, messages = 0]) =>
    entryOf(kind, NOW - ago, {
      ...{ ip: A, user, server: 'dovecot', messages, recipients: 2 * messages },
      what: kind === 'login' ? 'granted' : null,
    }),
  );

const find = async (
  lines: readonly Line[],
  since: ReturnType<SinceOf>,
): Promise<KnownHolder | undefined> => {
  const file = {
    visitBefore: async (
      _serial: number,
      _from: number,
      _to: number,
      take: (entry: Entry) => void,
    ): Promise<void> => entriesOf(lines).forEach(take),
  };
  const found = await holdersIn(file, () => since, { serial: 1, grace: 3600, now: NOW });
  return found.get(A);
};

const LINES: readonly Line[] = [
  // Within an hour they stand in no order.
  ['relayed', 5, 'now', 4],
  ['login', 900, 'before'],
  ['relayed', 800, 'before', 1],
  ['ended', 700, 'before'],
  ['login', 10, 'now'],
];

test('a grant of which nobody else knows has the latest holder, and what it has relayed itself', async () => {
  assert.deepEqual(await find(LINES, null), {
    ...{ user: 'now', server: 'dovecot', messages: 4, recipients: 8 },
  });
});

test('of a grant whose holder is known, what it has relayed since it began is found', async () => {
  assert.equal((await find(LINES, NOW - 10))?.messages, 4);
  assert.equal((await find(LINES, NOW - 900))?.messages, 5);
  assert.equal(await find(LINES, NOW - 3), undefined);
});

test('nothing is kept of an address without a grant', async () => {
  assert.equal(await find(LINES, undefined), undefined);
});
