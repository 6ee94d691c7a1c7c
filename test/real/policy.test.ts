/**
 * Whose a message is, asked by the real Postfix: check_policy_service of a smtpd in its queue directory and of one in a chroot, with popbsmtp
 * there, killed, stopped, and not yet started: the log has a line for each message of a client with a grant, its header goes out, no mail waits
 * or is refused for want of an answer, and nobody relays by it.
 */
import assert from 'node:assert/strict';
import { chmod, chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { MAIN, popbsmtp } from './popbsmtp.ts';
import { freePort } from './ports.ts';
import { accountId, type Postfix, startPostfix } from './postfix.ts';
import { type Daemon, startDaemon } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { startRsyslog } from './rsyslog.ts';
import { askToRelay, sendMail } from './smtp.ts';
import { waitFor, waitForPort } from './wait.ts';

const skip = requirePrograms(['postfix', 'postmap', 'rsyslogd', 'smtp-sink'], { root: true });

const [ANNA, STRANGER] = ['127.0.0.2', '127.0.0.9'];
const AWAY = 'sink.example';
const HEADER = 'X-Relayed-By';

describe('whose a message is, for Postfix', { skip }, () => {
  const rig = new Rig();
  let map = '';
  let log = '';
  let dumps = '';
  let socket = '';
  let postfix: Postfix;
  let daemon: Daemon;
  /** In a chroot. */
  let jailed = 0;

  const start = async (...more: string[]): Promise<void> => {
    daemon = startDaemon(rig, process.execPath, [
      ...[
        MAIN,
        'run',
        '--watchlog',
        log,
        '--map',
        map,
        '--mynetworks',
        'none',
        '--exclude',
        'none',
      ],
      ...['--allow-own-addresses', '--whole-addresses', '--policy-socket', socket, ...more],
    ]);
    await waitFor(
      'the control socket',
      async () => (await popbsmtp('status', '--map', map)).code === 0,
      {
        seen: () => daemon.transcript(),
      },
    );
  };
  const logIn = async (user: string): Promise<void> => {
    const { code, stderr } = await popbsmtp(
      ...['login', '--map', map, '--ip', ANNA, '--user', user, '--server', 'hook'],
    );
    assert.equal(code, 0, stderr);
  };
  const restart = async (...more: string[]): Promise<void> => {
    await daemon.stop();
    await start(...more);
  };
  const identified = (): string[] =>
    daemon.lines.flatMap(line => /client=\S+ user=.*/.exec(line)?.[0] ?? []);
  const received = async (): Promise<string[]> =>
    Promise.all((await readdir(dumps)).map(name => readFile(join(dumps, name), 'latin1')));
  const headers = async (): Promise<string[]> =>
    (await received()).flatMap(text => text.split('\n').filter(line => line.startsWith(HEADER)));
  const send = async (...to: string[]): Promise<void> => {
    const before = (await received()).length;
    await sendMail(postfix.smtp(ANNA), { to });
    await waitFor('the message', async () => (await received()).length > before);
  };
  const fromJail = (): { host: string; port: number; from: string } => ({
    ...{ host: '127.0.0.1', port: jailed, from: ANNA },
  });

  before(async () => {
    await startRsyslog(rig);
    const base = await rig.directory();
    map = `lmdb:${join(base, 'pop-before-smtp')}`;
    const first = await popbsmtp('run', '--watchlog', '-', '--map', map, '--mynetworks', 'none');
    assert.equal(first.code, 0, first.stderr);
    log = join(base, 'log');
    await writeFile(log, '');
    dumps = join(base, 'dumps');
    await chmod(base, 0o755);
    await mkdir(dumps);
    const [account, group] = [
      await accountId('passwd', 'postfix'),
      await accountId('group', 'postfix'),
    ];
    await chown(dumps, account, group);
    const sink = await freePort();
    startDaemon(rig, 'smtp-sink', [
      '-u',
      'postfix',
      '-d',
      `${dumps}/%s.`,
      `127.0.0.1:${sink}`,
      '10',
    ]);
    await waitForPort('127.0.0.1', sink);
    jailed = await freePort();
    postfix = await startPostfix(rig, {
      mynetworks: '127.0.0.1/32',
      restrictions: [
        `smtpd_relay_restrictions = check_client_access ${map}, reject_unauth_destination`,
        'smtpd_data_restrictions =',
        '  check_policy_service { unix:popbsmtp/policy, default_action=DUNNO, timeout=2s }',
        `transport_maps = inline:{{${AWAY}=smtp:[127.0.0.1]:${sink}}}`,
        'smtp_tls_security_level = none',
      ].join('\n'),
      services: `smtp unix - - n - - smtp\n127.0.0.1:${jailed} inet n - y - 1 smtpd`,
    });
    await waitForPort('127.0.0.1', jailed);
    // As the manual has it.
    const directory = join(dirname(postfix.config), 'queue', 'popbsmtp');
    await mkdir(directory, { mode: 0o710 });
    await chown(directory, 0, group);
    socket = join(directory, 'policy');
    await start('--policy-header', HEADER);
    await logIn('anna');
  });
  after(() => rig.close());

  test('the log has a line for each message, and the message a header', async () => {
    await send(`a@${AWAY}`, `b@${AWAY}`);
    await waitFor('a line', () => identified().length === 1);
    assert.match(
      identified()[0] ?? '',
      /^client=127\.0\.0\.2 user="anna" server=hook login="[^"]+" queue=[0-9A-Za-z]+$/,
    );
    assert.match((await headers()).join(), /^X-Relayed-By: user=[0-9a-f]{16}$/);
    const queueId = identified()[0]?.split('queue=')[1] ?? '';
    assert.ok((await received())[0]?.includes(queueId), 'the id is that of the message');
  });

  test('also in a chroot', async () => {
    const before = identified().length;
    await sendMail(fromJail(), { to: [`a@${AWAY}`] });
    await waitFor('a line', () => identified().length > before);
  });

  test('nobody relays by it, and who has no grant is nobody', async () => {
    const before = identified().length;
    assert.equal((await askToRelay(postfix.smtp(STRANGER))).code, 554);
    await sendMail(postfix.smtp(STRANGER), { to: ['anna@example.org'] });
    assert.equal(identified().length, before);
  });

  for (const signal of ['SIGKILL', 'SIGSTOP'] as const)
    test(`mail goes on after ${signal}`, async () => {
      daemon.signal(signal);
      const before = (await headers()).length;
      await send(`a@${AWAY}`);
      assert.equal((await headers()).length, before);
      if (signal === 'SIGSTOP') daemon.signal('SIGKILL');
      await daemon.exited();
      await start('--policy-header', HEADER);
      const told = identified().length;
      // The first one may find the connection of before.
      await waitFor('a line', async () => {
        await send(`a@${AWAY}`);
        return identified().length > told;
      });
    });

  test('names are as log-users has them', async () => {
    await logIn('anna');
    await restart('--log-users', 'hashed', '--policy-header', HEADER);
    await waitFor('a line', async () => {
      await send(`a@${AWAY}`);
      return identified().length > 0;
    });
    const [, hash = ''] = /user="([0-9a-f]{16})"/.exec(identified()[0] ?? '') ?? [];
    assert.ok((await headers()).at(-1)?.endsWith(`user=${hash}`), identified()[0] ?? '');
    await restart('--log-users', 'none', '--policy-header', HEADER);
    const before = (await headers()).length;
    await waitFor('a line', async () => {
      await send(`a@${AWAY}`);
      return identified().length > 0;
    });
    assert.match(identified()[0] ?? '', /user="" /);
    assert.equal((await headers()).length, before);
  });

  test('where it cannot be served, the relay is', async () => {
    await daemon.stop();
    const good = socket;
    socket = join(dirname(postfix.config), 'nowhere', 'policy');
    await start();
    socket = good;
    await waitFor('a word', () => daemon.lines.some(line => line.includes('no policy socket at')));
    assert.equal((await askToRelay(postfix.smtp(ANNA))).code, 250);
    await send(`a@${AWAY}`);
  });
});
