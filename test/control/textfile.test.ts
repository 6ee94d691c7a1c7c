import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { mock, test } from 'node:test';
import { Textfile } from '../../src/control/textfile.ts';
import { directory } from '../map/scratch.ts';

const base = await directory();

test('is written at once, every 15 seconds and at the end, and never by halves', () => {
  mock.timers.enable({ apis: ['setInterval'] });
  const path = join(base, 'popbsmtp.prom');
  let count = 0;
  const textfile = new Textfile(
    path,
    () => `a ${++count}\n`,
    text => assert.fail(text),
  );
  assert.equal(readFileSync(path, 'utf8'), 'a 1\n');
  assert.equal(statSync(path).mode & 0o777, 0o644);
  const { ino } = statSync(path);
  mock.timers.tick(15_000);
  assert.equal(readFileSync(path, 'utf8'), 'a 2\n');
  assert.notEqual(statSync(path).ino, ino, 'a new file took its place');
  textfile.close();
  mock.timers.tick(60_000);
  assert.equal(readFileSync(path, 'utf8'), 'a 3\n');
  assert.deepEqual(readdirSync(base), ['popbsmtp.prom']);
  mock.timers.reset();
});

test('what lies in its way decides neither its mode nor its place', () => {
  const path = join(base, 'linked.prom');
  const other = join(base, 'other');
  writeFileSync(other, 'precious', { mode: 0o600 });
  symlinkSync(other, `${path}.new`);
  new Textfile(
    path,
    () => 'a 1\n',
    text => assert.fail(text),
  ).close();
  assert.equal(readFileSync(other, 'utf8'), 'precious');
  assert.equal(readFileSync(path, 'utf8'), 'a 1\n');
  assert.equal(lstatSync(path).mode & 0o777, 0o644);
  rmSync(other);
  rmSync(path);
});

test('trouble is told once, until it has worked again', () => {
  mock.timers.enable({ apis: ['setInterval'] });
  const path = join(base, 'other.prom');
  const warnings: string[] = [];
  mkdirSync(`${path}.new`);
  const textfile = new Textfile(
    path,
    () => 'a 1\n',
    text => warnings.push(text),
  );
  mock.timers.tick(15_000);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /other\.prom: .*directory/);
  rmdirSync(`${path}.new`);
  mock.timers.tick(15_000);
  assert.equal(readFileSync(path, 'utf8'), 'a 1\n');
  mkdirSync(`${path}.new`);
  textfile.close();
  assert.equal(warnings.length, 2);
  mock.timers.reset();
});
