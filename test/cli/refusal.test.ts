/**
 * `explain` of the line that administrators have in hand: Postfix has refused to relay.
 */
import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { formatStamp } from '../../src/line/stamp.ts';
import { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';
import { Controlled } from './controlled.ts';

const rig = new Rig();
let host: Controlled;
beforeEach(async () => {
  host = await Controlled.make(rig);
});
after(() => rig.close());

const refused = (ip: string, secondsAgo = 0, code = '454 4.7.1'): string =>
  `${formatStamp(epoch(Date.now() / 1000 - secondsAgo))} mx postfix/smtpd[9]: NOQUEUE: reject: RCPT from unknown[${ip}]: ` +
  `${code} <you@example.net>: Relay access denied; from=<a@example.org> to=<you@example.net> proto=ESMTP helo=<pc>`;

async function explained(line: string, ...args: string[]): Promise<Record<string, string>> {
  const { code, stdout, stderr } = await host.run('explain', '--mynetworks', 'none', ...args, line);
  assert.equal(code, 0, stderr);
  return Object.fromEntries(
    stdout
      .split('\n')
      .slice(0, -1)
      .map(text => [text.slice(0, 11).trim(), text.slice(11)]),
  );
}

test('what it means, and the grant that there is now', async () => {
  const daemon = await host.start();
  const none = await explained(refused('198.51.100.1'));
  assert.match(
    none['result'] ?? '',
    /^no login: Postfix has refused to relay for 198\.51\.100\.1, with 454$/,
  );
  assert.match(none['meaning'] ?? '', /found no row/);
  assert.deepEqual([none['grant'], none['order']], ['none now', 'none']);
  assert.match(none['so'] ?? '', /^no login from this address is known/);
  await host.logIn(daemon, 'anna', '198.51.100.1');
  const late = await explained(refused('198.51.100.1', 60, '554 5.7.1'));
  assert.match(late['grant'] ?? '', /^now since .* by anna \(dovecot\), ends in /);
  assert.match(late['so'] ?? '', /^the login came .* after the refusal/);
  const unasked = await explained(refused('198.51.100.1', -60));
  assert.match(unasked['so'] ?? '', /^it has a grant, so Postfix may not ask the map there/);
  await daemon.stop();
  const stopped = await explained(refused('198.51.100.1'));
  assert.match(stopped['grant'] ?? '', /^a row in the map, of a login on /);
  assert.match(stopped['daemon'] ?? '', /^none that answers/);
});

test('without a daemon, what the history says', async () => {
  const daemon = await host.start();
  await host.logIn(daemon, 'anna', '2001:db8::17');
  await daemon.stop();
  const other = await explained(refused('198.51.100.1', -60));
  assert.match(other['daemon'] ?? '', /^none that answers: the history has what was$/);
  assert.match(
    other['so'] ?? '',
    /^198\.51\.100\.1 had no grant at .*: popbsmtp did not run then$/,
  );
  const late = await explained(refused('2001:db8::17', -3600));
  assert.match(late['so'] ?? '', /^2001:db8::17 \(anna\) had no grant at .*: popbsmtp did not run/);
  const granted = await explained(refused('2001:db8::17', -60));
  assert.match(
    granted['so'] ?? '',
    /^2001:db8::17 \(anna\) had a grant at .*: the last one was at /,
  );
});

test('the end of a grant, a login that was ignored, an order', async () => {
  const daemon = await host.start('--grace', '1s', '--deny-users', 'guest');
  // On a busy machine a login may be older than this grace period when it is read.
  await waitFor('a login in time', async () => {
    await host.logIn(daemon, 'anna', '198.51.100.2');
    return daemon.lines.includes('    written ok');
  });
  await waitFor('its end', async () => (await host.keys()).length === 0);
  const ended = await explained(refused('198.51.100.2', -60));
  assert.match(ended['last end'] ?? '', /: purged, of anna$/);
  assert.match(ended['so'] ?? '', /^its grant had ended .* before: /);
  await host.logIn(daemon, 'guest', '198.51.100.3');
  const ignored = await explained(refused('198.51.100.3'));
  assert.match(ignored['ignored'] ?? '', /^a login of guest on .*: user not allowed$/);
  assert.equal(ignored['so'], 'its last login came to nothing: user not allowed');
  await host.revoke('198.51.100.4');
  const ordered = await explained(refused('198.51.100.4'));
  assert.match(ordered['order'] ?? '', /^refused by hand until /);
  assert.match(ordered['so'] ?? '', /^it is refused by hand; /);
  const excluded = await explained(refused('127.0.0.9'));
  assert.equal(excluded['never'], 'it gets no grant: excluded');
  await daemon.stop();
});

test('as JSON, and a refusal that is about something else', async () => {
  const daemon = await host.start();
  await host.logIn(daemon, 'anna', '198.51.100.5');
  const args = ['--json', '--mynetworks', 'none'];
  const { stdout } = await host.run('explain', ...args, refused('198.51.100.5', -60));
  const { refusal }: { readonly refusal: Record<string, unknown> } = JSON.parse(stdout);
  assert.deepEqual(
    [refusal['ip'], refusal['code'], refusal['isRelay'], refusal['row'], refusal['end']],
    ['198.51.100.5', 454, true, true, null],
  );
  const other = refused('198.51.100.5').replace(
    '<you@example.net>: Relay access denied',
    'Client host rejected: cannot find your hostname',
  );
  const rows = await explained(other);
  assert.match(rows['meaning'] ?? '', /not about relaying/);
  assert.equal(rows['so'], undefined);
  await daemon.stop();
});
