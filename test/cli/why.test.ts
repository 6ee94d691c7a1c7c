/** The answer to `why`, from what a daemon and old logs have left. */
import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import { after, describe, test } from 'node:test';
import { popbsmtp } from '../real/popbsmtp.ts';
import { Rig } from '../real/rig.ts';
import { Controlled } from './controlled.ts';

const rig = new Rig();
after(() => rig.close());

const ANNA = '198.51.100.7';

const LOG = `\
2026-11-27T10:21:00+00:00 mx dovecot: pop3-login: Login: user=<anna>, method=PLAIN, rip=${ANNA}, lip=192.0.2.5, mpid=1, session=<a>
2026-11-27T10:40:00+00:00 mx dovecot: pop3-login: Login: user=<anna>, method=PLAIN, rip=2001:db8::17, lip=2001:db8::1, mpid=1, session=<b>
2026-11-27T10:42:11+00:00 mx postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[${ANNA}]: 454 4.7.1 <x@example.net>: Relay access denied; from=<anna@example.org> to=<x@example.net> proto=ESMTP helo=<s>
2026-11-27T11:42:11+00:00 mx postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.99]: 454 4.7.1 <x@example.net>: Relay access denied; from=<a@example.org> to=<x@example.net> proto=ESMTP helo=<s>
`;

interface Answer {
  readonly address: string | null;
  readonly user: string | null;
  readonly at: string;
  readonly granted: boolean;
  readonly reason: string;
  readonly lines: readonly string[];
}

describe('why', () => {
  test('one answer in words, with the entries that show it, and an object for programs', async () => {
    const world = await Controlled.make(rig);
    await appendFile(world.log, LOG);
    const networks = ['--mynetworks', '192.0.2.64/26', '--whole-addresses'];
    const { code, stderr } = await world.run(
      'history',
      '--import',
      world.log,
      ...networks.slice(0, 2),
    );
    assert.equal(code, 0, stderr);
    const ask = (...args: string[]) => popbsmtp('why', '--map', world.map, ...networks, ...args);
    const json = async (...args: string[]): Promise<Answer> =>
      JSON.parse((await ask('--json', ...args)).stdout);
    const words = await ask(ANNA, '--at', '2026-11-27T10:42Z');
    assert.equal(words.code, 0, words.stderr);
    assert.match(words.stdout, /had no grant at .*2001:db8::17/);
    assert.equal(words.stdout.split('\n').length, 6, words.stdout);
    for (const whom of [ANNA, 'anna', 'Anna']) {
      const answer = await json(whom, '--at', '2026-11-27T10:42Z');
      assert.deepEqual(
        [answer.address, answer.user?.toLowerCase(), answer.at, answer.granted, answer.reason],
        [ANNA, 'anna', '2026-11-27T10:42:11Z', false, 'other-family'],
      );
      assert.equal(answer.lines.length, 4);
    }
    assert.equal((await json(ANNA, '--at', '2026-11-27T10:30Z')).reason, 'granted');
    // A stranger's refusal is nobody's.
    const beside = await ask('anna', '--at', '2026-11-27T11:42Z');
    assert.match(beside.stdout, /^2001:db8::17 \(anna\) had no grant at .*ended at/);
    assert.match(
      beside.stdout,
      /^Refused at that moment as well: if one of these was anna, ask "popbsmtp why 192\.0\.2\.99"\n.* ip=192\.0\.2\.99 /m,
    );
    assert.equal((await json('192.0.2.99', '--at', '2026-11-27T11:42Z')).reason, 'in-mynetworks');
    assert.equal((await json('198.18.0.1')).reason, 'no-login');
    assert.equal((await ask('x', '--at', 'soon')).code, 64);
  });

  test('without a history it says how to get one', async () => {
    const world = await Controlled.make(rig);
    const { code, stderr } = await world.run('why', ANNA);
    assert.equal(code, 66);
    assert.match(stderr, /history --import/);
  });
});
