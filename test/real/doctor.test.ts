/**
 * The doctor and the real Postfix: silent on a good installation, and right about each one that was spoilt.
 *
 * Each fault is asked of the command itself; whatever else it finds besides that fault is a mistake of the doctor's.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFile, chmod, chown, mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseCommandLine } from '../../src/cli/command-line.ts';
import { runSettings } from '../../src/cli/settings.ts';
import { epoch } from '../../src/clock.ts';
import { examine } from '../../src/doctor/examination.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import type { Endpoint } from '../../src/doctor/smtp-session.ts';
import { subjectOf } from '../../src/doctor/subject.ts';
import { formatStamp } from '../../src/line/stamp.ts';
import { loginLine } from '../cli/watched-log.ts';
import { MAIN, popbsmtp, startPopbsmtp } from './popbsmtp.ts';
import { freePorts } from './ports.ts';
import { type Postfix, startPostfix } from './postfix.ts';
import { mustRun, type Result, runProgram, startDaemon } from './processes.ts';
import { findProgram, requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

/** Postfix reads a main.cf of the last seconds for two seconds, until it is older. */
const LONG_AGO = new Date(2020, 0, 1);
const DAY = 24 * 3600;
const NOBODY = 65_534;

const skip = requirePrograms(['postfix', 'postmap', 'setpriv'], { root: true });

/** What is expected besides `ok`: check, level, and what is said. */
type Expected = readonly [Finding['check'], Finding['level'], RegExp];

const good = (map: string): string =>
  `smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated,\n  check_client_access ${map}, reject_unauth_destination`;

describe('doctor', { skip }, () => {
  const rig = new Rig();
  let base: string;
  let log: string;
  let map: string;
  let postfix: Postfix;
  let count = 0;

  before(async () => {
    base = await rig.directory();
    log = join(base, 'mail.log');
    await writeFile(log, loginLine('198.51.100.7'));
    map = await newMap();
    postfix = await startPostfix(rig, {
      mynetworks: '127.0.0.1/32',
      restrictions: `${good(map)}\nown_senders = check_sender_access inline:{example.org=OK}, check_client_access ${map}, reject`,
    });
    await utimes(join(postfix.config, 'main.cf'), LONG_AGO, LONG_AGO);
    await startPopbsmtp(rig, { watchlog: log, map, grace: '15m', postfixConfig: postfix.config });
  });
  after(() => rig.close());

  /** A map as a daemon leaves it that has been stopped. */
  async function newMap(): Promise<string> {
    const directory = join(base, `map-${++count}`);
    await mkdir(directory);
    const spec = `lmdb:${directory}/pop-before-smtp`;
    const made = await popbsmtp('run', '--watchlog', '-', '--map', spec, '--mynetworks', 'none');
    assert.equal(made.code, 0, made.stderr);
    return spec;
  }

  const fileOf = (spec: string): string => `${spec.replace('lmdb:', '')}.lmdb`;

  /** A configuration directory of its own; the running Postfix goes on with the good one. */
  async function configure(
    mainCf: string,
    masterCf = 'smtp inet n - n - - smtpd\n',
  ): Promise<string> {
    const directory = join(base, `postfix-${++count}`);
    await mkdir(directory);
    await writeFile(join(directory, 'master.cf'), masterCf);
    const mynetworks = mainCf.includes('mynetworks =') ? '' : 'mynetworks = 127.0.0.1/32\n';
    await writeFile(
      join(directory, 'main.cf'),
      `compatibility_level = 3.6\nmydestination = example.org\n${mynetworks}${mainCf}\n`,
    );
    await utimes(join(directory, 'main.cf'), LONG_AGO, LONG_AGO);
    return directory;
  }

  /** A log with this text, last written to so long ago. */
  async function newLog(text: string, secondsAgo = 0): Promise<string> {
    const path = join(base, `log-${++count}`);
    await writeFile(path, text);
    const time = Date.now() / 1000 - secondsAgo;
    await utimes(path, time, time);
    return path;
  }

  /** Options for the good installation, but for those that are given. */
  function options(given: Readonly<Record<string, string>>): string[] {
    const all = { '--map': map, '--watchlog': log, '--postfix-config': postfix.config, ...given };
    return Object.entries(all).flat();
  }

  const findingsOf = ({ stdout, stderr }: Result): Finding[] => {
    assert.equal(stderr, '');
    return stdout
      .split('\n')
      .slice(0, -1)
      .map((line): Finding => JSON.parse(line));
  };

  function assertFindings(findings: readonly Finding[], expected: readonly Expected[]): void {
    const found = findings.filter(({ level }) => level !== 'ok');
    const shown = JSON.stringify(found, null, 1);
    assert.equal(found.length, expected.length, shown);
    for (const [index, [check, level, what]] of expected.entries()) {
      assert.equal(found[index]?.check, check, shown);
      assert.equal(found[index]?.level, level, shown);
      assert.match(found[index]?.what ?? '', what);
    }
  }

  /** Of the command, run as a user runs it. */
  function assertFound(result: Result, expected: readonly Expected[]): void {
    assertFindings(findingsOf(result), expected);
    assert.equal(result.code, expected.some(([, level]) => level === 'error') ? 1 : 0);
  }

  const doctor = (given: Readonly<Record<string, string>>, ...more: string[]): Promise<Result> =>
    popbsmtp('doctor', '--json', ...options(given), ...more);

  /** The same without a process of its own, for the many. */
  async function examined(
    given: Readonly<Record<string, string>>,
    smtp: Endpoint | null = null,
  ): Promise<Finding[]> {
    const { values } = await parseCommandLine(['doctor', ...options(given)], '');
    const subject = subjectOf(runSettings(values), smtp, new AbortController().signal);
    const findings: Finding[] = [];
    for await (const finding of examine(subject)) findings.push(finding);
    return findings;
  }

  async function assertFinds(
    given: Readonly<Record<string, string>>,
    ...expected: readonly Expected[]
  ): Promise<void> {
    assertFindings(await examined(given), expected);
  }

  const keys = async (spec = map): Promise<string> => mustRun('postmap', ['-s', spec]);

  test('is silent on a good installation, and leaves nothing behind', async () => {
    const before = await keys();
    const result = await doctor({});
    assertFound(result, []);
    const checks = findingsOf(result).map(({ check }) => check);
    for (const check of [
      'log',
      'logins',
      'clock',
      'map',
      'daemon',
      'restrictions',
      'lookup',
      'relay',
    ])
      assert.ok(
        checks.some(each => each === check),
        check,
      );
    assert.equal(await keys(), before);
  });

  test('says it in lines for people, too', async () => {
    const { code, stdout } = await popbsmtp('doctor', ...options({}), '--no-smtp');
    assert.equal(code, 0);
    assert.match(stdout, /^ok {7}logins {8}recognised among the last 1 line: dovecot 1$/m);
    assert.match(stdout, /\n0 errors, 0 warnings\n$/);
  });

  test('a row of the doctor is left alone by a running daemon, and leaves no trace in it', async () => {
    await appendFile(log, loginLine('198.51.100.8'));
    await waitFor('the grant', async () => (await keys()).includes('198.51.100.8'));
    const before = await keys();
    assertFound(await doctor({}, '--no-smtp'), []);
    assert.equal(await keys(), before);
  });

  describe('main.cf and master.cf', () => {
    const relay = (list: string): string => `smtpd_relay_restrictions = ${list}`;
    const table: readonly {
      readonly name: string;
      readonly mainCf: (map: string) => string;
      readonly masterCf?: string;
      readonly expected: readonly Expected[];
    }[] = [
      {
        name: 'the map behind reject_unauth_destination',
        mainCf: spec =>
          relay(`permit_mynetworks, reject_unauth_destination, check_client_access ${spec}`),
        expected: [['restrictions', 'error', /refuses its addresses before lmdb:/]],
      },
      {
        name: 'no map',
        mainCf: () => relay('permit_mynetworks, reject_unauth_destination'),
        expected: [['restrictions', 'error', /does not name lmdb:/]],
      },
      {
        name: 'a map of another name',
        mainCf: spec =>
          relay(`permit_mynetworks, check_client_access ${spec}-old, reject_unauth_destination`),
        expected: [['restrictions', 'error', /does not name lmdb:.*it names lmdb:.*-old/]],
      },
      {
        name: 'hash: instead of lmdb:',
        mainCf: spec =>
          relay(
            `permit_mynetworks, check_client_access ${spec.replace('lmdb', 'hash')}, reject_unauth_destination`,
          ),
        expected: [['restrictions', 'error', /names hash:.*but the map is lmdb:/]],
      },
      {
        name: 'a permit before the map',
        mainCf: spec =>
          relay(
            `permit_mynetworks, permit, check_client_access ${spec}, reject_unauth_destination`,
          ),
        expected: [['restrictions', 'error', /smtpd answers nobody.* behind permit/]],
      },
      {
        name: 'a table that permits everybody before the map',
        mainCf: spec =>
          relay(
            `check_client_access static:OK, check_client_access ${spec}, reject_unauth_destination`,
          ),
        expected: [['restrictions', 'error', /static:OK" in .* lets everybody/]],
      },
      {
        name: 'warn_if_reject before what refuses',
        mainCf: spec =>
          relay(
            `permit_mynetworks, check_client_access ${spec}, warn_if_reject reject_unauth_destination`,
          ),
        expected: [['restrictions', 'error', /smtpd answers nobody.* behind warn_if_reject/]],
      },
      {
        name: 'warn_if_reject before the map',
        mainCf: spec =>
          relay(
            `permit_mynetworks, warn_if_reject check_client_access ${spec}, reject_unauth_destination`,
          ),
        expected: [['restrictions', 'warning', /warn_if_reject stands before the map/]],
      },
      {
        name: 'a second list that refuses',
        mainCf: spec =>
          `${good(spec)}\nsmtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination`,
        expected: [['restrictions', 'error', /in smtpd_recipient_restrictions, where it is not/]],
      },
      {
        name: 'the map asked for recipients',
        mainCf: spec => relay(`permit_mynetworks, ${spec}, reject_unauth_destination`),
        expected: [['restrictions', 'error', /asks lmdb:.* for the recipient/]],
      },
      {
        name: 'a service of master.cf that overrides it all',
        mainCf: good,
        masterCf:
          'smtp inet n - n - - smtpd\n  -o smtpd_relay_restrictions=permit_mynetworks,reject_unauth_destination\n',
        expected: [['restrictions', 'error', /^master\.cf for smtp\/inet does not name lmdb:/]],
      },
      {
        name: 'port 25 that overrides it, while another port does not',
        mainCf: good,
        masterCf:
          'smtp inet n - n - - smtpd\n  -o { smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination }\n' +
          'submission inet n - n - - smtpd\n',
        expected: [
          ['restrictions', 'warning', /master\.cf for smtp\/inet: restrictions of its own/],
        ],
      },
      {
        name: 'a port for a filter, which is as it should be',
        mainCf: good,
        masterCf:
          'smtp inet n - n - - smtpd\n127.0.0.1:10025 inet n - n - - smtpd\n' +
          '  -o smtpd_client_restrictions=permit_mynetworks,reject\n',
        expected: [],
      },
      {
        name: 'a submission port for SMTP AUTH only, which is as it should be',
        mainCf: good,
        masterCf:
          'smtp inet n - n - - smtpd\nsubmission inet n - n - - smtpd\n' +
          '  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject\n',
        expected: [],
      },
      {
        name: 'a restriction class that names the map, which is as good',
        mainCf: spec =>
          `smtpd_restriction_classes = pop\npop = check_client_access ${spec}\n` +
          relay('permit_mynetworks, pop, reject_unauth_destination'),
        expected: [],
      },
      {
        name: 'mynetworks = 0.0.0.0/0',
        mainCf: spec => `mynetworks = 127.0.0.0/8, 0.0.0.0/0\n${good(spec)}`,
        expected: [['mynetworks', 'error', /0\.0\.0\.0\/0/]],
      },
      {
        name: 'mynetworks of a service that is the world',
        mainCf: good,
        masterCf: 'smtp inet n - n - - smtpd\n  -o mynetworks=[::]/0\n',
        expected: [['mynetworks', 'error', /master\.cf for smtp\/inet: .*::\/0/]],
      },
      {
        name: 'a main.cf that Postfix cannot read',
        mainCf: () => 'smtpd_relay_restrictions permit',
        expected: [['postfix', 'error', /missing '=' after attribute name/]],
      },
    ];
    for (const { name, mainCf, masterCf, expected } of table) {
      test(name, async () => {
        await assertFinds(
          { '--postfix-config': await configure(mainCf(map), masterCf) },
          ...expected,
        );
      });
    }
  });

  test('Postfix without lmdb', async () => {
    const directory = join(base, 'bin');
    await mkdir(directory);
    const script = `#!/bin/sh\ncase " $* " in *" -m "*) echo hash;; *) exec ${findProgram('postconf')} "$@";; esac\n`;
    await writeFile(join(directory, 'postconf'), script, { mode: 0o755 });
    const env = { PATH: `${directory}:${process.env['PATH']}` };
    const args = [MAIN, 'doctor', '--json', '--no-smtp', ...options({})];
    const result = await runProgram(process.execPath, args, { env });
    assertFound(result, [['postfix', 'error', /no maps of type lmdb/]]);
  });

  describe('the log', () => {
    test('is not there', async () => {
      await assertFinds({ '--watchlog': join(base, 'none') }, ['log', 'error', /no such file/]);
    });

    test("cannot be read by the daemon's account", async () => {
      const secret = await newLog(loginLine('198.51.100.7'));
      await chmod(secret, 0o600);
      const spec = await newMap();
      await chown(join(fileOf(spec), '..'), NOBODY, NOBODY);
      await chown(fileOf(spec), NOBODY, NOBODY);
      await assertFinds(
        { '--watchlog': secret, '--map': spec, '--postfix-config': await configure(good(spec)) },
        ['log', 'error', /the account nobody of the daemon cannot read/],
        ['daemon', 'error', /no daemon writes/],
      );
    });

    test('has been silent for days', async () => {
      const silent = await newLog(loginLine('198.51.100.7', 3 * DAY), 3 * DAY);
      await assertFinds({ '--watchlog': silent }, ['log', 'warning', /for 3 days/]);
    });

    test('is empty', async () => {
      await assertFinds({ '--watchlog': await newLog('') }, ['log', 'warning', /is empty/]);
    });

    test('has stamps of another zone', async () => {
      const late = await newLog(loginLine('198.51.100.7', 2 * 3600));
      await assertFinds({ '--watchlog': late }, [
        'clock',
        'error',
        /2 hours before it was written/,
      ]);
    });

    test('is from the future', async () => {
      const future = await newLog(loginLine('198.51.100.7'), -3600);
      await assertFinds({ '--watchlog': future }, ['clock', 'error', /clock has been set back/]);
    });

    test('has logins in words that no pattern knows', async () => {
      const stamp = formatStamp(epoch(Date.now() / 1000));
      const line = `${stamp} mx dovecot: imap-login: Signed in: user=<anna>, rip=198.51.100.7, lip=192.0.2.5\n`;
      await assertFinds({ '--watchlog': await newLog(line + loginLine('198.51.100.7')) }, [
        'logins',
        'warning',
        /1 line that looked like logins.*Signed in/,
      ]);
    });
  });

  describe('the map', () => {
    /** A map without a daemon, named in main.cf. */
    async function idle(): Promise<{ spec: string; given: Record<string, string> }> {
      const spec = await newMap();
      return { spec, given: { '--map': spec, '--postfix-config': await configure(good(spec)) } };
    }
    const stopped: Expected = ['daemon', 'error', /no daemon writes/];

    test('has no daemon', async () => {
      await assertFinds((await idle()).given, stopped);
    });

    test('is not there', async () => {
      const spec = `lmdb:${base}/none`;
      const given = { '--map': spec, '--postfix-config': await configure(good(spec)) };
      await assertFinds(given, ['map', 'error', /there is no such map/], stopped);
    });

    test('has rows that nobody has taken away', async () => {
      const { spec, given } = await idle();
      const hourAgo = Math.floor(Date.now() / 1000) - 3600;
      await mustRun('postmap', ['-i', spec], { input: `198.51.100.7 ${hourAgo}\n10.9.9.9 OK\n` });
      await assertFinds(given, ['rows', 'error', /^1 row should .* 198\.51\.100\.7$/], stopped);
    });

    test('lets whole networks relay', async () => {
      const { spec, given } = await idle();
      await mustRun('postmap', ['-i', spec], { input: '198.51 1\n' });
      await assertFinds(given, ['rows', 'warning', /^1 row of digits/], stopped);
    });

    test('has data format 2', async () => {
      const { spec, given } = await idle();
      const bytes = await readFile(fileOf(spec));
      const pageSize = bytes.readUInt32LE(40);
      for (const page of [0, pageSize]) bytes.writeUInt32LE(2, page + 20);
      await writeFile(fileOf(spec), bytes);
      await assertFinds(given, ['map', 'error', /data format 2/], stopped, [
        'lookup',
        'warning',
        /data format 2/,
      ]);
    });

    test('is closed to other accounts', async () => {
      const { spec, given } = await idle();
      await chmod(fileOf(spec), 0o600);
      await assertFinds(given, ['map', 'warning', /cannot read .*\.lmdb/], stopped);
    });

    test('lies in a directory that everybody can write', async () => {
      const { spec, given } = await idle();
      await chmod(join(fileOf(spec), '..'), 0o777);
      await assertFinds(given, ['map', 'error', /every local account can write/], stopped);
    });

    test('belongs to another account than its directory', async () => {
      const { spec, given } = await idle();
      await chown(fileOf(spec), NOBODY, NOBODY);
      await assertFinds(given, ['map', 'error', /belongs to the account 65534/], stopped);
    });

    test('cannot be written by an account that looks', async () => {
      const args = [MAIN, 'doctor', '--json', '--no-smtp', ...options({})];
      const who = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
      const result = await runProgram('setpriv', [...who, '--', process.execPath, ...args]);
      assertFound(result, [['lookup', 'warning', /no row could be written/]]);
    });
  });

  test('a configuration that is wrong', async () => {
    const path = join(base, 'bad.toml');
    await writeFile(path, 'grase = "15m"\n');
    const result = await popbsmtp('doctor', '--json', '--config', path);
    assertFound(result, [['configuration', 'error', /bad\.toml:1: unknown key "grase"/]]);
  });

  describe('the relay test', () => {
    const seeds = {
      open: ['smtpd_relay_restrictions = check_client_access static:OK, reject_unauth_destination'],
      sender: ['smtpd_relay_restrictions = $own_senders'],
      without: ['smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination'],
      broken: ['smtpd_relay_restrictions = check_client_access lmdb:/nowhere, reject'],
      tls: ['smtpd_tls_security_level = encrypt'],
      greylisting: ['smtpd_client_restrictions = check_client_access static:{450 4.2.0 later}'],
    };
    const ports = new Map<string, number>();
    /** The good configuration, as it was before the bad services were added. */
    let config: string;

    before(async () => {
      config = await configure(good(map));
      const free = await freePorts(Object.keys(seeds).length);
      for (const [index, name] of Object.keys(seeds).entries()) ports.set(name, free[index] ?? 0);
      await postfix.serve(
        Object.entries(seeds).map(([name, set]) => ({ port: ports.get(name) ?? 0, options: set })),
      );
    });

    const assertFindsAt = async (port: number, ...expected: readonly Expected[]): Promise<void> =>
      assertFindings(
        await examined({ '--postfix-config': config }, { host: '127.0.0.1', port }),
        expected,
      );

    const table: readonly (readonly [keyof typeof seeds, ...Expected[]])[] = [
      ['open', ['relay', 'error', /strangers may relay at .*: 22 of 23 forms are taken/]],
      ['sender', ['relay', 'error', /: 2 of 23 forms are taken \(sender of the own domain: /]],
      ['without', ['relay', 'error', /may not relay although .*554 5\.7\.1/]],
      ['broken', ['relay', 'error', /defers all mail .*451 4\.3\./]],
      ['tls', ['relay', 'warning', /could not be tried .* 530 5\.7\.0/]],
      ['greylisting', ['relay', 'warning', /cannot be told .* 450 4/]],
    ];
    for (const [name, ...expected] of table) {
      test(`at a port with ${seeds[name]}`, async () => {
        await assertFindsAt(ports.get(name) ?? 0, ...expected);
      });
    }

    test('where nothing listens', async () => {
      const [port = 0] = await freePorts(1);
      await assertFindsAt(port, ['relay', 'error', /does not answer .*ECONNREFUSED/]);
    });

    test('where every address is in mynetworks', async () => {
      const world = await configure(`mynetworks = 0.0.0.0/0\n${good(map)}`);
      assertFound(await doctor({ '--postfix-config': world }), [
        ['mynetworks', 'error', /0\.0\.0\.0\/0/],
        ['relay', 'warning', /every address of this machine is in mynetworks/],
      ]);
    });

    /** Something that speaks SMTP as it is told to. */
    async function imitation(serve: (socket: Socket, sessions: number) => void): Promise<number> {
      const [port = 0] = await freePorts(1);
      let sessions = 0;
      const open = new Set<Socket>();
      const server = createServer(socket => {
        open.add(socket.on('error', () => undefined));
        serve(socket, ++sessions);
      });
      await once(server.listen(port, '127.0.0.1'), 'listening');
      rig.defer(() => {
        for (const socket of open) socket.destroy();
        server.close();
      });
      return port;
    }

    test('where it is sent away', async () => {
      const port = await imitation(socket => socket.end('421 4.3.2 busy\r\n'));
      await assertFindsAt(port, ['relay', 'error', /will not talk: 421 4\.3\.2 busy/]);
    });

    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      test(`takes its row away when ${signal} ends it`, async () => {
        /** Refuses, until the client comes that has a row: it is left waiting. */
        const port = await imitation((socket, sessions) => {
          if (sessions > 3) return;
          socket.write('220 mx\r\n');
          socket.on('data', data =>
            socket.write(String(data).startsWith('RCPT') ? '554 5.7.1 no\r\n' : '250 ok\r\n'),
          );
        });
        const before = await keys();
        const args = ['doctor', '--json', ...options({ '--smtp': `127.0.0.1:${port}` })];
        const running = startDaemon(rig, process.execPath, [MAIN, ...args]);
        const row = /^127\.\d+\.\d+\.\d+\t\d+$/m;
        await waitFor('the row of the test', async () => row.test(await keys()));
        running.signal(signal);
        assert.equal(await running.exited(), null);
        assert.equal(await keys(), before);
      });
    }
  });
});
