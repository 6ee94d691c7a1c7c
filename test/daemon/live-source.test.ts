/** A mail log that is dead beside a journal that is not. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, afterEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type EpochSeconds, epoch } from '../../src/base/clock.ts';
import {
  journalAhead,
  type NewestLogin,
  newestJournalLogin,
} from '../../src/daemon/live-source.ts';
import { LOCAL } from '../../src/line/zone.ts';
import { loadPatterns } from '../../src/recogniser/load.ts';
import { noticeLine } from '../../src/report/log-line.ts';

const registry = await loadPatterns({ directory: '/nonexistent', explicit: false });
const directory = mkdtempSync(join(tmpdir(), 'popbsmtp-test-'));
const PATH = process.env['PATH'] ?? '';
after(() => rmSync(directory, { recursive: true }));
afterEach(() => {
  process.env['PATH'] = PATH;
});

const READING = { journalTrust: 'declared', journalMatch: [], watchlogZone: LOCAL } as const;
const NOW = epoch(1_795_000_000);
const HOUR = 3600;
const log = join(directory, 'mail.log');
mkdirSync(join(directory, 'old'));

function fileOf(content: string | Buffer, modified: EpochSeconds, path = log): string {
  writeFileSync(path, content);
  utimesSync(path, modified, modified);
  return path;
}

/** Whether the journal is ahead; `unasked` if that was clear without it. */
async function ahead(content: string, age: number, loginAge: number | null): Promise<string> {
  let asked = false;
  const newest = (): Promise<NewestLogin | null> => {
    asked = true;
    const time = loginAge === null ? null : epoch(NOW - loginAge);
    return Promise.resolve(time && { server: 'dovecot', time });
  };
  const found = await journalAhead(fileOf(content, epoch(NOW - age)), ['old'], NOW, newest);
  if (!asked) return 'unasked';
  return found === null ? 'file' : 'journal';
}

for (const [what, content, age, loginAge, expected] of [
  ['written to just now', 'x\n', 10, 0, 'unasked'],
  ['a year old, with logins in the journal', 'x\n', 365 * 24 * HOUR, 20, 'journal'],
  ['an hour old, and the last login was then', 'x\n', HOUR, HOUR, 'file'],
  ['an hour old, and syslog is a little late', 'x\n', HOUR, HOUR - 30, 'file'],
  ['an hour old, with a login since', 'x\n', HOUR, HOUR - 600, 'journal'],
  ['old, without a login in the journal', 'x\n', HOUR, null, 'file'],
  ['empty since a day', '', 24 * HOUR, 60, 'journal'],
  ['empty, and made just now, with logins in the journal', '', 5, 20, 'journal'],
  ['empty, and made just now, with no login in the journal', '', 5, null, 'file'],
] as const)
  test(`a log that is ${what}: ${expected}`, async () => {
    assert.equal(await ahead(content, age, loginAge), expected);
  });

for (const [what, name, content, age, loginAge, expected] of [
  ['was written to just now', 'mail.log.1', 'x\n', 10, 5, 'unasked'],
  ['has the last login', 'mail.log-20261127', 'x\n', HOUR, HOUR - 30, 'file'],
  ['is older than a login', 'mail.log.1', 'x\n', HOUR, 20, 'journal'],
  ['is compressed, and has the last login', 'mail.log.1.gz', gzipSync('x\n'), HOUR, HOUR, 'file'],
  ['is in another directory', 'old/mail.log.1', 'x\n', 10, 5, 'unasked'],
  ['is empty as well', 'mail.log.1', '', 10, 20, 'journal'],
  ['is compressed, and empty as well', 'mail.log.1.gz', gzipSync(''), 10, 20, 'journal'],
] as const)
  test(`an empty log is as fresh as the file that it was rotated to, which ${what}: ${expected}`, async () => {
    const rotated = fileOf(content, epoch(NOW - age), join(directory, name));
    try {
      assert.equal(await ahead('', 5, loginAge), expected);
    } finally {
      rmSync(rotated);
    }
  });

test('a log that is not there is not behind', async () => {
  const none = await journalAhead(join(directory, 'none'), [], NOW, () => assert.fail('asked'));
  assert.equal(none, null);
});

describe('the newest login in the journal', () => {
  const entry = (uid: number, message: string, seconds: number): string =>
    JSON.stringify({
      __CURSOR: `s=1;t=${seconds}`,
      __REALTIME_TIMESTAMP: `${seconds}000000`,
      SYSLOG_IDENTIFIER: 'dovecot',
      MESSAGE: message,
      _HOSTNAME: 'mx',
      _UID: `${uid}`,
      _TRANSPORT: 'syslog',
      PRIORITY: '6',
    });
  const login =
    'imap-login: Login: user=<anna>, method=PLAIN, rip=198.51.100.9, lip=192.0.2.5, mpid=99, TLS';

  const newestOf = async (...entries: string[]): Promise<NewestLogin | null> => {
    const bin = mkdtempSync(join(directory, 'bin-'));
    const script = `#!/bin/sh\ncase "$*" in *--lines=0*) exit 0;; esac\ncat <<'END'\n${entries.join('\n')}\nEND\n`;
    writeFileSync(join(bin, 'journalctl'), script, { mode: 0o755 });
    process.env['PATH'] = [bin, PATH].join(delimiter);
    return newestJournalLogin(registry, READING);
  };

  test('is the last one in the words of the server itself', async () => {
    const found = await newestOf(
      entry(0, login, 1_794_000_000),
      entry(0, 'imap-login: Disconnected', 1_794_000_050),
      entry(65_534, login, 1_794_000_100),
    );
    assert.deepEqual(found, { server: 'dovecot', time: 1_794_000_000 });
  });

  test('is none where there is none, and where there is no journal', async () => {
    assert.equal(await newestOf(), null);
    process.env['PATH'] = mkdtempSync(join(directory, 'empty-'));
    assert.equal(
      await newestJournalLogin(registry, READING).then(found => found?.server),
      undefined,
    );
  });
});

test('the choice is told, and why', () => {
  const notice = { kind: 'preferred', path: 'journal', over: '/var/log/mail.log' } as const;
  const times = { modified: epoch(NOW - HOUR), login: NOW, server: 'dovecot' };
  const { level, text } = noticeLine({ ...notice, ...times, isEmpty: true });
  assert.equal(level, 'warn');
  assert.match(text, /^watching the journal, since \/var\/log\/mail\.log is empty and .* dovecot /);
});
