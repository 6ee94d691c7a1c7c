/**
 * The manual pages in the real formatters, which complain of nothing, and say what `--help` says.
 */
import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { COMMAND_NAMES } from '../../src/options/commands.ts';
import { OPTION_NAMES, specOf } from '../../src/options/options.ts';
import { manualFiles } from '../../src/packaging/manual/manual.ts';
import { popbsmtp } from './popbsmtp.ts';
import { mustRun, runProgram } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';

const WRITE = join(import.meta.dirname, '../../src/packaging/manual/write.js');
const PAGES = [
  'man/man8/popbsmtp.8',
  'man/man5/popbsmtp.toml.5',
  'man/man5/popbsmtp-log.5',
  'man/man7/popbsmtp-fleet.7',
  'man/man7/popbsmtp-migrate.7',
  'man/man7/popbsmtp-mta.7',
];
const DAY = { SOURCE_DATE_EPOCH: '1774137600' };

const rig = new Rig();
let share: string;

before(async () => {
  share = await rig.directory();
  await mustRun(process.execPath, [WRITE, share], { env: DAY });
});
after(() => rig.close());

/** Words with single blanks between them, and nothing printed twice over itself to be bold. */
const flat = (text: string): string =>
  text
    .split('\b')
    .map((part, index, all) => (index === all.length - 1 ? part : part.slice(0, -1)))
    .join('')
    .replace(/\s+/g, ' ');

test('npm run manual writes every file, the same twice', async () => {
  const again = await rig.directory();
  await mustRun(process.execPath, [WRITE, again], { env: DAY });
  for (const name of manualFiles({ version: '1', date: new Date() }).keys()) {
    assert.ok((await stat(join(share, name))).size > 0, name);
  }
  assert.equal(await mustRun('diff', ['-r', share, again]), '');
});

describe('mandoc', { skip: requirePrograms(['mandoc']) }, () => {
  for (const page of PAGES) {
    test(`finds nothing to warn of in ${page}`, async () => {
      const found = await runProgram('mandoc', ['-Tlint', '-W', 'warning', join(share, page)]);
      assert.deepEqual(found, { code: 0, stdout: '', stderr: '' });
    });
  }

  test('prints what the help says of each option, and every command', async () => {
    const page = flat(
      await mustRun('mandoc', ['-Tascii', '-O', 'width=1000', join(share, PAGES[0] ?? '')]),
    );
    for (const command of COMMAND_NAMES) {
      const { stdout } = await popbsmtp(command, '--help');
      const [, usage = ''] = /^Usage: popbsmtp (.*?)(?: \[OPTION\.\.\.\])?$/m.exec(stdout) ?? [];
      assert.ok(page.includes(usage), usage);
      for (const [term] of stdout.matchAll(/(?<=^ {2})--[a-z-]+(?: [A-Z:]+)?(?=\s)/gm)) {
        assert.ok(page.includes(` ${term} `), `${command}: ${term}`);
      }
    }
    for (const name of OPTION_NAMES) {
      const { about } = specOf(name);
      assert.ok(page.includes(about.slice(1)), about);
    }
  });
});

describe('groff', { skip: requirePrograms(['groff']) }, () => {
  for (const page of PAGES) {
    test(`formats ${page} without a warning`, async () => {
      const { code, stdout, stderr } = await runProgram('groff', [
        '-mandoc',
        '-Tutf8',
        '-ww',
        join(share, page),
      ]);
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
      assert.match(stdout, /popbsmtp/);
    });
  }
});
