import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Place } from '../../src/source/place.ts';
import type { Notice } from '../../src/source/source.ts';
import { parseWildcard } from '../../src/source/wildcard.ts';
import { WildcardSource } from '../../src/source/wildcard-source.ts';
import { waitFor } from '../real/wait.ts';

let directory: string;
/** `FILE: LINE`, as they came. */
let lines: string[];
let notices: Notice[];
let source: WildcardSource | null;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'popbsmtp-test-'));
  lines = [];
  notices = [];
  source = null;
});

afterEach(async () => {
  await source?.stop();
  rmSync(directory, { recursive: true });
});

const at = (name: string): string => join(directory, name);
const write = (name: string, ...texts: readonly string[]): void =>
  appendFileSync(at(name), texts.map(text => `${text}\n`).join(''));
const named = (path: string): string => path.slice(directory.length + 1);
const told = (kind: Notice['kind']): readonly Notice[] =>
  notices.filter(notice => notice.kind === kind);

interface Options {
  readonly places?: ReadonlyMap<string, Place>;
  readonly others?: readonly string[];
  readonly most?: number;
  readonly awayMs?: number;
}

/** Resolves when what is there at the start is followed. */
async function follow(
  wildcard: string,
  { places = new Map(), others = [], ...options }: Options = {},
): Promise<WildcardSource> {
  const receiverOf = (path: string) => ({
    lines: async (batch: readonly string[]) =>
      void lines.push(...batch.map(line => `${named(path)}: ${line}`)),
    notice: (notice: Notice) => void notices.push(notice),
  });
  const started = new WildcardSource({
    wildcard: parseWildcard(at(wildcard)),
    receiver: receiverOf(at(wildcard)),
    receiverOf,
    startAt: () => 0,
    places,
    olddirs: ['old'],
    isOthers: path => others.includes(named(path)),
    ...options,
  });
  source = started;
  started.start();
  await waitFor('the files', () => told('matched').length > 0);
  return started;
}

/** Of files that have no order between them. */
async function seen(...expected: readonly string[]): Promise<void> {
  await waitFor(`${expected.length} lines`, () => lines.length >= expected.length, {
    seen: () => `${lines.join()} ${JSON.stringify(notices)}`,
  });
  assert.deepEqual(lines.toSorted(), expected.toSorted());
}

describe('files that match', () => {
  test('are all followed, and no others', async () => {
    write('a.log', '1');
    write('b.log', '2');
    write('c.txt', '3');
    mkdirSync(at('d.log'));
    write('e\n.log', '6');
    await follow('*.log');
    await seen('a.log: 1', 'b.log: 2');
    assert.deepEqual(told('matched'), [{ kind: 'matched', path: at('*.log'), count: 2 }]);
    write('a.log', '4');
    write('b.log', '5');
    await seen('a.log: 1', 'b.log: 2', 'a.log: 4', 'b.log: 5');
  });

  test('are read whole when they come later', async () => {
    write('a.log', '1');
    await follow('*.log');
    write('b.log', '2', '3');
    await seen('a.log: 1', 'b.log: 2', 'b.log: 3');
    write('new', '4', '5');
    renameSync(at('new'), at('c.log'));
    await seen('a.log: 1', 'b.log: 2', 'b.log: 3', 'c.log: 4', 'c.log: 5');
    write('c.log', '6');
    await waitFor('the last', () => lines.includes('c.log: 6'));
  });

  test('may come with their directories, and these with theirs', async () => {
    await follow('*/mail/*.log');
    assert.equal(told('matched').length, 1);
    mkdirSync(at('mx1/mail'), { recursive: true });
    write('mx1/mail/a.log', '1');
    mkdirSync(at('mx2'));
    await seen('mx1/mail/a.log: 1');
    mkdirSync(at('mx2/mail'));
    write('mx2/mail/a.log', '2');
    await seen('mx1/mail/a.log: 1', 'mx2/mail/a.log: 2');
    rmSync(at('mx2'), { recursive: true });
    mkdirSync(at('mx2/mail'), { recursive: true });
    write('mx2/mail/b.log', '3');
    await seen('mx1/mail/a.log: 1', 'mx2/mail/a.log: 2', 'mx2/mail/b.log: 3');
  });

  test('may be none at first, which is told once and is no error', async () => {
    await follow('none/*.log');
    assert.deepEqual(notices, [{ kind: 'matched', path: at('none/*.log'), count: 0 }]);
    mkdirSync(at('none'));
    write('none/a.log', '1');
    await seen('none/a.log: 1');
    assert.deepEqual(
      notices.map(({ kind }) => kind),
      ['matched', 'opened'],
    );
  });

  test('are let go when they are gone, and read anew when they come back', async () => {
    write('a.log', '1');
    const started = await follow('*.log', { awayMs: 0 });
    await seen('a.log: 1');
    rmSync(at('a.log'));
    await waitFor('the end', () => told('let go').length > 0);
    assert.deepEqual([...started.places()], []);
    assert.deepEqual(told('missing'), []);
    write('a.log', '2');
    await seen('a.log: 1', 'a.log: 2');
  });

  test('are left to whoever else follows them, and links to those that match', async () => {
    write('a.log', '1');
    write('b.log', '2');
    symlinkSync('b.log', at('latest.log'));
    write('elsewhere', '3');
    symlinkSync('elsewhere', at('other.log'));
    await follow('*.log', { others: ['a.log'] });
    await seen('b.log: 2', 'other.log: 3');
  });

  test('are followed up to a number, and the rest is told once', async () => {
    for (const name of ['a', 'b', 'c', 'd']) write(`${name}.log`, name);
    await follow('*.log', { most: 2 });
    await waitFor('two lines', () => lines.length === 2);
    assert.deepEqual(told('too many'), [{ kind: 'too many', path: at('*.log'), most: 2 }]);
    write('e.log', 'e');
    for (const name of ['a', 'b', 'c', 'd']) write(`${name}.log`, `${name}2`);
    await waitFor('four lines', () => lines.length === 4);
    assert.equal(told('too many').length, 1);
  });
});

describe('files that were rotated', () => {
  for (const [what, wildcard, rotated] of [
    ['by number', 'mail.log*', 'mail.log.1'],
    ['by date', 'mail*', 'mail.log-20261127'],
    ['by date before the extension', '*.log', 'mail-20261127.log'],
    ['into another directory', '*.log', 'old/mail.log.1'],
  ] as const)
    test(`${what} are no logs of their own`, async () => {
      mkdirSync(at('old'));
      write('mail.log', '1');
      await follow(wildcard);
      await seen('mail.log: 1');
      write('mail.log', '2');
      renameSync(at('mail.log'), at(rotated));
      write(rotated, '3');
      write('mail.log', '4');
      await seen('mail.log: 1', 'mail.log: 2', 'mail.log: 3', 'mail.log: 4');
      writeFileSync(at('mail.log.2.gz'), gzipSync('5\n'));
      write('other.log', '6');
      if (wildcard === '*.log') await waitFor('the other', () => lines.includes('other.log: 6'));
      write('mail.log', '7');
      await waitFor('the last', () => lines.includes('mail.log: 7'));
      assert.ok(!lines.some(line => line.endsWith('5')), lines.join());
      assert.ok(lines.every(line => /^(mail|other)\.log: /.test(line)));
    });

  test('while nobody looked are read on, each line once', async () => {
    write('a.log', '1');
    write('b.log', '2');
    const before = await follow('*.log*');
    await seen('a.log: 1', 'b.log: 2');
    await before.stop();
    const places = before.places();
    write('a.log', '3');
    renameSync(at('a.log'), at('a.log.1'));
    write('a.log', '4');
    // No new one has been made of this.
    write('b.log', '5');
    renameSync(at('b.log'), at('b.log.1'));
    write('c.log', '6');
    notices = [];
    await follow('*.log*', { places });
    await seen('a.log: 1', 'b.log: 2', 'a.log: 3', 'a.log: 4', 'b.log: 5', 'c.log: 6');
    write('b.log', '7');
    await waitFor('the last', () => lines.includes('b.log: 7'));
    assert.equal(lines.length, 7, lines.join());
    assert.deepEqual(told('place lost'), []);
  });

  test('hold on to their log while it is away', async () => {
    write('mail.log', '1');
    write('other.log', '2');
    await follow('*.log*', { awayMs: 0 });
    await seen('mail.log: 1', 'other.log: 2');
    renameSync(at('mail.log'), at('mail.log-20261127'));
    rmSync(at('other.log'));
    await waitFor('the end of the other', () => told('let go').length > 0);
    write('mail.log-20261127', '3');
    write('mail.log', '4');
    await seen('mail.log: 1', 'other.log: 2', 'mail.log: 3', 'mail.log: 4');
    assert.deepEqual(told('let go'), [{ kind: 'let go', path: at('other.log') }]);
  });
});

test('hosts that are numbered are no rotated files of each other', async () => {
  for (const name of ['mx', 'mx-1', 'mx-2']) write(`${name}.log`, name);
  await follow('*.log');
  await seen('mx.log: mx', 'mx-1.log: mx-1', 'mx-2.log: mx-2');
});
