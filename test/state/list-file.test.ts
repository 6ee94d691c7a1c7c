import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import { ListFile } from '../../src/state/list-file.ts';
import { assertFails, assertRejects } from '../failure.ts';
import { directory } from '../map/scratch.ts';

const base = await directory();
let count = 0;
let path: string;
let file: ListFile;

beforeEach(() => {
  const own = join(base, String(++count));
  mkdirSync(own);
  path = join(own, 'map.roster');
  file = new ListFile(path);
});

/** A list by name, and the file that is kept by its changes. */
class World {
  readonly list = new Map<string, number>();

  set(name: string, value: number): readonly unknown[] {
    this.list.set(name, value);
    return [[name, value]];
  }

  append(changes: readonly unknown[]): Promise<void> {
    return file.append(changes, this.list.entries(), this.list.size);
  }

  /** What the file says, the last of each name. */
  read(): unknown {
    const found = new Map<unknown, unknown>();
    for (const line of new ListFile(path).read())
      if (Array.isArray(line)) found.set(line[0], line[1]);
    return found;
  }
}

function parsed(text: string): unknown[] {
  try {
    return [JSON.parse(text)];
  } catch {
    return [];
  }
}

const lines = (): number => readFileSync(path, 'utf8').split('\n').filter(Boolean).length;

describe('a list that is kept by its changes', () => {
  test('has each when its append is done, also behind a line that was torn', async () => {
    assert.deepEqual(file.read(), []);
    const world = new World();
    await world.append(world.set('a', 1));
    appendFileSync(path, '["b",');
    await world.append(world.set('c', 3));
    await world.append(world.set('a', 2));
    assert.deepEqual(
      world.read(),
      new Map([
        ['a', 2],
        ['c', 3],
      ]),
    );
  });

  test('stays as small as its list, and loses nothing on the way', async () => {
    const world = new World();
    for (let number = 0; number < 12_000; number++) world.list.set(`old ${number}`, 0);
    await world.append([...world.list]);
    for (let round = 1; round < 400; round++) {
      const changes = Array.from({ length: 100 }, (_, at) => world.set(`old ${at}`, round)).flat();
      const asked = world.append(changes);
      world.list.set('late', round);
      await asked;
      await world.append([['late', round]]);
      if (round % 50 === 0) assert.deepEqual(world.read(), world.list);
    }
    assert.ok(lines() <= 2 * world.list.size + 20_000, String(lines()));
    assert.deepEqual(world.read(), world.list);
  });

  test('is whole after a stop, without what is older', async () => {
    const world = new World();
    await world.append(world.set('a', 1));
    await file.write([['b', 2]]);
    assert.deepEqual(file.read(), [['b', 2]]);
    await file.remove();
    assert.deepEqual(file.read(), []);
  });

  test('is for its owner alone, and no link is followed', async () => {
    const world = new World();
    await world.append(world.set('a', 1));
    assert.equal(statSync(path).mode & 0o777, 0o600);
    await file.remove();
    symlinkSync(`${path}-elsewhere`, path);
    await assertRejects(world.append(world.set('a', 1)), 'STATE_UNWRITABLE', path);
    assert.ok(!existsSync(`${path}-elsewhere`));
  });

  test('has every line that is whole, wherever others were torn', () => {
    const text = fc.string({ unit: fc.constantFrom(...'"[],\\{}a1:') });
    const entry = fc.array(fc.oneof(text, fc.integer(), fc.constant(null), fc.array(text)));
    const line = fc.tuple(entry, fc.option(fc.nat(20))).map(([value, end]) => {
      const whole = JSON.stringify(value);
      return end === null ? whole : whole.slice(0, end);
    });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), texts => {
        const whole = texts.flatMap(parsed);
        fc.pre(whole.length > 0);
        writeFileSync(path, `${texts.join('\n')}\n`);
        assert.deepEqual(file.read(), whole);
      }),
      { numRuns: 300 },
    );
  });

  test('that is damaged throughout is told', () => {
    writeFileSync(path, 'x\ny\n');
    assertFails(() => file.read(), 'STATE_UNREADABLE', path);
  });
});
