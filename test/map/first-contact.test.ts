/**
 * What a map that another program has written goes through when it is held for the first time.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { meetMap } from '../../src/map/first-contact.ts';
import { type HeldMap, holdMap } from '../../src/map/held-map.ts';
import type { MapSpec, Row } from '../../src/map/map.ts';
import { readRows } from '../../src/map/map-types.ts';
import { waitFor } from '../real/wait.ts';
import { newSpec } from './scratch.ts';

/** A map as the Perl daemon, and an administrator, have left it. */
async function leftBehind(): Promise<MapSpec> {
  const spec = await newSpec('texthash');
  await writeFile(spec.path, '10 ok\n192.0.2.7 OK\n198.51.100.9 ok\n2001:db8::1 ok\nunknown ok\n');
  return spec;
}

const rowsOf = async (spec: MapSpec): Promise<string[]> =>
  (await readRows(spec)).map(({ key, value }) => `${key} ${value}`);

const others = async ({ map }: HeldMap): Promise<Row[]> =>
  (await map.rows()).filter(({ stamp }) => stamp === null);

test('whole addresses with the value of the Perl daemon become grants, and only once', async () => {
  const spec = await leftBehind();
  const said: string[] = [];
  const warn = (text: string): void => void said.push(text);
  const first = await holdMap(spec, false, () => undefined);
  const grants = await meetMap(first, await others(first), epoch(7), warn);
  await first.close();
  assert.deepEqual(
    grants.map(({ ip, stamp }) => `${ip} ${stamp}`),
    ['198.51.100.9 7', '2001:db8::1 7'],
  );
  assert.deepEqual(await rowsOf(spec), [
    '10 ok',
    '192.0.2.7 OK',
    '198.51.100.9 7',
    '2001:db8::1 7',
    'unknown ok',
  ]);
  assert.match(said.join('\n'), /: 2 of its rows said "ok" .*: 198\.51\.100\.9, 2001:db8::1$/);
  await writeFile(spec.path, '198.51.100.9 ok\n');
  const second = await holdMap(spec, false, () => undefined);
  assert.deepEqual(await meetMap(second, await others(second), epoch(8), assert.fail), []);
  await second.close();
  assert.deepEqual(await rowsOf(spec), ['198.51.100.9 ok']);
});

test('a start that is stopped before it has looked at them leaves that to the next', async () => {
  const spec = await leftBehind();
  const stopped = await holdMap(spec, false, () => undefined);
  await stopped.close();
  const next = await holdMap(spec, false, () => undefined);
  assert.equal((await meetMap(next, await others(next), epoch(7), () => undefined)).length, 2);
  await next.close();
});

test('a dry run lets them be', async () => {
  const spec = await leftBehind();
  const dry = await holdMap(spec, true, () => undefined);
  assert.deepEqual(await meetMap(dry, await others(dry), epoch(7), assert.fail), []);
  await dry.close();
  assert.equal((await rowsOf(spec)).length, 5);
});

test('a mirror loses them, since it follows the first map', async () => {
  const [spec, mirror] = [await newSpec('texthash'), await leftBehind()];
  const said: string[] = [];
  const held = await holdMap(spec, false, text => void said.push(text), [mirror]);
  await waitFor('the rows to go', async () => (await rowsOf(mirror)).length === 3);
  await held.close();
  assert.deepEqual(await rowsOf(mirror), ['10 ok', '192.0.2.7 OK', 'unknown ok']);
  assert.match(said.join('\n'), /2 of its rows said "ok" .* they are gone, since it follows/);
});
