/**
 * The doctor and a Postfix that runs: silent on the good one, and right about ports that relay too much or too little.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { loginLine } from '../cli/watched-log.ts';
import {
  assertFound,
  backdate,
  type Expected,
  findingsOf,
  good,
  Installation,
  keys,
} from './doctor-world.ts';
import { MAIN } from './popbsmtp.ts';
import { freePort, freePorts } from './ports.ts';
import { type Postfix, startPostfix } from './postfix.ts';
import { type Daemon, mustRun, startDaemon } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

const skip = requirePrograms(['postfix', 'postmap'], { root: true });

/** What master.cf sets for a port of its own. */
const SEEDS = {
  open: 'smtpd_relay_restrictions = check_client_access static:OK, reject_unauth_destination',
  sender: 'smtpd_relay_restrictions = $own_senders',
  without: 'smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination',
  broken: 'smtpd_relay_restrictions = check_client_access lmdb:/nowhere, reject',
  tls: 'smtpd_tls_security_level = encrypt',
  proxy: 'smtpd_upstream_proxy_protocol = haproxy',
  greylisting: 'smtpd_client_restrictions = check_client_access static:{450 4.2.0 later}',
} as const;

type Seed = keyof typeof SEEDS;
const SEED_NAMES: readonly Seed[] = [
  'open',
  'sender',
  'without',
  'broken',
  'tls',
  'proxy',
  'greylisting',
];

describe('the relay test of the doctor', { skip }, () => {
  const rig = new Rig();
  let installation: Installation;
  let daemon: Daemon;
  let postfix: Postfix;

  before(async () => {
    ({ installation, daemon } = await Installation.make(rig));
    const { map } = installation;
    postfix = await startPostfix(rig, {
      mynetworks: '127.0.0.1/32',
      services: `0.0.0.0:${await freePort()} inet n - n - 1 smtpd`,
      restrictions: `${good(map)}\nown_senders = check_sender_access inline:{example.org=OK}, check_client_access ${map}, reject`,
    });
    await backdate(postfix.config);
  });
  after(() => rig.close());

  test('finds nothing on a good installation, and leaves nothing behind', async () => {
    const before = await keys(installation.map);
    const result = await installation.doctor({ '--postfix-config': postfix.config });
    assertFound(result, []);
    assert.deepEqual(
      new Set(findingsOf(result).map(({ check }) => check)),
      new Set([
        'configuration',
        'log',
        'logins',
        'clock',
        'policy',
        'clients',
        'map',
        'rows',
        'daemon',
        'postfix',
        'restrictions',
        'mynetworks',
        'lookup',
        'relay',
      ]),
    );
    assert.equal(await keys(installation.map), before);
  });

  describe('at ports of another kind', () => {
    const ports = new Map<Seed, number>();

    before(async () => {
      const free = await freePorts(Object.keys(SEEDS).length);
      for (const [index, name] of SEED_NAMES.entries()) ports.set(name, free[index] ?? 0);
      await postfix.serve(
        SEED_NAMES.map(name => ({ port: ports.get(name) ?? 0, options: [SEEDS[name]] })),
      );
    });

    const table: readonly (readonly [Seed, Expected])[] = [
      ['open', ['relay', 'error', /strangers may relay at .*: 22 of 23 forms are taken/]],
      ['sender', ['relay', 'error', /: 2 of 23 forms are taken \(sender of the own domain: /]],
      [
        'without',
        [
          'relay',
          'error',
          /may not relay although .*554 5\.7\.1/,
          /in the -o options of 127\.0\.0\.1:\d+\/inet in master\.cf/,
        ],
      ],
      ['broken', ['relay', 'error', /defers all mail .*451 4\.3\./]],
      ['tls', ['relay', 'warning', /could not be tried .* 530 5\.7\.0/]],
      [
        'proxy',
        [
          'relay',
          'warning',
          /talks to its proxy only \(smtpd_upstream_proxy_protocol\)/,
          /^name a port without a proxy/,
        ],
      ],
      ['greylisting', ['relay', 'warning', /cannot be told .* 450 4/]],
    ];
    for (const [name, expected] of table) {
      test(SEEDS[name], () =>
        installation.assertRelayFindsAt(ports.get(name) ?? 0, postfix.config, expected),
      );
    }
  });

  test('says where nothing listens', async () => {
    const [port = 0] = await freePorts(1);
    await installation.assertFindsAt(port, ['relay', 'error', /does not answer .*ECONNREFUSED/]);
  });

  test('says that every address is in mynetworks', async () => {
    const config = await installation.configure(
      `mynetworks = 0.0.0.0/0\n${good(installation.map)}`,
    );
    assertFound(await installation.doctor({ '--postfix-config': config }), [
      ['mynetworks', 'error', /0\.0\.0\.0\/0/],
      [
        'relay',
        'warning',
        /every address of this machine is in mynetworks/,
        /^name in mynetworks only whom you trust/,
      ],
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

  test('says that it is sent away', async () => {
    const port = await imitation(socket => socket.end('421 4.3.2 busy\r\n'));
    await installation.assertFindsAt(port, ['relay', 'error', /will not talk: 421 4\.3\.2 busy/]);
  });

  test('ends at once when it is told to while it waits', async () => {
    let came = false;
    const port = await imitation(() => {
      came = true;
    });
    const args = ['doctor', ...installation.options({ '--smtp': `127.0.0.1:${port}` })];
    const doctor = startDaemon(rig, process.execPath, [MAIN, ...args]);
    await waitFor('the doctor to come', () => came);
    doctor.signal('SIGINT');
    assert.equal(await doctor.exited(), null);
    assert.equal(doctor.stderr, '');
  });

  /** Starts a doctor that hangs when its row is in the map. @returns it, and its row */
  async function hangingDoctor(): Promise<{ doctor: Daemon; row: RegExpExecArray }> {
    // Refuses, until the client comes that has a row: it is left waiting.
    const port = await imitation((socket, sessions) => {
      if (sessions > 3) return;
      socket.write('220 mx\r\n');
      socket.on('data', data =>
        socket.write(String(data).startsWith('RCPT') ? '554 5.7.1 no\r\n' : '250 ok\r\n'),
      );
    });
    const args = ['doctor', ...installation.options({ '--smtp': `127.0.0.1:${port}` })];
    const doctor = startDaemon(rig, process.execPath, [MAIN, ...args]);
    const row = await waitFor(
      'the row of the test',
      async () => /^(127\.\d+\.\d+\.\d+)\t(\d+)$/m.exec(await keys(installation.map)) ?? undefined,
      { seen: () => doctor.transcript() },
    );
    return { doctor, row };
  }

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`takes its row away when ${signal} ends it`, async () => {
      const before = await keys(installation.map);
      const { doctor } = await hangingDoctor();
      doctor.signal(signal);
      assert.equal(await doctor.exited(), null);
      assert.equal(await keys(installation.map), before);
    });
  }

  test('has a row that a running daemon leaves alone, and that ends by itself', async () => {
    const { doctor, row } = await hangingDoctor();
    const [line, ip = '', stamp] = row;
    await appendFile(installation.log, loginLine('198.51.100.8'));
    await daemon.waitForLine(/^read ts=.* ip=198\.51\.100\.8$/);
    // By now the daemon has written to the map beside the row, and has looked for what is due.
    await waitFor('the grant', async () => (await keys(installation.map)).includes('198.51.100.8'));
    assert.ok((await keys(installation.map)).includes(line));
    assert.ok(!daemon.stdout.includes(ip), daemon.transcript());
    // What is left by a doctor that was killed: due in two minutes, for whoever purges then.
    doctor.signal('SIGKILL');
    await doctor.exited();
    assert.ok((await keys(installation.map)).includes(line));
    const end = Number(stamp) + 15 * 60;
    assert.ok(end - Date.now() / 1000 <= 120, String(stamp));
    await mustRun('postmap', ['-d', ip, installation.map]);
  });
});
