import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { Checkpoint } from '../../src/state/checkpoint.ts';
import { assertFails } from '../failure.ts';

const directory = mkdtempSync(join(tmpdir(), 'popbsmtp-test-'));
after(() => rmSync(directory, { recursive: true }));

let count = 0;
let path: string;
let warnings: string[];

beforeEach(() => {
  path = join(directory, `map-${++count}`);
  warnings = [];
});

const checkpoint = (): Checkpoint => new Checkpoint({ path });
const read = (): unknown => checkpoint().read(BASIS, text => void warnings.push(text));

const BASIS = 'map 1, 900 s';
const PLACES = { '/var/log/mail.log': { ino: 7, position: 4711 }, journal: 's=1;i=2' };
const NOTES = { places: PLACES, memory: { torn: [['mx imapd', 7, 2]] }, sessions: null };
const NONE = { places: {}, memory: null, sessions: null };

test('what was noted is read again', () => {
  checkpoint().write(BASIS, NOTES);
  assert.deepEqual(read(), NOTES);
  assert.deepEqual(warnings, []);
  assert.ok(!existsSync(`${path}.checkpoint.new`));
});

test('what belongs to another map or grace period is none', () => {
  checkpoint().write('map 2, 900 s', NOTES);
  assert.deepEqual(read(), NONE);
  assert.deepEqual(warnings, []);
});

test('none is none', () => {
  assert.deepEqual(read(), NONE);
  assert.deepEqual(warnings, []);
});

test('what is damaged or of another version is none, and that is said', () => {
  for (const text of [
    '',
    '{',
    'null',
    '[]',
    '{"version":2,"basis":"","places":{}}',
    '{"version":1,"basis":""}',
    '{"version":1,"places":{}}',
    '{"version":1,"basis":"","places":7}',
  ]) {
    writeFileSync(`${path}.checkpoint`, text);
    assert.deepEqual(read(), NONE, text);
    assert.equal(warnings.length, 1, text);
    assert.ok(warnings.pop()?.includes(`${path}.checkpoint`));
  }
});

test('nothing is written when nothing has changed', () => {
  const noted = checkpoint();
  noted.write(BASIS, NOTES);
  const before = statSync(`${path}.checkpoint`, { bigint: true });
  noted.write(BASIS, { ...NOTES });
  assert.equal(statSync(`${path}.checkpoint`, { bigint: true }).ino, before.ino);
  noted.write(BASIS, { ...NOTES, places: { ...PLACES, journal: 's=1;i=3' } });
  assert.deepEqual(read(), { ...NOTES, places: { ...PLACES, journal: 's=1;i=3' } });
});

test('a directory that cannot be written is an error, and the old file stays', () => {
  const elsewhere = join(directory, 'none', 'map');
  assertFails(
    () => new Checkpoint({ path: elsewhere }).write(BASIS, NOTES),
    'CHECKPOINT',
    elsewhere,
  );
});

test('only its account may read it, whatever the umask and whatever an interrupted write has left', () => {
  const umask = process.umask(0);
  try {
    writeFileSync(`${path}.checkpoint.new`, 'half', { mode: 0o666 });
    checkpoint().write(BASIS, NOTES);
    assert.equal(statSync(`${path}.checkpoint`).mode & 0o777, 0o600);
  } finally {
    process.umask(umask);
  }
});
