/**
 * What the container recipe promises, in a root with the package and without Postfix: the daemon as process 1 of a pid namespace, with the
 * account, the command and the health check of init/Containerfile, and a log in a directory that is mounted read-only.
 *
 * Known limit: the image itself is not built here, which takes a registry.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loginLine } from '../cli/watched-log.ts';
import { buildDeb, DEB_PROGRAMS, installDeb, requireNodePackage } from './deb.ts';
import { OVERLAY_PROGRAMS, type Overlay, startOverlay } from './overlay.ts';
import { type Daemon, type Result, runProgram, startDaemon } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

const skip =
  requirePrograms([...OVERLAY_PROGRAMS, ...DEB_PROGRAMS, 'setpriv'], { root: true }) ||
  requireNodePackage();

const RECIPE = join(import.meta.dirname, '../../../init/Containerfile');

/** The whole of an instruction. */
function instruction(recipe: string, name: string): string {
  const [, text] = new RegExp(`^${name} (.*)$`, 'm').exec(recipe) ?? [];
  assert.ok(text !== undefined, name);
  return text;
}

/** The first process of a namespace of its own, below the programs that made that. */
async function firstProcess({ pid }: Daemon): Promise<number> {
  for (let found = pid; ; ) {
    const children = await readFile(`/proc/${found}/task/${found}/children`, 'utf8');
    const child = Number(children.split(' ')[0]);
    if (child === 0) return found;
    found = child;
  }
}

describe('a container', { skip }, () => {
  const rig = new Rig();
  let host: Overlay;
  let daemon: Daemon;
  let first: number;
  let health: string;

  const shell = (script: string): Promise<string> => host.run('sh', ['-euc', script]);

  before(async () => {
    const recipe = await readFile(RECIPE, 'utf8');
    host = await startOverlay(rig, []);
    await installDeb(host, await buildDeb(rig));
    await shell(
      'rm /usr/sbin/post* /usr/bin/doveconf; mkdir -m 755 /srv/log /var/log/mail; touch /srv/log/mail.log',
    );
    const account = instruction(recipe, 'USER');
    const command: unknown = JSON.parse(instruction(recipe, 'ENTRYPOINT'));
    assert.ok(Array.isArray(command));
    health = instruction(recipe, 'HEALTHCHECK').replace(/^.*CMD /, '');
    const enter = [
      ...['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'],
      ...['sh', '-euc', 'mount --bind -o ro /srv/log /var/log/mail; exec "$@"', 'sh'],
      ...[
        'setpriv',
        `--reuid=${account}`,
        `--regid=${account}`,
        '--init-groups',
        '--inh-caps=-all',
      ],
      ...command.map(String),
      ...['run', '--debug', '--watchlog', '/var/log/mail/mail.log'],
      ...['--mynetworks', '127.0.0.0/8 192.0.2.0/24'],
    ];
    const [program, ...args] = host.argv('unshare', enter);
    daemon = startDaemon(rig, program, args);
    await waitFor('the daemon', () => /watching/.test(daemon.stderr), {
      seen: () => daemon.transcript(),
    });
    first = await firstProcess(daemon);
  });
  after(() => rig.close());

  const logIn = (ip: string): Promise<string> =>
    host.run('sh', ['-euc', 'cat >> /srv/log/mail.log'], { input: loginLine(ip) });

  const rows = (): Promise<string> => shell('popbsmtp list');

  const granted = (ip: string): Promise<true> =>
    waitFor(`a row of ${ip}`, async () => (await rows()).includes(`${ip} `) || undefined, {
      seen: async () => `${await rows()}${daemon.transcript()}`,
    });

  const checked = (): Promise<Result> =>
    runProgram('nsenter', [`--target=${first}`, '--mount', '--pid', '--root', 'sh', '-c', health]);

  test('the daemon is process 1, and no root', async () => {
    const status = await readFile(`/proc/${first}/status`, 'utf8');
    assert.match(status, /^NSpid:.*\t1$/m);
    assert.doesNotMatch(status, /^Uid:\t0\t/m);
  });

  test('a login in the mounted log opens the relay, a trusted network needs none', async () => {
    await logIn('192.0.2.9');
    await logIn('198.51.100.1');
    await granted('198.51.100.1');
    assert.doesNotMatch(await rows(), /192\.0\.2\.9/);
  });

  test('a log that is renamed and made anew is followed, since its directory is mounted', async () => {
    await shell('mv /srv/log/mail.log /srv/log/mail.log.1; touch /srv/log/mail.log');
    await logIn('198.51.100.2');
    await granted('198.51.100.2');
  });

  test('the health check is 0 while it works, and 1 while it hangs', async () => {
    // On a machine that is busy the daemon may be late once.
    await waitFor('it to be healthy', async () => (await checked()).code === 0);
    process.kill(first, 'SIGSTOP');
    try {
      assert.equal((await checked()).code, 1);
    } finally {
      process.kill(first, 'SIGCONT');
    }
  });

  test('TERM ends it with 0, and its rows stay', async () => {
    process.kill(first, 'SIGTERM');
    assert.equal(await daemon.exited(), 0, daemon.transcript());
    assert.match(await rows(), /198\.51\.100\.2/);
  });
});
