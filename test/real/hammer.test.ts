/**
 * A writer that grants and purges as fast as it can, against Postfix's own readers.
 *
 * Bounded by the number of lookups, not by time.  To see it fail, take the lock away: make `lock` in
 * src/map/lock.ts return `{ release: () => undefined }` at once.  Then a reader dies of an assertion of
 * LMDB's or a signal, cannot open the map, or misses rows that are there, within the first seconds.
 * For the other types: make `rename` in src/map/replaced-map.ts a `copyFile`.  Then readers miss rows, or
 * cannot read or open the map.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { IpText } from '../../src/base/address.ts';
import { epoch } from '../../src/base/clock.ts';
import type { Change } from '../../src/grant/change.ts';
import type { LookupMap } from '../../src/map/map.ts';
import { openMap } from '../../src/map/map-types.ts';
import { addresses } from '../map/addresses.ts';
import { requireType, TYPES } from './map-kinds.ts';
import { mustRun, type Result, runProgram } from './processes.ts';
import { Rig } from './rig.ts';

const READERS = 2;
const LOOKUPS = 400_000;
/** A file that is replaced never changes for a reader that has it, so readers come and go, each with so many lookups. */
const VISITS = 100;
const VISIT_LOOKUPS = 1000;
/** The least that the writer does, however fast the readers are: in place, and by replacing the file. */
const COMMITS = 500;
const REPLACEMENTS = 50;

const PRESENT = addresses('10.1', 500);
const ABSENT = addresses('10.2', 500);
const CHANGING = addresses('10.3', 3000);

const rig = new Rig();
after(() => rig.close());

/** What one reader asks, always and never present by turns. */
const questions = (count: number): readonly IpText[] =>
  Array.from({ length: count }, (_, index) => {
    const list = index % 2 === 0 ? PRESENT : ABSENT;
    return list[(index * 7) % list.length] ?? assert.fail();
  });

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

async function writeUntil(map: LookupMap, done: () => boolean, least: number): Promise<void> {
  for (let round = 0; round < least || !done(); round++) {
    await map.commit(nextChanges(round));
    // A commit that has the lock at once never lets the readers' input flow.
    await nextTurn();
  }
}

function checkReader({ code, stdout, stderr }: Result, asked: readonly IpText[]): void {
  const answered = asked.filter((_, index) => index % 2 === 0);
  assert.equal(stderr, '');
  assert.equal(code, 0);
  const lines = stdout.split('\n').slice(0, -1);
  assert.equal(lines.length, answered.length, 'every row that is there is found, and no other');
  const wrong = lines.findIndex((line, index) => {
    const [key, value = ''] = line.split('\t');
    return key !== answered[index] || !/^1\d{9}$/.test(value);
  });
  assert.equal(wrong, -1, `answer ${wrong} is "${lines[wrong]}" for ${answered[wrong]}`);
}

/** Asks Postfix, and checks what it answers. */
async function read(map: string, asked: readonly IpText[]): Promise<void> {
  const input = `${asked.join('\n')}\n`;
  checkReader(await runProgram('postmap', ['-q', '-', map], { input }), asked);
}

for (const type of TYPES) {
  test(`readers of ${type}: never fail and never miss a row while a writer hammers the map`, {
    skip: requireType(type),
  }, async () => {
    const path = join(await rig.directory(), 'map');
    const map = await openMap({ type, path });
    await map.commit(PRESENT.map((ip: IpText) => ({ ip, stamp: epoch(1_000_000_000) })));
    const [visits, lookups] = type === 'lmdb' ? [1, LOOKUPS] : [VISITS, VISIT_LOOKUPS];
    const asked = questions(lookups);
    const readers = Array.from({ length: READERS }, async () => {
      for (let visit = 0; visit < visits; visit++) await read(`${type}:${path}`, asked);
    });
    let ended = false;
    const all = Promise.all(readers).finally(() => {
      ended = true;
    });
    // A reader that finds something wrong is told of when the writer has ended.
    all.catch(() => undefined);
    await writeUntil(map, () => ended, type === 'lmdb' ? COMMITS : REPLACEMENTS);
    await map.close();
    await all;
  });
}

test('readers of table: never see a part of it while a writer hammers the list', async () => {
  const hammer = join(import.meta.dirname, 'other-hammer.js');
  const said = await mustRun(process.execPath, [hammer, 'table', await rig.directory()]);
  assert.match(said, /^\d+ commits, 30 readers$/m);
});
