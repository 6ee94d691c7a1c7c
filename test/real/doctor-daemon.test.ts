/**
 * The doctor and a running daemon: what it says of itself over its control socket.
 */
import assert from 'node:assert/strict';
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { formatStamp } from '../../src/line/stamp.ts';
import { loginLine } from '../cli/watched-log.ts';
import { assertFound, backdate, findingsOf, good, Installation } from './doctor-world.ts';
import { GraceFile, MAIN, startPopbsmtp } from './popbsmtp.ts';
import { mustRun, type Result, runProgram } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

const skip = requirePrograms(['postconf', 'postmap', 'mount', 'umount'], { root: true });

/** A line of Postfix's about a client that may not relay. */
const refusal = (ip: string, sender: string, secondsAgo = 0): string =>
  `${formatStamp(epoch(Date.now() / 1000 - secondsAgo))} mx postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[${ip}]: ` +
  `554 5.7.1 <you@example.net>: Relay access denied; from=<${sender}> to=<you@example.net> proto=ESMTP helo=<x>\n`;

describe('the doctor asks the daemon', { skip }, () => {
  const rig = new Rig();
  let installation: Installation;

  before(async () => {
    ({ installation } = await Installation.make(rig));
  });
  after(() => rig.close());

  /** A daemon with a map and a configuration file of its own. */
  async function daemonWithFile() {
    const map = await installation.newMap();
    const config = await installation.configure(good(map));
    const grace = await GraceFile.make(rig, '15m');
    const options = { watchlog: installation.log, map, grace, postfixConfig: config };
    const daemon = await startPopbsmtp(rig, options);
    const doctor = (): Promise<Result> =>
      installation.doctor(
        { '--map': map, '--postfix-config': config, '--config': grace.path },
        '--no-smtp',
      );
    return { map, grace, daemon, doctor, config };
  }

  test('which says what it reads, and when it has found a login', async () => {
    const found = findingsOf(await installation.doctor({}, '--no-smtp'));
    const daemon = found.find(({ check }) => check === 'daemon');
    assert.equal(daemon?.level, 'ok');
    assert.match(
      daemon?.what ?? '',
      /^runs, pid \d+, and answers; reads \/.*mail\.log \(1 line, the last line .* ago\); the last login .* ago$/,
    );
  });

  test('which hangs', async () => {
    const { daemon, doctor } = await daemonWithFile();
    daemon.signal('SIGSTOP');
    const result = await doctor();
    daemon.signal('SIGCONT');
    assertFound(result, [['daemon', 'error', /^the daemon, pid \d+, has .* does not answer/]]);
    assertFound(await doctor(), []);
  });

  test('whose configuration was changed, and not loaded', async () => {
    const { grace, daemon, doctor } = await daemonWithFile();
    assertFound(await doctor(), []);
    await writeFile(grace.path, '# now\ngrace = "1h"\nmax-grants = 5\n');
    assertFound(await doctor(), [
      ['daemon', 'warning', /^it runs with grace = "15m", and on the disk stands "1h"$/],
      ['daemon', 'warning', /^it runs with max-grants = .*, and on the disk stands "5"$/],
    ]);
    await grace.change(daemon, '1h');
    assertFound(await doctor(), []);
    await writeFile(grace.path, 'grase = "1h"\n');
    const [wrong] = findingsOf(await doctor());
    assert.equal(wrong?.level, 'error');
  });

  test('whose mynetworks have changed in main.cf', async () => {
    const { config, daemon, doctor } = await daemonWithFile();
    await mustRun('postconf', ['-c', config, '-e', 'mynetworks = 127.0.0.1/32 10.0.0.0/8']);
    await backdate(config);
    assertFound(await doctor(), [
      [
        'daemon',
        'warning',
        /^it runs with mynetworks of main\.cf = .*"127\.0\.0\.1\/32 10\.0\.0\.0\/8"$/,
      ],
    ]);
    daemon.signal('SIGHUP');
    await waitFor('the reload', () => daemon.stderr.includes('reloaded configuration'));
    assertFound(await doctor(), []);
  });

  test('which cannot write the map', async () => {
    const place = join(await rig.directory(), 'small');
    await mkdir(place);
    await mustRun('mount', ['-t', 'tmpfs', '-o', 'mode=755,size=256k', 'tmpfs', place]);
    rig.defer(async () => void (await mustRun('umount', ['-l', place])));
    const map = `hash:${join(place, 'map')}`;
    const postfixConfig = await installation.configure(good(map));
    const watchlog = await installation.newLog('');
    const daemon = await startPopbsmtp(rig, { watchlog, map, grace: '15m', postfixConfig });
    // Whatever is left of it.
    await runProgram('dd', ['if=/dev/zero', `of=${join(place, 'full')}`, 'bs=4k']);
    await appendFile(watchlog, loginLine('198.51.100.9'));
    await waitFor('the failure', () => /no space left/.test(daemon.stderr), {
      seen: () => daemon.transcript(),
    });
    const given = { '--map': map, '--postfix-config': postfixConfig, '--watchlog': watchlog };
    assertFound(await installation.doctor(given, '--no-smtp'), [
      ['daemon', 'error', /^it cannot write the map, .* failed\).*no space left/],
      ['lookup', 'skipped', /the map cannot be written now/],
    ]);
  });

  test('and judges the logins by the policy, in their number', async () => {
    const log = await installation.newLog(loginLine('198.51.100.7').repeat(35));
    const given = { '--watchlog': log };
    await installation.assertFinds({ ...given, '--exclude': '0.0.0.0/0' }, [
      'policy',
      'warning',
      /^35 of 35 logins in the log would be refused: excluded$/,
    ]);
    const tls = await installation.doctor(given, '--no-smtp', '--require-tls');
    assertFound(tls, [
      ['policy', 'error', /^35 of 35 logins in the log would be refused: not encrypted$/],
    ]);
  });

  test('and finds 40 users behind one address', async () => {
    const lines = Array.from({ length: 40 }, (_, index) =>
      loginLine('198.51.100.3').replace('<anna>', `<u${index}>`),
    );
    await installation.assertFinds({ '--watchlog': await installation.newLog(lines.join('')) }, [
      'clients',
      'warning',
      /^40 users logged in from 198\.51\.100\.3: a proxy/,
    ]);
  });

  test('and finds who logs in over IPv6 and sends over IPv4', async () => {
    const text = loginLine('2001:db8:1::50') + refusal('192.0.2.50', 'anna@example.org');
    await installation.assertFinds({ '--watchlog': await installation.newLog(text) }, [
      'clients',
      'warning',
      /^anna logged in from 2001:db8:1::50 and was refused at 192\.0\.2\.50/,
    ]);
  });

  test('and finds a log that goes on without logins', async () => {
    const logins = [500, 490, 480, 470, 460].map(minutes =>
      loginLine('198.51.100.7', minutes * 60),
    );
    const text = `${logins.join('')}${refusal('192.0.2.50', 'x@example.org')}`;
    await installation.assertFinds({ '--watchlog': await installation.newLog(text) }, [
      'logins',
      'warning',
      /^no login for 8 hours, although .* goes on, and Postfix has refused 1 client since$/,
    ]);
  });

  test('and ends in order when its reader goes away', async () => {
    const words = [MAIN, 'doctor', ...installation.options({}), '--no-smtp'].map(
      word => `'${word}'`,
    );
    const script = `set -o pipefail; '${process.execPath}' ${words.join(' ')} | head -1`;
    const { code, stdout, stderr } = await runProgram('bash', ['-c', script]);
    assert.equal(stderr, '');
    assert.match(stdout, /^ok {7}configuration /);
    assert.equal(code, 0);
  });
});
