/**
 * The doctor on an installation whose log, map or configuration was spoilt.
 */
import assert from 'node:assert/strict';
import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { formatStamp } from '../../src/line/stamp.ts';
import { loginLine } from '../cli/watched-log.ts';
import { assertFound, type Expected, fileOf, good, Installation } from './doctor-world.ts';
import { MAIN, popbsmtp } from './popbsmtp.ts';
import { mustRun, runProgram } from './processes.ts';
import { findProgram, requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';

const DAY = 24 * 3600;
const NOBODY = 65_534;

const skip = requirePrograms(['postconf', 'postmap', 'setpriv'], { root: true });

describe('doctor', { skip }, () => {
  const rig = new Rig();
  let installation: Installation;

  before(async () => {
    ({ installation } = await Installation.make(rig));
  });
  after(() => rig.close());

  test('says it in lines for people, too', async () => {
    const { code, stdout } = await popbsmtp('doctor', ...installation.options({}), '--no-smtp');
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^ok {7}logins {8}recognised among the last 1 line: dovecot 1, the last one \d+ seconds? ago$/m,
    );
    assert.match(stdout, /\n0 errors, 0 warnings, 1 skipped\n$/);
  });

  test('a configuration that is wrong', async () => {
    const path = join(installation.base, 'bad.toml');
    await writeFile(path, 'grase = "15m"\n');
    const result = await popbsmtp('doctor', '--json', '--config', path);
    assertFound(result, [['configuration', 'error', /bad\.toml:1: unknown key "grase"/]]);
  });

  test('Postfix without lmdb', async () => {
    const directory = join(installation.base, 'bin');
    await mkdir(directory);
    const script = `#!/bin/sh\ncase " $* " in *" -m "*) echo hash;; *) exec ${findProgram('postconf')} "$@";; esac\n`;
    await writeFile(join(directory, 'postconf'), script, { mode: 0o755 });
    const env = { PATH: `${directory}:${process.env['PATH']}` };
    const args = [MAIN, 'doctor', '--json', '--no-smtp', ...installation.options({})];
    const result = await runProgram(process.execPath, args, { env });
    assertFound(result, [
      ['postfix', 'error', /no maps of type lmdb/],
      ['lookup', 'skipped', /no Postfix that reads lmdb:/],
    ]);
  });

  describe('the log', () => {
    const nothingToJudge: Expected = ['policy', 'skipped', /no login in the log to judge/];

    test('is not there', async () => {
      await installation.assertFinds(
        { '--watchlog': join(installation.base, 'none') },
        ['log', 'error', /no such file/],
        nothingToJudge,
      );
    });

    test("cannot be read by the daemon's account", async () => {
      const secret = await installation.newLog(loginLine('198.51.100.7'));
      await chmod(secret, 0o600);
      const spec = await installation.newMap();
      await chown(join(fileOf(spec), '..'), NOBODY, NOBODY);
      await chown(fileOf(spec), NOBODY, NOBODY);
      await installation.assertFinds(
        {
          '--watchlog': secret,
          '--map': spec,
          '--postfix-config': await installation.configure(good(spec)),
        },
        ['log', 'error', /the account nobody of the daemon cannot read/],
        ['daemon', 'error', /no daemon writes/],
      );
    });

    test('has been silent for days', async () => {
      const silent = await installation.newLog(loginLine('198.51.100.7', 3 * DAY), 3 * DAY);
      await installation.assertFinds({ '--watchlog': silent }, ['log', 'warning', /for 3 days/]);
    });

    test('is empty', async () => {
      await installation.assertFinds(
        { '--watchlog': await installation.newLog('') },
        ['log', 'warning', /is empty/],
        nothingToJudge,
      );
    });

    test('has stamps of another zone', async () => {
      const late = await installation.newLog(loginLine('198.51.100.7', 2 * 3600));
      await installation.assertFinds({ '--watchlog': late }, [
        'clock',
        'error',
        /2 hours before it was written/,
      ]);
    });

    test('is from the future', async () => {
      const future = await installation.newLog(loginLine('198.51.100.7'), -3600);
      await installation.assertFinds({ '--watchlog': future }, [
        'clock',
        'error',
        /clock has been set back/,
      ]);
    });

    test('has logins in words that no pattern knows', async () => {
      const stamp = formatStamp(epoch(Date.now() / 1000));
      const line = `${stamp} mx dovecot: imap-login: Signed in: user=<anna>, rip=198.51.100.7, lip=192.0.2.5\n`;
      await installation.assertFinds(
        { '--watchlog': await installation.newLog(line + loginLine('198.51.100.7')) },
        ['logins', 'warning', /1 line that looked like logins.*Signed in/],
      );
    });
  });

  describe('the map', () => {
    /** A map without a daemon, named in main.cf. */
    async function idle(): Promise<{ spec: string; given: Record<string, string> }> {
      const spec = await installation.newMap();
      return {
        spec,
        given: { '--map': spec, '--postfix-config': await installation.configure(good(spec)) },
      };
    }
    const stopped: Expected = ['daemon', 'error', /no daemon writes/];

    test('has no daemon', async () => {
      await installation.assertFinds((await idle()).given, stopped);
    });

    test('is not there', async () => {
      const spec = `lmdb:${installation.base}/none`;
      const given = { '--map': spec, '--postfix-config': await installation.configure(good(spec)) };
      await installation.assertFinds(given, ['map', 'error', /there is no such map/], stopped, [
        'lookup',
        'skipped',
        /no map to write a row to/,
      ]);
    });

    test('has rows that nobody has taken away', async () => {
      const { spec, given } = await idle();
      const hourAgo = Math.floor(Date.now() / 1000) - 3600;
      await mustRun('postmap', ['-i', spec], { input: `198.51.100.7 ${hourAgo}\n10.9.9.9 OK\n` });
      await installation.assertFinds(
        given,
        ['rows', 'error', /^1 row should .* 198\.51\.100\.7$/],
        ['rows', 'warning', /^1 row of your own .*: 10\.9\.9\.9$/],
        stopped,
      );
    });

    test('lets whole networks relay', async () => {
      const { spec, given } = await idle();
      await mustRun('postmap', ['-i', spec], { input: '198.51 1\n' });
      await installation.assertFinds(
        given,
        ['rows', 'error', /whole network.*: 198\.51$/],
        stopped,
      );
    });

    test('has data format 2', async () => {
      const { spec, given } = await idle();
      const bytes = await readFile(fileOf(spec));
      const pageSize = bytes.readUInt32LE(40);
      for (const page of [0, pageSize]) bytes.writeUInt32LE(2, page + 20);
      await writeFile(fileOf(spec), bytes);
      await installation.assertFinds(given, ['map', 'error', /data format 2/], stopped, [
        'lookup',
        'warning',
        /data format 2/,
        /^move it away and start popbsmtp again/,
      ]);
    });

    test('is open to other accounts', async () => {
      const { spec, given } = await idle();
      await chmod(fileOf(spec), 0o644);
      await installation.assertFinds(
        given,
        ['map', 'warning', /can read .*\.lmdb, and so lock it/],
        stopped,
      );
    });

    test('lies in a directory that everybody can write', async () => {
      const { spec, given } = await idle();
      await chmod(join(fileOf(spec), '..'), 0o777);
      await installation.assertFinds(
        given,
        ['map', 'error', /every local account can write/],
        stopped,
      );
    });

    test('belongs to another account than its directory', async () => {
      const { spec, given } = await idle();
      await chown(fileOf(spec), NOBODY, NOBODY);
      await installation.assertFinds(
        given,
        ['map', 'error', /belongs to the account 65534/],
        stopped,
      );
    });

    test('cannot be read or written by an account that looks', async () => {
      const args = [MAIN, 'doctor', '--json', '--no-smtp', ...installation.options({})];
      const who = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
      const result = await runProgram('setpriv', [...who, '--', process.execPath, ...args]);
      assertFound(result, [
        ['map', 'warning', /cannot read the map/],
        ['daemon', 'warning', /not known/],
        ['lookup', 'warning', /no row could be written/],
      ]);
    });
  });
});
