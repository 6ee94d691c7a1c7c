/**
 * From the Perl pop-before-smtp, with files as it leaves them, a DB file as its DB_File makes it, and the real Postfix.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { EXIT } from '../../src/base/errors.ts';
import { readRows } from '../../src/map/map-types.ts';
import { MAIN, popbsmtp } from './popbsmtp.ts';
import { mustRun, type Result, runProgram } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';

const skip = requirePrograms(['postconf', 'postmap', 'perl'], { root: true });

/** As the Perl program writes its map. */
const WRITE_DB = `
use DB_File; use Fcntl;
my ($file, @rows) = @ARGV;
my $db = tie my %db, 'DB_File', "$file.db", O_CREAT|O_RDWR, 0666, $DB_HASH or die $!;
while (my ($key, $value) = splice @rows, 0, 2) { $db{$key} = $value }
`;

const rig = new Rig();
after(() => rig.close());

/** A host that has run the Perl program. */
class World {
  readonly base: string;
  readonly old: string;
  readonly postfix: string;
  readonly config: string;
  readonly map: string;
  readonly log: string;
  readonly perl: string;
  readonly script: string;

  constructor(base: string) {
    this.base = base;
    this.old = join(base, 'old');
    this.postfix = join(base, 'postfix');
    this.config = join(base, 'popbsmtp.toml');
    this.map = join(base, 'new');
    this.log = join(base, 'maillog');
    this.perl = join(base, 'pop-before-smtp-conf.pl');
    this.script = join(base, 'init');
  }

  async make(): Promise<this> {
    await mkdir(this.postfix);
    const relay = 'permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination';
    const recipient = `permit_mynetworks, check_client_access hash:${this.old}, reject_unauth_destination`;
    await writeFile(
      join(this.postfix, 'main.cf'),
      `compatibility_level = 3.6\nmynetworks = 127.0.0.0/8\nsmtpd_relay_restrictions = ${relay}\nsmtpd_recipient_restrictions = ${recipient}\n`,
    );
    await writeFile(join(this.postfix, 'master.cf'), 'smtp inet n - n - - smtpd\n');
    // Postfix reads a main.cf of the last seconds again and again.
    for (const name of ['main.cf', 'master.cf']) await utimes(join(this.postfix, name), 1e9, 1e9);
    await writeFile(this.log, '');
    await writeFile(
      this.perl,
      `use strict;\n$grace = 20*60;\n$file_tail{'name'} = '${this.log}';\n$dbfile = '${this.old}';\n$flock = 0;\n1;\n`,
    );
    await writeFile(
      this.script,
      `#!/bin/sh\ncase "$1" in\nstart) /usr/sbin/pop-before-smtp --config=${this.perl} --daemon=/run/p.pid ;;\nesac\n`,
    );
    return this;
  }

  async writeOld(...rows: string[]): Promise<void> {
    await mustRun('perl', ['-e', WRITE_DB, this.old, ...rows]);
  }

  migrate(...more: string[]): Promise<Result> {
    return popbsmtp(
      ...['migrate', '--init-script', this.script, '--config', this.config],
      ...['--map', `lmdb:${this.map}`, '--postfix-config', this.postfix, ...more],
    );
  }

  main(name: string): Promise<string> {
    return mustRun('postconf', ['-c', this.postfix, '-h', name]);
  }

  async keys(): Promise<string[]> {
    return (await readRows({ type: 'lmdb', path: this.map })).map(({ key }) => key);
  }
}

describe('migrate', { skip }, () => {
  let world: World;
  beforeEach(async () => {
    world = await new World(await rig.directory()).make();
    await world.writeOld(
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
    const before = await readFile(join(world.postfix, 'main.cf'), 'utf8');
    const { code, stdout, stderr } = await world.migrate();
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^ {4}grace = "20m" {2}# .*pop-before-smtp-conf\.pl:2$/m);
    assert.match(stdout, new RegExp(`^ {4}watchlog = "${world.log}" `, 'm'));
    assert.match(
      stdout,
      new RegExp(`^lmdb:${world.map} takes the place of hash:${world.old}$`, 'm'),
    );
    assert.match(stdout, /^ {4}2 addresses until .*\n {4}198\.51\.100\.9\n {4}203\.0\.113\.4\n/m);
    assert.match(stdout, /1 row is not the Perl program's, would have no end.*192\.0\.2/);
    assert.match(stdout, /127\.0\.0\.5 is not carried over: excluded/);
    assert.match(stdout, /:5: \$flock: not needed/);
    assert.match(stdout, /--daemon: not needed/);
    assert.match(stdout, /^ {4}postconf -c '.*' -e 'smtpd_relay_restrictions = /m);
    assert.match(stdout, /nothing was done/);
    assert.equal(await readFile(join(world.postfix, 'main.cf'), 'utf8'), before);
    assert.ok(!existsSync(world.config) && !existsSync(`${world.map}.lmdb`));

    // Pasted, they do it.
    const commands = [...stdout.matchAll(/^ {4}(postconf .*)$/gm)].map(([, each]) => each);
    assert.equal(commands.length, 2);
    await mustRun('sh', ['-euc', commands.join('\n')]);
    assert.equal(
      await world.main('smtpd_recipient_restrictions'),
      `permit_mynetworks, check_client_access lmdb:${world.map}, reject_unauth_destination\n`,
    );
  });

  test('--apply does it, keeps what was, and does it once', async () => {
    const before = await readFile(join(world.postfix, 'main.cf'), 'utf8');
    await writeFile(world.config, '# mine\nexclude = ["127.0.0.0/8"]\ngrace = "1h"\n', {
      mode: 0o640,
    });
    const { code, stdout, stderr } = await world.migrate('--apply');
    assert.deepEqual([code, stderr], [0, ''], stdout);
    assert.match(
      stdout,
      /left for you, in this order\n.*\n {4}systemctl restart popbsmtp\n {4}postfix reload\n/,
    );
    assert.match(stdout, /grace: is "1h" and stays so; the Perl program had "20m"/);
    const toml = await readFile(world.config, 'utf8');
    assert.ok(toml.startsWith('# mine\nexclude'));
    assert.match(toml, new RegExp(`^watchlog = "${world.log}"\nmap = "lmdb:${world.map}"$`, 'm'));
    assert.equal(toml.match(/^grace/gm)?.length, 1);
    assert.equal(
      await readFile(`${world.config}.before-migrate`, 'utf8'),
      '# mine\nexclude = ["127.0.0.0/8"]\ngrace = "1h"\n',
    );
    assert.deepEqual(await world.keys(), ['198.51.100.9', '203.0.113.4']);
    const orders = await popbsmtp('list', '--orders', '--json', '--map', `lmdb:${world.map}`);
    const [order = ''] = orders.stdout.split('\n');
    const until = Date.parse(JSON.parse(order).until) / 1000;
    assert.ok(until <= Date.now() / 1000 + 1200 && until > Date.now() / 1000, order);
    assert.equal(
      await world.main('smtpd_relay_restrictions'),
      `permit_mynetworks, permit_sasl_authenticated, check_client_access lmdb:${world.map}, defer_unauth_destination\n`,
    );
    assert.equal(await readFile(join(world.postfix, 'main.cf.before-migrate'), 'utf8'), before);
    assert.ok(existsSync(`${world.old}.db`));

    const again = await world.migrate('--apply');
    assert.deepEqual(
      [again.code, again.stdout, again.stderr],
      [0, 'there is nothing left to do\n', ''],
    );
    assert.equal(await readFile(world.config, 'utf8'), toml);
  });

  test('rows whose time is over are not carried over, whenever it is run', async () => {
    const past = Date.now() / 1000 - 1201;
    await utimes(`${world.old}.db`, past, past);
    const { code, stdout } = await world.migrate('--apply');
    assert.equal(code, 0, stdout);
    assert.match(stdout, /3 rows are past the end/);
    assert.deepEqual(await world.keys(), []);
  });

  test('a step that fails leaves what is behind it undone, and can be made again', async () => {
    // The map would be where a directory is.
    await mkdir(`${world.map}.lmdb`);
    const failed = await world.migrate('--apply');
    assert.notEqual(failed.code, 0);
    assert.match(failed.stderr, /^popbsmtp: "popbsmtp .*" ended with status \d+: .*\n$/);
    assert.match(await world.main('smtpd_recipient_restrictions'), /hash:/);
    await mustRun('rmdir', [`${world.map}.lmdb`]);
    const { code, stderr } = await world.migrate('--apply');
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(await world.main('smtpd_recipient_restrictions'), /lmdb:/);
    assert.deepEqual(await world.keys(), ['198.51.100.9', '203.0.113.4']);
  });

  test('what cannot be known is in the way, and nothing is done', async () => {
    await writeFile(world.perl, `$grace = $x;\n$dbfile = '${world.old}';\n`);
    const { code, stdout, stderr } = await world.migrate('--apply');
    assert.deepEqual([code, stdout], [EXIT.config, '']);
    assert.match(
      stderr,
      /^popbsmtp: nothing was done: .*-conf\.pl:1: the value of grace .*--grace.*\n$/,
    );
    assert.ok(!existsSync(world.config));
    assert.equal((await world.migrate('--apply', '--grace', '10m')).code, 0);
    assert.match(await readFile(world.config, 'utf8'), /^grace = "10m"$/m);
  });

  test('--json is one object, before and after', async () => {
    const plan = JSON.parse((await world.migrate('--json')).stdout);
    assert.deepEqual(
      [plan.oldMap, plan.rows.carried, plan.edits.length, plan.applied],
      [`hash:${world.old}`, ['198.51.100.9', '203.0.113.4'], 2, null],
    );
    const done = JSON.parse((await world.migrate('--json', '--apply')).stdout);
    assert.ok(done.applied.length > 0);
  });

  test('a configuration in Perl is never run', async () => {
    const proof = join(world.base, 'proof');
    await writeFile(
      world.perl,
      `system("touch ${proof}");\nBEGIN { \`touch ${proof}\` }\n$dbfile = '${world.old}';\n1;\n`,
    );
    const { stdout } = await world.migrate();
    assert.match(stdout, /conf\.pl:1: not understood.*system/);
    assert.match(stdout, /conf\.pl:2: not understood.*BEGIN/);
    assert.ok(!existsSync(proof));
  });

  test('where there is nothing to come from, it says so', async () => {
    const none = [
      '--config',
      world.config,
      '--map',
      `lmdb:${world.map}`,
      '--postfix-config',
      world.postfix,
    ];
    const { code, stderr } = await runProgram(process.execPath, [MAIN, 'migrate', ...none]);
    assert.equal(code, EXIT.noInput);
    assert.match(stderr, /^popbsmtp: no Perl pop-before-smtp was found.*--perl-config.*\n$/);
  });
});
