import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { IpText } from '../../src/base/address.ts';
import { failure } from '../../src/base/errors.ts';
import { hourOf } from '../../src/history/block.ts';
import { type Entry, entryOf } from '../../src/history/entry.ts';
import { HistoryFile } from '../../src/history/history-file.ts';
import { Recorder } from '../../src/history/recorder.ts';
import { assertRejects } from '../failure.ts';

const NOON = 1_795_000_000;
const MIB = 2 ** 20;
const ip = '192.0.2.1' as IpText;
const login = (time: number): Entry =>
  entryOf('login', time, { ip, user: 'anna', server: 'dovecot', what: 'granted', tls: true });

let directory = '';
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'popbsmtp-history-'));
});
after(() => rmSync(directory, { recursive: true }));

let count = 0;
let serial = 1e6;
function nextSerial(): number {
  serial += 1000;
  return serial;
}
const freshPath = (): string => join(directory, `h${count++}`);

function recorderAt(path: string, parts: { age?: number; most?: number } = {}) {
  const warnings: string[] = [];
  const warn = (text: string): void => void warnings.push(text);
  const recorder = new Recorder({
    open: () => HistoryFile.open(path, parts.most ?? 64 * MIB, warn),
    serial: nextSerial(),
    age: parts.age ?? Number.POSITIVE_INFINITY,
    warn,
  });
  return { recorder, warnings };
}

async function entriesIn(path: string): Promise<Entry[]> {
  const file = await HistoryFile.openForReading(path);
  const entries: Entry[] = [];
  await file.visit(0, 2 ** 32 - 1, entry => entries.push(entry));
  await file.close();
  return entries.sort((a, b) => a.time - b.time);
}

describe('the recorder', () => {
  test('commits what was added, and what is added to the same hour later', async () => {
    const path = freshPath();
    const { recorder, warnings } = recorderAt(path);
    const all: Entry[] = [];
    for (let round = 0; round < 5; round++) {
      for (let n = 0; n < 700; n++) {
        const entry = login(NOON + round * 1000 + n);
        all.push(entry);
        recorder.add(entry);
      }
      await recorder.commit(NOON + round);
      assert.deepEqual(await entriesIn(path), all);
    }
    await recorder.close(NOON);
    assert.deepEqual(warnings, []);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test('goes on in a file of an earlier run', async () => {
    const path = freshPath();
    for (let run = 0; run < 3; run++) {
      const { recorder } = recorderAt(path);
      recorder.add(login(NOON + run));
      await recorder.close(NOON + run);
    }
    assert.deepEqual(await entriesIn(path), [login(NOON), login(NOON + 1), login(NOON + 2)]);
  });

  test('keeps messages until they are gone', async () => {
    const path = freshPath();
    const { recorder } = recorderAt(path);
    recorder.note([
      ['mx A', { ids: ['mx A'] }],
      ['mx B', { ids: ['mx B'] }],
    ]);
    await recorder.commit(NOON);
    recorder.note([['mx A', null]]);
    await recorder.close(NOON + 1);
    const file = await HistoryFile.openForReading(path);
    assert.deepEqual(await file.messages(), [{ ids: ['mx B'] }]);
    await file.close();
  });

  test('deletes what is too old', async () => {
    const path = freshPath();
    const { recorder } = recorderAt(path, { age: 86_400 });
    recorder.add(login(NOON - 3 * 86_400));
    recorder.add(login(NOON));
    await recorder.close(NOON);
    assert.deepEqual(await entriesIn(path), [login(NOON)]);
  });

  test('deletes the oldest where there is no room, and the file keeps to its size', async () => {
    const path = freshPath();
    const { recorder, warnings } = recorderAt(path, { most: 16 * MIB });
    for (let round = 0; round < 60; round++) {
      for (let n = 0; n < 400; n++)
        recorder.add({ ...login(NOON + round * 3600 + n), user: `${n}`.padStart(1000, 'u') });
      await recorder.commit(NOON + round * 3600);
      await recorder.commit(NOON + round * 3600 + 61);
    }
    await recorder.close(NOON + 60 * 3600);
    assert.deepEqual(warnings, []);
    assert.ok(statSync(path).size <= 16 * MIB, String(statSync(path).size));
    const entries = await entriesIn(path);
    assert.ok(entries.length > 4000, String(entries.length));
    assert.equal(hourOf(entries.at(-1)?.time ?? 0), hourOf(NOON + 59 * 3600));
  });

  test('while it cannot be written, no more than a bound of messages waits', async () => {
    const path = freshPath();
    let isFull = true;
    const recorder = new Recorder({
      open: async () => {
        if (isFull) throw failure('HISTORY', { path, reason: 'no space left on device' });
        return HistoryFile.open(path, 64 * MIB, () => undefined);
      },
      serial: 1,
      age: 1e9,
      warn: () => undefined,
    });
    for (let n = 0; n < 70_000; n++) {
      recorder.note([[`mx ${n}`, { ids: [`mx ${n}`] }]]);
      if (n % 30_000 === 0) await recorder.commit(NOON + n);
    }
    isFull = false;
    await recorder.close(NOON + 70_000);
    const file = await HistoryFile.openForReading(path);
    const messages = await file.messages();
    await file.close();
    assert.equal(messages.length, 65_536);
    assert.ok(messages.some(one => JSON.stringify(one) === '{"ids":["mx 69999"]}'));
  });

  test('what cannot be written is told once, kept, and written later', async () => {
    const path = freshPath();
    const warnings: string[] = [];
    let isFull = true;
    const recorder = new Recorder({
      open: async () => {
        if (isFull) throw failure('HISTORY', { path, reason: 'no space left on device' });
        return HistoryFile.open(path, 64 * MIB, text => warnings.push(text));
      },
      serial: 1,
      age: 1e9,
      warn: text => void warnings.push(text),
    });
    recorder.add(login(NOON));
    for (let n = 0; n < 200; n++) await recorder.commit(NOON + n);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /no space left/);
    isFull = false;
    recorder.add(login(NOON + 1));
    await recorder.commit(NOON + 300);
    assert.match(warnings[1] ?? '', /can be written again$/);
    await recorder.close(NOON + 301);
    assert.deepEqual(await entriesIn(path), [login(NOON), login(NOON + 1)]);
  });

  test('what waits is bounded', async () => {
    const warnings: string[] = [];
    const recorder = new Recorder({
      open: () => Promise.reject(failure('HISTORY', { path: '/x', reason: 'no' })),
      serial: 1,
      age: 1e9,
      warn: text => void warnings.push(text),
    });
    for (let n = 0; n < 100_000; n++)
      recorder.add({ ...login(NOON + (n % 3600)), user: `${n}`.padStart(100, 'u') });
    await recorder.close(NOON);
    assert.equal(warnings.length, 1);
  });
});

test('a file that is none is an error with its name; one that ended the program is moved away', async () => {
  const path = freshPath();
  await assertRejects(HistoryFile.openForReading(path), 'HISTORY_MISSING', path);
  writeFileSync(path, 'x'.repeat(100_000));
  await assertRejects(
    HistoryFile.open(path, 64 * MIB, () => undefined),
    'HISTORY',
    path,
  );
  writeFileSync(`${path}-opening`, '');
  const warnings: string[] = [];
  const file = await HistoryFile.open(path, 64 * MIB, text => void warnings.push(text));
  await file.close();
  assert.match(warnings[0] ?? '', /-damaged$/);
});
