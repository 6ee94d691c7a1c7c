/**
 * `node sendmail-hammer.js DIRECTORY CF`: a writer that grants and purges as fast as it can, against readers of a `makemap:hash:` map:
 * `sendmail -bt` with a sendmail.cf that names it popauth.
 *
 * A program of its own, since sendmail and its makemap are in an overlay only.  Readers come and go, each with many questions; bounded by their
 * number, not by time.  To see it fail: make `rename` in src/map/replaced-map.ts a `copyFile`.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { epoch } from '../../src/base/clock.ts';
import type { Change } from '../../src/grant/change.ts';
import type { MapSpec } from '../../src/map/map.ts';
import { openMap } from '../../src/map/map-types.ts';
import { addresses } from '../map/addresses.ts';
import { mustRun } from './processes.ts';

const READERS = 2;
const VISITS = 15;
const REPLACEMENTS = 30;
const FOREIGN = '198.51.100.1';

const PRESENT = addresses('10.1', 300);
const ABSENT = addresses('10.2', 300);
const CHANGING = addresses('10.3', 3000);

/** Asks for all, and throws if a row is missing that is there, or the other way round. */
async function read(): Promise<void> {
  const asked = [...PRESENT, FOREIGN, ...ABSENT];
  const input = `${asked.map(ip => `/map popauth ${ip}`).join('\n')}\n/quit\n`;
  const said = await mustRun('/usr/libexec/sendmail/sendmail', ['-C', cf, '-bt'], { input });
  const found = Array.from(said.matchAll(/map_lookup: popauth \((\S+)\) (.*)/g), ([, ip, how]) => [
    ip,
    how,
  ]);
  assert.deepEqual(
    found.map(([ip]) => ip),
    asked,
    said,
  );
  for (const [index, [ip, how = '']] of found.entries()) {
    const expected =
      index < PRESENT.length
        ? /^returns 1\d{9}<OK> /
        : ip === FOREIGN
          ? /^returns OK<OK> /
          : /^no match \(0\)/;
    assert.match(how, expected, ip);
  }
}

function nextChanges(round: number): Change[] {
  const size = 1 + ((round * 37) % 300);
  const start = (round * 101) % CHANGING.length;
  const stamp = round % 3 === 2 ? null : epoch(1_000_000_000 + round);
  const renewed = PRESENT[round % PRESENT.length] ?? assert.fail();
  return [
    ...CHANGING.slice(start, start + size).map(ip => ({ ip, stamp })),
    { ip: renewed, stamp: epoch(1_000_000_000 + round) },
  ];
}

const [directory = '', cf = ''] = process.argv.slice(2);
const spec: MapSpec = { type: 'makemap:hash', path: join(directory, 'popauth'), mode: 0o640 };
await mustRun('makemap', ['-C', '/dev/null', 'hash', spec.path], { input: `${FOREIGN} OK\n` });
const map = await openMap(spec);
await map.commit(PRESENT.map(ip => ({ ip, stamp: epoch(1_000_000_000) })));
let ended = false;
const readers = Array.from({ length: READERS }, async () => {
  for (let visit = 0; visit < VISITS; visit++) await read();
});
const all = Promise.all(readers).finally(() => {
  ended = true;
});
all.catch(() => undefined);
let round = 0;
for (; round < REPLACEMENTS || !ended; round++) {
  await map.commit(nextChanges(round));
  await nextTurn();
}
await map.close();
await all;
process.stdout.write(`${round} commits, ${READERS * VISITS} readers\n`);
