/**
 * A writer that grants and purges as fast as it can, against Postfix's own readers.
 *
 * Bounded by the number of lookups, not by time.  To see it fail, take the lock away: make `lock` in
 * src/map/lock.ts return `{ release: () => undefined }` at once.  Then a reader dies of an assertion of
 * LMDB's or a signal, cannot open the map, or misses rows that are there, within the first seconds.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { IpText } from '../../src/classifier/address.ts';
import { epoch } from '../../src/clock.ts';
import type { Change, LookupMap } from '../../src/map/map.ts';
import { openMap } from '../../src/map/map-types.ts';
import { addresses } from '../map/addresses.ts';
import { type Result, runProgram } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';

const READERS = 2;
const LOOKUPS = 400_000;
/** The least that the writer does, however fast the readers are. */
const COMMITS = 500;

const PRESENT = addresses('10.1', 500);
const ABSENT = addresses('10.2', 500);
const CHANGING = addresses('10.3', 3000);

const rig = new Rig();
after(() => rig.close());

/** What one reader asks, always and never present by turns. */
const QUESTIONS = Array.from({ length: LOOKUPS }, (_, index) => {
  const list = index % 2 === 0 ? PRESENT : ABSENT;
  return list[(index * 7) % list.length];
});
const ANSWERED = QUESTIONS.filter((_, index) => index % 2 === 0);

/** One transaction: a run of rows comes or goes, and a row that must always be found is renewed. */
function nextChanges(round: number): Change[] {
  const size = 1 + ((round * 37) % 300);
  const start = (round * 101) % CHANGING.length;
  const stamp = round % 3 === 2 ? null : epoch(1_000_000_000 + round);
  const renewed = PRESENT[round % PRESENT.length];
  return [
    ...CHANGING.slice(start, start + size).map(ip => ({ ip, stamp })),
    ...(renewed === undefined ? [] : [{ ip: renewed, stamp: epoch(1_000_000_000 + round) }]),
  ];
}

async function writeUntil(map: LookupMap, done: () => boolean): Promise<void> {
  for (let round = 0; round < COMMITS || !done(); round++) {
    await map.commit(nextChanges(round));
    // A commit that has the lock at once never lets the readers' input flow.
    await nextTurn();
  }
}

function checkReader({ code, stdout, stderr }: Result): void {
  assert.equal(stderr, '');
  assert.equal(code, 0);
  const lines = stdout.split('\n').slice(0, -1);
  assert.equal(lines.length, ANSWERED.length, 'every row that is there is found, and no other');
  const wrong = lines.findIndex((line, index) => {
    const [key, value = ''] = line.split('\t');
    return key !== ANSWERED[index] || !/^1\d{9}$/.test(value);
  });
  assert.equal(wrong, -1, `answer ${wrong} is "${lines[wrong]}" for ${ANSWERED[wrong]}`);
}

test('readers never fail and never miss a row while a writer hammers the map', {
  skip: requirePrograms(['postmap']),
}, async () => {
  const path = join(await rig.directory(), 'map');
  const map = await openMap({ type: 'lmdb', path });
  await map.commit(PRESENT.map((ip: IpText) => ({ ip, stamp: epoch(1_000_000_000) })));
  const input = `${QUESTIONS.join('\n')}\n`;
  const readers = Array.from({ length: READERS }, () =>
    runProgram('postmap', ['-q', '-', `lmdb:${path}`], { input }),
  );
  let ended = false;
  const results = Promise.all(readers).finally(() => {
    ended = true;
  });
  await writeUntil(map, () => ended);
  await map.close();
  for (const result of await results) checkReader(result);
});
