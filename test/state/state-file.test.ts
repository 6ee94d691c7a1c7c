import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { beforeEach, describe, test } from 'node:test';
import { StateFile } from '../../src/state/state-file.ts';
import { assertFails, assertRejects } from '../failure.ts';
import { directory } from '../map/scratch.ts';

const base = await directory();
let count = 0;
let file: StateFile;

beforeEach(() => {
  const own = join(base, String(++count));
  mkdirSync(own);
  file = new StateFile(join(own, 'map.orders'));
});

describe('a file beside the map', () => {
  test('holds what was written last, and nothing before', async () => {
    assert.equal(file.read(), null);
    await Promise.all([file.write({ a: 1 }), file.write({ a: 2 })]);
    assert.deepEqual(file.read(), { a: 2 });
    assert.deepEqual(readdirSync(dirname(file.path)), [basename(file.path)]);
    await file.remove();
    assert.equal(file.read(), null);
    await file.remove();
  });

  test('is for its owner alone, whatever lay in its way', async () => {
    const other = join(dirname(file.path), 'other');
    writeFileSync(other, 'precious', { mode: 0o644 });
    symlinkSync(other, `${file.path}.new`);
    await file.write({});
    assert.equal(statSync(file.path).mode & 0o777, 0o600);
    assert.equal(statSync(other).size, 'precious'.length);
  });

  test('that is damaged or cannot be written is told by its name, and can be tried again', async () => {
    writeFileSync(file.path, '{"orders":');
    assertFails(() => file.read(), 'STATE_UNREADABLE', file.path);
    mkdirSync(`${file.path}.new`);
    await assertRejects(file.write({}), 'STATE_UNWRITABLE', file.path);
    assertFails(() => file.read(), 'STATE_UNREADABLE', file.path);
    const elsewhere = new StateFile(join(base, 'none', 'map.orders'));
    await assertRejects(elsewhere.write({}), 'STATE_UNWRITABLE', 'no such file');
    mkdirSync(join(base, 'none'));
    await elsewhere.write([1]);
    assert.deepEqual(elsewhere.read(), [1]);
  });
});
