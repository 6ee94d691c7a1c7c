/**
 * From the Perl pop-before-smtp, with files as it leaves them, and the real Postfix.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { EXIT } from '../../src/base/errors.ts';
import { FormerHost } from './former-host.ts';
import { MAIN, popbsmtp } from './popbsmtp.ts';
import { mustRun, runProgram } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';

const skip = requirePrograms(['postconf', 'postmap', 'perl'], { root: true });

const rig = new Rig();
after(() => rig.close());

describe('migrate', { skip }, () => {
  let host: FormerHost;
  beforeEach(async () => {
    host = await new FormerHost(await rig.directory()).make();
    await host.writeOld(
      '198.51.100.9',
      'ok',
      '203.0.113.4',
      'ok',
      '192.0.2',
      'OK',
      '127.0.0.5',
      'ok',
    );
  });

  test('says what it would do, with commands to paste, and changes nothing', async () => {
    const before = await readFile(join(host.postfix, 'main.cf'), 'utf8');
    const { code, stdout, stderr } = await host.migrate();
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^ {4}grace = "20m" {2}# .*pop-before-smtp-conf\.pl:2$/m);
    assert.match(stdout, new RegExp(`^ {4}watchlog = "${host.log}" `, 'm'));
    assert.match(stdout, new RegExp(`^lmdb:${host.map} takes the place of hash:${host.old}$`, 'm'));
    assert.match(stdout, /^ {4}2 addresses until .*\n {4}198\.51\.100\.9\n {4}203\.0\.113\.4\n/m);
    assert.match(stdout, /1 row is not the Perl program's, would have no end.*192\.0\.2/);
    assert.match(stdout, /127\.0\.0\.5 is not carried over: excluded/);
    assert.match(stdout, /:5: \$flock: not needed/);
    assert.match(stdout, /--daemon: not needed/);
    assert.match(stdout, /^ {4}postconf -c '.*' -e 'smtpd_relay_restrictions = /m);
    assert.match(stdout, /nothing was done/);
    assert.equal(await readFile(join(host.postfix, 'main.cf'), 'utf8'), before);
    assert.ok(!existsSync(host.config) && !existsSync(`${host.map}.lmdb`));

    // Pasted, they do it.
    const commands = [...stdout.matchAll(/^ {4}(postconf .*)$/gm)].map(([, each]) => each);
    assert.equal(commands.length, 2);
    await mustRun('sh', ['-euc', commands.join('\n')]);
    assert.equal(
      await host.main('smtpd_recipient_restrictions'),
      `permit_mynetworks, check_client_access lmdb:${host.map}, reject_unauth_destination\n`,
    );
  });

  test('--apply does it, keeps what was, and does it once', async () => {
    const before = await readFile(join(host.postfix, 'main.cf'), 'utf8');
    await writeFile(host.config, '# mine\nexclude = ["127.0.0.0/8"]\ngrace = "1h"\n', {
      mode: 0o640,
    });
    const { code, stdout, stderr } = await host.migrate('--apply');
    assert.deepEqual([code, stderr], [0, ''], stdout);
    assert.match(
      stdout,
      /left for you, in this order\n.*\n {4}systemctl restart popbsmtp\n {4}postfix -c '.*' reload\n/,
    );
    assert.match(stdout, /grace: is "1h" and stays so; the Perl program had "20m"/);
    const toml = await readFile(host.config, 'utf8');
    assert.ok(toml.startsWith('# mine\nexclude'));
    assert.match(toml, new RegExp(`^watchlog = "${host.log}"\nmap = "lmdb:${host.map}"$`, 'm'));
    assert.equal(toml.match(/^grace/gm)?.length, 1);
    assert.equal(
      await readFile(`${host.config}.before-migrate`, 'utf8'),
      '# mine\nexclude = ["127.0.0.0/8"]\ngrace = "1h"\n',
    );
    assert.deepEqual(await host.keys(), ['198.51.100.9', '203.0.113.4']);
    const orders = await popbsmtp('list', '--orders', '--json', '--map', `lmdb:${host.map}`);
    const [order = ''] = orders.stdout.split('\n');
    const until = Date.parse(JSON.parse(order).until) / 1000;
    assert.ok(until <= Date.now() / 1000 + 1200 && until > Date.now() / 1000, order);
    assert.equal(
      await host.main('smtpd_relay_restrictions'),
      `permit_mynetworks, permit_sasl_authenticated, check_client_access lmdb:${host.map}, defer_unauth_destination\n`,
    );
    assert.equal(await readFile(join(host.postfix, 'main.cf.before-migrate'), 'utf8'), before);
    assert.ok(existsSync(`${host.old}.db`));

    const again = await host.migrate('--apply');
    assert.deepEqual(
      [again.code, again.stdout, again.stderr],
      [0, 'there is nothing left to do\n', ''],
    );
    assert.equal(await readFile(host.config, 'utf8'), toml);
  });

  test('rows whose time is over are not carried over, whenever it is run', async () => {
    const past = Date.now() / 1000 - 1201;
    await utimes(`${host.old}.db`, past, past);
    const { code, stdout } = await host.migrate('--apply');
    assert.equal(code, 0, stdout);
    assert.match(stdout, /3 rows are past the end/);
    assert.deepEqual(await host.keys(), []);
  });

  test('a step that fails leaves what is behind it undone, and can be made again', async () => {
    // The map would be where a directory is.
    await mkdir(`${host.map}.lmdb`);
    const failed = await host.migrate('--apply');
    assert.notEqual(failed.code, 0);
    assert.match(failed.stderr, /^popbsmtp: "popbsmtp .*" ended with status \d+: .*\n$/);
    assert.match(await host.main('smtpd_recipient_restrictions'), /hash:/);
    await mustRun('rmdir', [`${host.map}.lmdb`]);
    const { code, stderr } = await host.migrate('--apply');
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(await host.main('smtpd_recipient_restrictions'), /lmdb:/);
    assert.deepEqual(await host.keys(), ['198.51.100.9', '203.0.113.4']);
  });

  test('rows that could not be carried over are at the next time, whatever else is done', async () => {
    // The new map is there and named already, and orders cannot be kept.
    const main = join(host.postfix, 'main.cf');
    const text = await readFile(main, 'utf8');
    const relay = `check_client_access lmdb:${host.map}, defer_unauth_destination`;
    await writeFile(
      main,
      text
        .replaceAll(`hash:${host.old}`, `lmdb:${host.map}`)
        .replace('defer_unauth_destination', relay),
    );
    await utimes(main, 1e9, 1e9);
    const made = ['--map', `lmdb:${host.map}`, '--watchlog', '-', '--mynetworks', 'none'];
    const daemon = await runProgram('sh', [
      ...['-c', 'exec "$@" < /dev/null', 'sh', process.execPath, MAIN],
      ...['run', '--config', '/dev/null', ...made],
    ]);
    assert.equal(daemon.code, 0, daemon.stderr);
    await mkdir(`${host.map}.orders`);
    assert.notEqual((await host.migrate('--apply')).code, 0);
    await mustRun('rmdir', [`${host.map}.orders`]);
    assert.equal((await host.migrate('--apply')).code, 0);
    assert.deepEqual(await host.keys(), ['198.51.100.9', '203.0.113.4']);
    assert.match((await host.migrate()).stdout, /^there is nothing left to do$/m);
    assert.doesNotMatch((await host.migrate()).stdout, /198\.51\.100\.9/);
  });

  test('what cannot be known is in the way, and nothing is done', async () => {
    await writeFile(host.perl, `$grace = $x;\n$dbfile = '${host.old}';\n`);
    const { code, stdout, stderr } = await host.migrate('--apply');
    assert.deepEqual([code, stdout], [EXIT.config, '']);
    assert.match(
      stderr,
      /^popbsmtp: nothing was done: .*-conf\.pl:1: the value of grace .*--grace.*\n$/,
    );
    assert.ok(!existsSync(host.config));
    assert.equal((await host.migrate('--apply', '--grace', '10m')).code, 0);
    assert.match(await readFile(host.config, 'utf8'), /^grace = "10m"$/m);
  });

  test('what may set the grace period, and is not understood, is in the way', async () => {
    for (const doubt of ['$grace ||= 60;', 'if ($x) { $grace = 60; }', '$grace = 9e99;']) {
      await writeFile(host.perl, `$grace = 20*60;\n${doubt}\n$dbfile = '${host.old}';\n`);
      const { code, stdout } = await host.migrate();
      assert.equal(code, 0);
      assert.match(stdout, /\nin the way\n {4}.*-conf\.pl:2: the value of grace cannot be read/);
      assert.match(
        stdout,
        /\nnothing was done, and --apply does nothing until that is put right\n$/,
      );
    }
    await writeFile(host.perl, `$grace = 1${'0'.repeat(12)};\n$dbfile = '${host.old}';\n`);
    const { code, stderr } = await host.migrate('--apply');
    assert.equal(code, EXIT.config);
    assert.match(stderr, /-conf\.pl:1: grace: "10+s" is not a duration/);
    assert.ok(!existsSync(host.config) && !existsSync(`${host.map}.lmdb`));
  });

  test('a configuration that the script names by what cannot be known is not guessed', async () => {
    await writeFile(host.script, '#!/bin/sh\n/usr/sbin/pop-before-smtp --config=$1\n');
    const blocked = await host.migrate('--apply');
    assert.equal(blocked.code, EXIT.config);
    assert.match(blocked.stderr, /init:2: which configuration it names .*--perl-config FILE/);
    assert.equal((await host.migrate('--apply', '--perl-config', host.perl)).code, 0);
  });

  test('a longer grace period than the Perl program had makes no row of it last longer', async () => {
    assert.equal((await host.migrate('--apply', '--grace', '5h')).code, 0);
    const { stdout } = await popbsmtp('list', '--orders', '--json', '--map', `lmdb:${host.map}`);
    const [order = ''] = stdout.split('\n');
    assert.ok(Date.parse(JSON.parse(order).until) <= Date.now() + 1_200_000, order);
  });

  test('a copy that is there is the older one, and stays', async () => {
    await writeFile(host.config, 'grace = "1h"\n');
    await writeFile(`${host.config}.before-migrate`, '# the first\n');
    const { code, stdout } = await host.migrate('--apply');
    assert.equal(code, 0);
    assert.match(stdout, /^how it was before the first change is kept in .*toml\.before-migrate$/m);
    assert.equal(await readFile(`${host.config}.before-migrate`, 'utf8'), '# the first\n');
  });

  test('a file that is not there is told with the option that names it', async () => {
    const { code, stderr } = await host.migrate('--perl-config', join(host.base, 'none'));
    assert.equal(code, EXIT.noInput);
    assert.match(stderr, /^popbsmtp: cannot read .*none: no such file.*--perl-config.*\n$/);
  });

  test('--json is one object, before and after', async () => {
    const plan = JSON.parse((await host.migrate('--json')).stdout);
    assert.deepEqual(
      [plan.oldMap, plan.rows.carried, plan.edits.length, plan.applied],
      [`hash:${host.old}`, ['198.51.100.9', '203.0.113.4'], 2, null],
    );
    const done = JSON.parse((await host.migrate('--json', '--apply')).stdout);
    assert.ok(done.applied.length > 0);
  });

  test('a configuration in Perl is never run', async () => {
    const proof = join(host.base, 'proof');
    await writeFile(
      host.perl,
      `system("touch ${proof}");\nBEGIN { \`touch ${proof}\` }\n$dbfile = '${host.old}';\n1;\n`,
    );
    const { stdout } = await host.migrate();
    assert.match(stdout, /conf\.pl:1: not understood.*system/);
    assert.match(stdout, /conf\.pl:2: not understood.*BEGIN/);
    assert.ok(!existsSync(proof));
  });

  test('where there is nothing to come from, it says so', async () => {
    const none = [
      '--config',
      host.config,
      '--map',
      `lmdb:${host.map}`,
      '--postfix-config',
      host.postfix,
    ];
    const { code, stderr } = await runProgram(process.execPath, [MAIN, 'migrate', ...none]);
    assert.equal(code, EXIT.noInput);
    assert.match(stderr, /^popbsmtp: no Perl pop-before-smtp was found.*--perl-config.*\n$/);
  });
});
