/**
 * The daemon on the real journal: what the server says is granted, what a local user says is not.
 */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { JOURNAL_PROGRAMS, type Journal, startJournal } from './journal.ts';
import { MAIN } from './popbsmtp.ts';
import { type Daemon, startDaemon } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

const skip = requirePrograms(JOURNAL_PROGRAMS, { root: true });

const message = (ip: string): string =>
  `pop3-login: Login: user=<anna>, method=PLAIN, rip=${ip}, lip=192.0.2.5, mpid=1, session=<${ip}>`;

describe('the daemon on the journal', { skip }, () => {
  const rig = new Rig();
  let journal: Journal;
  let path: string;
  let map: string;
  let daemon: Daemon;

  before(async () => {
    journal = await startJournal(rig);
    path = `${dirname(await journal.entrance('journalctl'))}:${process.env['PATH'] ?? ''}`;
    map = `lmdb:${join(await rig.directory(), 'pop-before-smtp')}`;
    daemon = await start();
  });
  after(() => rig.close());

  async function start(...more: string[]): Promise<Daemon> {
    const args = [
      '--watchlog',
      'journal',
      '--map',
      map,
      '--mynetworks',
      'none',
      '--debug',
      ...more,
    ];
    const started = startDaemon(rig, process.execPath, [MAIN, ...args], { env: { PATH: path } });
    await waitFor(
      'the journal to be watched',
      () => started.stderr.includes('watching journal') || undefined,
      {
        seen: () => started.transcript(),
      },
    );
    return started;
  }

  /** What the server's own process says, which runs as root. */
  const logIn = (ip: string): Promise<string> =>
    journal.run('logger', ['-p', 'mail.info', '-t', 'dovecot', message(ip)]);

  /** What anybody may say. */
  const forge = (ip: string): Promise<string> =>
    journal.run('setpriv', [
      ...['--reuid=nobody', '--regid=nogroup', '--clear-groups'],
      ...['logger', '-p', 'mail.info', '-t', 'dovecot', message(ip)],
    ]);

  const addresses = (): string[] =>
    daemon.lines.filter(line => line.startsWith('read ')).map(line => line.replace(/.* ip=/, ''));

  test('a login of the server is granted, the same from a local user is not, and that is said', async () => {
    await forge('203.0.113.66');
    await logIn('198.51.100.1');
    await daemon.waitForLine(/written ok/);
    assert.deepEqual(addresses(), ['198.51.100.1']);
    await waitFor(
      'a warning',
      () => /under the tag dovecot (?:was|were) not taken.*uid 65534/.test(daemon.stderr),
      {
        seen: () => daemon.transcript(),
      },
    );
  });

  test('when journalctl is killed, nothing is lost and nothing comes twice', async () => {
    const child = await childNamed(daemon.pid, 'journalctl');
    process.kill(child, 'SIGKILL');
    await logIn('198.51.100.2');
    await logIn('198.51.100.3');
    await daemon.waitForLine(/ip=198\.51\.100\.3$/);
    assert.deepEqual(addresses(), ['198.51.100.1', '198.51.100.2', '198.51.100.3']);
  });

  test('a restart goes on behind the last entry', async () => {
    assert.equal(await daemon.stop(), 0);
    await logIn('198.51.100.4');
    daemon = await start();
    await daemon.waitForLine(/ip=198\.51\.100\.4$/);
    assert.deepEqual(addresses(), ['198.51.100.4']);
  });

  test('the administrator may trust any', async () => {
    assert.equal(await daemon.stop(), 0);
    daemon = await start('--journal-trust', 'any');
    await forge('198.51.100.5');
    await daemon.waitForLine(/ip=198\.51\.100\.5$/);
  });
});

/** The pid of a process's child that runs the command. */
async function childNamed(parent: number, command: string): Promise<number> {
  for (const name of await readdir('/proc')) {
    const stat = await readFile(`/proc/${name}/stat`, 'latin1').catch(() => '');
    const [, comm, ppid] = /^\d+ \((.*)\) \S (\d+)/.exec(stat) ?? [];
    if (comm === command && Number(ppid) === parent) return Number(name);
  }
  throw new Error(`no child ${command} of ${parent}`);
}

/** Says what systemd says to a unit (systemd.exec(5)), which systemd-cat does not, up to 252 at least. */
const AS_A_UNIT = 'JOURNAL_STREAM=$(stat -Lc %d:%i /proc/$$/fd/1) exec "$@"';

test("the daemon's own log comes to the journal with priorities and without marks", {
  skip,
}, async () => {
  const rig = new Rig();
  try {
    const journal = await startJournal(rig);
    const map = `lmdb:${join(await rig.directory(), 'pop-before-smtp')}`;
    const line = (user: string): string =>
      `${new Date().toISOString()} mx dovecot: ${message('198.51.100.1').replace('anna', user)}\n`;
    await journal.run(
      'systemd-cat',
      [
        ...['--identifier=popbsmtp', 'sh', '-c', AS_A_UNIT, 'sh', process.execPath, MAIN],
        ...['--watchlog', '-', '--map', map, '--mynetworks', 'none'],
        ...['--max-users-per-address', '1'],
      ],
      { input: line('anna') + line('nick') },
    );
    const entries = (): Promise<{ PRIORITY: string; MESSAGE: string }[]> =>
      journal
        .run('journalctl', ['--identifier=popbsmtp', '--output=json', '--no-pager'])
        .then(text =>
          text
            .split('\n')
            .slice(0, -1)
            .map(entry => JSON.parse(entry)),
        );
    const told = await waitFor('its last entry', async () => {
      const found = await entries();
      return found.at(-1)?.MESSAGE === 'standard input has ended' ? found : undefined;
    });
    const who = 'ip=198.51.100.1 user="nick" server=dovecot';
    const expected = [
      ['6', 'granted ip=198.51.100.1 user="anna" server=dovecot'],
      ['4', `limit exceeded ${who} reason="too many users" most=1 action=warn`],
    ];
    const pairs = told.map(({ PRIORITY, MESSAGE }) => [PRIORITY, MESSAGE]);
    for (const pair of expected)
      assert.ok(
        pairs.some(other => other.join() === pair.join()),
        JSON.stringify(pairs),
      );
    assert.ok(pairs.every(([, text]) => !/^(?:<|warning|\d{4}-)/.test(text ?? '')));
  } finally {
    await rig.close();
  }
});
