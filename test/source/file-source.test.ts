import assert from 'node:assert/strict';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { MAX_LINE } from '../../src/line/length.ts';
import { FileSource } from '../../src/source/file-source.ts';
import type { Notice } from '../../src/source/source.ts';
import type { StartPosition } from '../../src/source/start.ts';
import { waitFor } from '../real/wait.ts';

let directory: string;
let log: string;
let lines: string[];
let notices: Notice[];
let source: FileSource | null;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'popbsmtp-test-'));
  log = join(directory, 'mail.log');
  lines = [];
  notices = [];
  source = null;
});

afterEach(async () => {
  await source?.stop();
  rmSync(directory, { recursive: true });
});

function follow(startAt: StartPosition = () => 0): void {
  const receiver = {
    lines: async (batch: readonly string[]) => void lines.push(...batch),
    notice: (notice: Notice) => void notices.push(notice),
  };
  source = new FileSource(log, receiver, startAt);
  source.start();
}

async function seen(expected: readonly string[]): Promise<void> {
  await waitFor(`${expected.length} lines`, () => lines.length >= expected.length, {
    seen: () => `${lines.join()} ${JSON.stringify(notices)}`,
  });
  assert.deepEqual(lines, expected);
}

const told = (kind: Notice['kind']): Promise<unknown> =>
  waitFor(`the notice ${kind}`, () => notices.some(notice => notice.kind === kind), {
    seen: () => JSON.stringify(notices),
  });

describe('a growing file', () => {
  test('is read from where it is told, and followed', async () => {
    writeFileSync(log, 'old\nnew\n');
    follow(() => 4);
    await seen(['new']);
    appendFileSync(log, 'newer\n');
    await seen(['new', 'newer']);
  });

  test('gives a line once it is complete', async () => {
    writeFileSync(log, '');
    follow();
    appendFileSync(log, 'half');
    appendFileSync(log, 'other\nha');
    await seen(['halfother']);
    appendFileSync(log, 'lf\n');
    await seen(['halfother', 'half']);
  });

  test('may hold any bytes, and lines of any length', async () => {
    writeFileSync(log, Buffer.from('caf\xe9 \xff\xfe\n', 'latin1'));
    appendFileSync(log, `${'x'.repeat(MAX_LINE + 1)}\nafter\n`);
    follow();
    await seen(['caf\xe9 \xff\xfe', '', 'after']);
    await told('too long');
  });

  test('hands over nothing more while the receiver is busy, and loses nothing by it', async () => {
    writeFileSync(log, '');
    let busy = 0;
    const receiver = {
      lines: async (batch: readonly string[]) => {
        busy++;
        assert.equal(busy, 1);
        await new Promise(resolve => setImmediate(resolve));
        lines.push(...batch);
        busy--;
      },
      notice: () => undefined,
    };
    source = new FileSource(log, receiver, () => 0);
    source.start();
    const expected = Array.from({ length: 2000 }, (_, index) => `line ${index}`);
    for (const line of expected) appendFileSync(log, `${line}\n`);
    await seen(expected);
  });
});

describe('a file that is not there', () => {
  test('is waited for, and read from its beginning', async () => {
    follow(() => 0);
    await told('missing');
    writeFileSync(log, 'first\n');
    await seen(['first']);
    assert.equal(notices.filter(({ kind }) => kind === 'missing').length, 1);
  });

  test('may come with its directory', async () => {
    log = join(directory, 'later', 'mail.log');
    follow();
    await told('missing');
    mkdirSync(join(directory, 'later'));
    writeFileSync(log, 'first\n');
    await seen(['first']);
  });
});

describe('rotation', () => {
  test('by rename: the old file is read to its end, then the new one', async () => {
    writeFileSync(log, 'one\n');
    follow();
    await seen(['one']);
    renameSync(log, `${log}.1`);
    appendFileSync(`${log}.1`, 'two\n');
    writeFileSync(log, 'three\n');
    await seen(['one', 'two', 'three']);
    await told('rotated');
  });

  test('by rename: what a slow writer adds to the old file afterwards is read too', async () => {
    const writer = openSync(log, 'a');
    writeSync(writer, 'one\n');
    follow();
    await seen(['one']);
    renameSync(log, `${log}.1`);
    writeFileSync(log, 'two\n');
    await seen(['one', 'two']);
    writeSync(writer, 'late\n');
    closeSync(writer);
    await seen(['one', 'two', 'late']);
    appendFileSync(log, 'three\n');
    await seen(['one', 'two', 'late', 'three']);
  });

  test('by rename, again and again', async () => {
    writeFileSync(log, 'line 0\n');
    follow();
    const expected = ['line 0'];
    for (let count = 1; count <= 20; count++) {
      await seen(expected);
      renameSync(log, `${log}.${count}`);
      writeFileSync(log, `line ${count}\n`);
      expected.push(`line ${count}`);
    }
    await seen(expected);
  });

  test('by removal: the next file is read from its beginning', async () => {
    writeFileSync(log, 'one\n');
    follow();
    await seen(['one']);
    unlinkSync(log);
    writeFileSync(`${log}.new`, 'two\n');
    renameSync(`${log}.new`, log);
    await seen(['one', 'two']);
  });

  test('by truncation: the file is read from its beginning', async () => {
    writeFileSync(log, 'one and more\n');
    follow();
    await seen(['one and more']);
    truncateSync(log);
    await told('truncated');
    appendFileSync(log, 'two\n');
    await seen(['one and more', 'two']);
  });

  test('of the whole directory', async () => {
    const inner = join(directory, 'inner');
    mkdirSync(inner);
    log = join(inner, 'mail.log');
    writeFileSync(log, 'one\n');
    follow();
    await seen(['one']);
    renameSync(inner, join(directory, 'gone'));
    mkdirSync(inner);
    writeFileSync(log, 'two\n');
    await seen(['one', 'two']);
    appendFileSync(log, 'three\n');
    await seen(['one', 'two', 'three']);
  });

  test('by a symbolic link that is switched', async () => {
    mkdirSync(join(directory, 'elsewhere'));
    const [first, second] = ['a', 'b'].map(name => join(directory, 'elsewhere', name));
    writeFileSync(String(first), 'one\n');
    writeFileSync(String(second), 'two\n');
    symlinkSync(String(first), log);
    follow();
    await seen(['one']);
    symlinkSync(String(second), `${log}.new`);
    renameSync(`${log}.new`, log);
    await seen(['one', 'two']);
    appendFileSync(String(second), 'three\n');
    await seen(['one', 'two', 'three']);
  });
});

describe('a stop', () => {
  test('ends the delivery, in the middle of a file as well', async () => {
    writeFileSync(log, 'line\n'.repeat(300_000));
    let stopped = false;
    let batches = 0;
    const receiver = {
      lines: async () => {
        assert.ok(!stopped);
        batches++;
        await new Promise(resolve => setImmediate(resolve));
      },
      notice: () => undefined,
    };
    source = new FileSource(log, receiver, () => 0);
    source.start();
    await waitFor('the first lines', () => batches > 0);
    await source.stop();
    stopped = true;
    const after = batches;
    appendFileSync(log, 'line\n');
    await source.look();
    assert.equal(batches, after);
  });

  test('waits for what is being dealt with', async () => {
    writeFileSync(log, 'one\n');
    let deal: () => void = () => undefined;
    const dealt = new Promise<void>(resolve => {
      deal = resolve;
    });
    let asked = false;
    const receiver = {
      lines: () => {
        asked = true;
        return dealt;
      },
      notice: () => undefined,
    };
    source = new FileSource(log, receiver, () => 0);
    source.start();
    await waitFor('the first line', () => asked);
    const stopped = source.stop().then(() => source?.place?.position);
    deal();
    assert.equal(await stopped, 4);
  });
});
