/**
 * `node sendmail-hammer.js DIRECTORY CF`: a writer that grants and purges as fast as it can, against readers of a `makemap:hash:` map:
 * `sendmail -bt` with a sendmail.cf that names it popauth.
 *
 * A sendmail that opens a map at the moment in which it is replaced gives up ("file changed after open", and EX_SOFTWARE in the end), and has no such map
 * from then on (EX_TEMPFAIL): so the sendmail.cf names it twice, and the other one answers.  The visits in which one was not there are
 * counted.  One in which neither was, from the first question to the last, is made again, and counted too.
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
import { mustRun, runProgram } from './processes.ts';
import { SENDMAIL } from './sendmail.ts';

/** Of sysexits.h. */
const EX_SOFTWARE = 70;

const FAILURE = /db_map_open\(\S+\): file changed after (?:pre-)?open\n/g;

const READERS = 2;
const VISITS = 15;
const REPLACEMENTS = 30;
/** How often a visit is made before the map counts as one that never opens. */
const ATTEMPTS = 10;
const FOREIGN = '198.51.100.1';

const PRESENT = addresses('10.1', 300);
const ABSENT = addresses('10.2', 300);
const CHANGING = addresses('10.3', 3000);

const ASKED = [...PRESENT, FOREIGN, ...ABSENT];
const QUESTIONS = `${ASKED.map(ip => `/map popauth ${ip}`).join('\n')}\n/quit\n`;

/**
 * What sendmail says of an address that is asked for at this place.
 *
 * @param isWithoutOne whether one of the maps is not there, so that it cannot be sure that there is no row (EX_NOHOST where it is)
 */
const expectedAt = (index: number, isWithoutOne: boolean): RegExp =>
  index < PRESENT.length
    ? /^returns 1\d{9}<OK> /
    : ASKED[index] === FOREIGN
      ? /^returns OK<OK> /
      : isWithoutOne
        ? /^no match \(75\)/
        : /^no match \(68\)/;

const count = { once: 0, never: 0 };

/**
 * Asks for all, and throws if a row is missing that is there, or the other way round.
 *
 * @returns whether sendmail could open the map
 */
async function read(): Promise<boolean> {
  const args = ['-C', cf, '-bt'];
  const { code, stdout, stderr } = await runProgram(SENDMAIL, args, { input: QUESTIONS });
  const said = `${code}\n${stdout}${stderr}`;
  const failures = stdout.match(FAILURE)?.length ?? 0;
  assert.equal(code, failures === 0 ? 0 : EX_SOFTWARE, said);
  // It may come in the middle of an answer.
  const found = Array.from(
    stdout.replace(FAILURE, '').matchAll(/map_lookup: popauth \((\S+)\) (.*)/g),
  );
  assert.deepEqual(
    found.map(([, ip]) => ip),
    ASKED,
    said,
  );
  const answers = found.map(([, , how = '']) => how);
  if (failures > 1 && answers.every(how => /^no match \(75\)/.test(how))) return false;
  if (failures > 0) count.once++;
  for (const [index, how] of answers.entries())
    assert.match(how, expectedAt(index, failures > 0), ASKED[index]);
  return true;
}

async function visit(): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    if (await read()) return;
    count.never++;
  }
  assert.fail(`the map did not open in ${ATTEMPTS} attempts`);
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
  for (let made = 0; made < VISITS; made++) await visit();
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
process.stdout.write(
  `${round} commits, ${READERS * VISITS} readers, ${count.once} opened one map only, ${count.never} none\n`,
);
