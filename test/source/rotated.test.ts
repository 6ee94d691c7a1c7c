import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { basesOf, rotatedFiles } from '../../src/source/rotated.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'popbsmtp-test-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

/** Made in an order that says nothing. */
function make(names: readonly string[]): void {
  for (const name of [...names].sort()) writeFileSync(join(directory, name), '');
}

const listed = (name: string): string[] =>
  rotatedFiles(join(directory, name), []).map(({ path }) => basename(path));

for (const [what, log, newestFirst] of [
  [
    'numbers',
    'mail.log',
    ['mail.log.1', 'mail.log.2.gz', 'mail.log.3.xz', 'mail.log.4.bz2', 'mail.log.10.zst'],
  ],
  ['numbers from 0', 'maillog', ['maillog.0', 'maillog.1']],
  ['dates', 'maillog', ['maillog-20260322', 'maillog-20260315', 'maillog-20251228.gz']],
  ['hours', 'maillog', ['maillog-2026032211', 'maillog-2026032210']],
  ['dates and seconds', 'maillog', ['maillog-20260322-1774137600', 'maillog-20260322-1774134000']],
  ['dates with hyphens', 'mail', ['mail.2026-03-22', 'mail.2026-03-15']],
  [
    'labels of a supervisor’s logger',
    'current',
    [
      '@400000006ab2f0a112345678.u',
      '@400000006ab2f0a012345679.s',
      '@400000006ab2f0a012345678.s.gz',
    ],
  ],
  ['dates before the extension', 'mail.log', ['mail-20260322.log', 'mail-20260315.log.gz']],
] as const) {
  test(`${what}: newest first`, () => {
    make([log, ...newestFirst]);
    assert.deepEqual(listed(log), newestFirst);
  });
}

test('other logs, and other files, are not taken for rotated ones', () => {
  make([
    'mail',
    'mail.err',
    'mail.log',
    'mail.log.1',
    'mail.info-20260322',
    'mail.1.swp',
    'mail.1',
  ]);
  assert.deepEqual(listed('mail'), ['mail.1']);
  make([
    ...['@400000006ab2f0a012345678', '@400000006ab2f0a012345678.t', '@400000006ab2f0a01234567.s'],
    ...[
      '@400000006ab2f0a012345678.s',
      'current',
      'lock',
      'newstate',
      'previous',
      'state',
      'config',
    ],
  ]);
  assert.deepEqual(listed('mail'), ['mail.1']);
  assert.deepEqual(listed('current'), ['@400000006ab2f0a012345678.s']);
  assert.deepEqual(listed('mail.log'), ['mail.log.1']);
});

test('a file that is being compressed is listed once', () => {
  make(['mail.log', 'mail.log.1', 'mail.log.1.gz']);
  assert.deepEqual(listed('mail.log'), ['mail.log.1']);
});

test('names that tell no order go by their last change', () => {
  make(['mail.log-22032026', 'mail.log-01042026', 'mail.log-31122025']);
  for (const [name, time] of [
    ['mail.log-31122025', 1],
    ['mail.log-22032026', 2],
    ['mail.log-01042026', 3],
  ] as const)
    utimesSync(join(directory, name), time, time);
  assert.deepEqual(listed('mail.log'), [
    'mail.log-01042026',
    'mail.log-22032026',
    'mail.log-31122025',
  ]);
});

test('those beside the file that a link names are found too', () => {
  mkdirSync(join(directory, 'elsewhere'));
  make(['elsewhere/mail', 'elsewhere/mail.1']);
  symlinkSync(join(directory, 'elsewhere', 'mail'), join(directory, 'mail.log'));
  assert.deepEqual(listed('mail.log'), ['mail.1']);
});

test('a directory that is not there holds none', () => {
  assert.deepEqual(listed('missing/mail.log'), []);
});

test('those in other directories, however named, are among them', () => {
  const old = join(directory, 'old');
  mkdirSync(old);
  make(['mail.log', 'mail.log.1', 'mail.log.3.gz']);
  for (const name of ['mail.log.2', 'mail.log.4.xz', 'other.log.1', 'mail.log'])
    writeFileSync(join(old, name), '');
  for (const olddirs of [['old'], [old], ['none', './old/', old]])
    assert.deepEqual(
      rotatedFiles(join(directory, 'mail.log'), olddirs).map(({ path }) => basename(path)),
      ['mail.log.1', 'mail.log.2', 'mail.log.3.gz', 'mail.log.4.xz'],
    );
});

test('those of one number go by their last change', () => {
  const old = join(directory, 'old');
  mkdirSync(old);
  make(['mail.log', 'mail.log.1']);
  const newer = join(old, 'mail.log.1');
  writeFileSync(newer, '');
  utimesSync(join(directory, 'mail.log.1'), 1, 1);
  assert.equal(rotatedFiles(join(directory, 'mail.log'), ['old'])[0]?.path, newer);
});

for (const [name, bases] of [
  ['mail.log.1', ['mail.log']],
  ['mail.log.12.gz', ['mail.log']],
  ['mail.log-20260322', ['mail.log']],
  ['mail.log-20260322.xz', ['mail.log']],
  ['mail-20260322.log', ['mail.log']],
  ['mail-20260322.log.zst', ['mail.log']],
  ['mail.2026-03-22', ['mail']],
  ['mail.log-22032026', ['mail.log']],
  ['maillog-2026032211', ['maillog']],
  ['maillog-20260322-1774137600', ['maillog', 'maillog-20260322']],
  ['@400000006ab2f0a012345678.s', ['current']],
  ['@400000006ab2f0a012345678.u', ['current']],
  ['@400000006ab2f0a012345678', []],
  ['mail.log', []],
  ['mx-2.log', []],
  ['mx-2', []],
  ['mail.log.gz', []],
  ['20260322', []],
  ['.1', []],
] as const)
  test(`${name} may have been rotated from ${bases.join(' or ') || 'nothing'}`, () =>
    assert.deepEqual(new Set(basesOf(name)), new Set(bases)));
