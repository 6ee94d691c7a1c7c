import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { IpText } from '../../src/base/address.ts';
import { type Failure, failure } from '../../src/base/errors.ts';
import { hourOf } from '../../src/history/block.ts';
import { type Entry, entryOf } from '../../src/history/entry.ts';
import { HistoryFile } from '../../src/history/history-file.ts';
import { Recorder, type WrittenFile } from '../../src/history/recorder.ts';
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
    open: () => HistoryFile.open(path, { most: parts.most ?? 64 * MIB, warn }),
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
        return HistoryFile.open(path, { most: 64 * MIB, warn: () => undefined });
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
        return HistoryFile.open(path, { most: 64 * MIB, warn: text => warnings.push(text) });
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

describe('a file that others lock', () => {
  const locked = () => failure('HISTORY_LOCKED', { path: '/x', holder: 'pid 7 (less)' });

  /** A file of which each write ends as `outcome` says. */
  function recorderOf(outcome: { error: Failure | null; isSpent?: boolean; isReplaced?: boolean }) {
    const warnings: string[] = [];
    const seen = { opened: 0, closed: 0, failed: 0, written: 0 };
    const file = (): WrittenFile => ({
      get isSpent() {
        return outcome.isSpent === true;
      },
      get isReplaced() {
        return outcome.isReplaced === true;
      },
      write: async () => {
        if (outcome.error !== null) throw outcome.error;
        seen.written++;
      },
      trim: async () => false,
      close: async () => void seen.closed++,
    });
    const recorder = new Recorder({
      open: async () => {
        seen.opened++;
        return file();
      },
      serial: 1,
      age: 1e9,
      warn: text => void warnings.push(text),
      failed: () => void seen.failed++,
    });
    return { recorder, warnings, seen };
  }

  test('for a moment costs nothing, and is tried again at once', async () => {
    const outcome: { error: Failure | null } = { error: locked() };
    const { recorder, warnings, seen } = recorderOf(outcome);
    recorder.add(login(NOON));
    for (let second = 0; second < 10; second++) await recorder.commit(NOON + second);
    outcome.error = null;
    await recorder.commit(NOON + 10);
    assert.deepEqual([warnings, seen.failed, seen.written], [[], 0, 1]);
    await recorder.close(NOON + 11);
    assert.deepEqual(warnings, []);
  });

  test('for long is told once, with who it is', async () => {
    const outcome: { error: Failure | null } = { error: locked() };
    const { recorder, warnings } = recorderOf(outcome);
    recorder.add(login(NOON));
    for (let second = 0; second < 300; second++) await recorder.commit(NOON + second);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /locked by pid 7 \(less\)/);
    outcome.error = null;
    await recorder.commit(NOON + 300);
    assert.match(warnings[1] ?? '', /can be written again$/);
  });

  test('another failure is told as such, each once, and counted at each try', async () => {
    const outcome: { error: Failure | null } = { error: null };
    const { recorder, warnings, seen } = recorderOf(outcome);
    const reasons = ['HISTORY', 'HISTORY_FULL'] as const;
    for (const [round, code] of reasons.entries()) {
      outcome.error = failure(code, { path: '/x', reason: 'no' });
      for (let second = 0; second < 600; second++) {
        recorder.add(login(NOON));
        await recorder.commit(NOON + 1000 * round + second);
      }
    }
    assert.equal(warnings.length, 2);
    assert.equal(seen.failed, 20);
  });

  test('one that is there no more is opened anew', async () => {
    const outcome = { error: null, isReplaced: false };
    const { recorder, seen } = recorderOf(outcome);
    recorder.add(login(NOON));
    await recorder.commit(NOON);
    outcome.isReplaced = true;
    recorder.add(login(NOON + 1));
    await recorder.commit(NOON + 1);
    assert.deepEqual([seen.opened, seen.closed, seen.written], [2, 1, 2]);
  });

  test('one that takes no more is opened anew, a few times a day', async () => {
    const error = failure('HISTORY', { path: '/x', reason: 'MDB_PANIC' });
    const { recorder, seen, warnings } = recorderOf({ error, isSpent: true });
    for (let minute = 0; minute < 1440; minute++) {
      recorder.add(login(NOON));
      await recorder.commit(NOON + 61 * minute);
    }
    assert.ok(seen.opened > 20 && seen.opened < 40, String(seen.opened));
    assert.equal(warnings.length, 1);
  });
});

test('a file that is none is an error with its name; one that ended the program is moved away', async () => {
  const path = freshPath();
  await assertRejects(HistoryFile.openForReading(path), 'HISTORY_MISSING', path);
  writeFileSync(path, 'x'.repeat(100_000));
  await assertRejects(
    HistoryFile.open(path, { most: 64 * MIB, warn: () => undefined }),
    'HISTORY',
    path,
  );
  writeFileSync(`${path}-opening`, '');
  const warnings: string[] = [];
  const file = await HistoryFile.open(path, {
    most: 64 * MIB,
    warn: text => void warnings.push(text),
  });
  await file.close();
  assert.match(warnings[0] ?? '', /-damaged$/);
});
