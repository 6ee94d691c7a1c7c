import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import { parseLine } from '../../src/line/prefix.ts';
import { StampReader } from '../../src/line/stamp.ts';
import { loadPatterns } from '../../src/recogniser/load.ts';
import { isLoginLike } from '../../src/recogniser/login-like.ts';
import type { SampleKind } from '../../src/recogniser/pattern.ts';

const registry = await loadPatterns({ directory: '/nonexistent', explicit: false });

interface Told {
  readonly server: string;
  readonly message: string;
}

/** The messages of samples, as the daemon's path would ask about them: those of known programs. */
function messages(kinds: readonly SampleKind[], event: 'login' | 'any', outcome: boolean): Told[] {
  const stamps = new StampReader(() => epoch(1_800_000_000));
  return registry.files
    .flatMap(({ patterns }) => patterns)
    .filter(pattern => event === 'any' || pattern.event === event)
    .flatMap(({ server, samples }) =>
      samples
        .filter(sample => kinds.includes(sample.kind) && (sample.outcome !== null) === outcome)
        // The success of a login that is told in two lines has no address.
        .filter(({ after }) => after.length === 0)
        .map(({ line }) => ({ server, line: parseLine(line, stamps) })),
    )
    .filter(({ line }) => line.program !== null && registry.program(line.program) !== null)
    .map(({ server, line }) => ({ server, message: line.message }));
}

const complaints = (told: readonly Told[]): string[] =>
  told.map(({ server, message }) => `${server}: ${message}`);

/**
 * Refused lines that are told nevertheless, and rightly: each begins with the server's own words of success, and
 * is refused because it was cut off, or for a name that imitates the rest of the line, or because its address
 * is none.  Who reads of it sees a login that popbsmtp did not take.
 */
const TOLD: readonly RegExp[] = [
  /^LOGIN, user=/,
  /^imap-login: Login: user=</,
  // Of 0.99, which never logged so under the tag dovecot.
  /^(?:imap-login: )?Login: \S+ \[/,
  /^\(v4\.0\.9\) POP login by user "/,
  // One of them over ssh, the others cut off or with such names.
  /^Login user=\S+ host=/,
  /^login: h \[203\.0\.113\.66\] x (?:PLAIN|plaintext) /,
  /^login: h \[198\.51\.100\.9\] x plaintext\+TLS plaintext $/,
  /^event=login\.good /,
  /^User x logged in .*203\.0\.113\.66 logged in/,
  /^Auth: .* authentication_id="x" y" .* status="ok"$/,
  /^Authentication passed for x -- \[203\.0\.113\.66\] -- /,
  /^user x authenticated - .*203\.0\.113\.66.* authenticated - /,
  /^Successful login for x \[192\.0\.2\.5\] from h \[203\.0\.113\.66\] \[/,
  /^fork_child: \[6\]x\(203\.0\.113\.66\): began session /,
  /^vchkpw-pop3: .*login success x(?:@y)?:203\.0\.113\.66:/,
  // With a name that holds what ends it.
  /Started proxying to remote host \(0\.012 secs\): user=<x>, rip=203\.0\.113\.66, /,
  /^vchkpw: login \[x\] from 203\.0\.113\.66\] from /,
  // With what the client says of itself in the place of its address.
  /[;[]ip=[\d.]+;oip=[\da-f:.]+;/,
  /ua=x;ip=203\.0\.113\.66;\] imap - user nick@example\.org authenticated, /,
];

/** Successes that cannot be told: they have no word for it (cucipop has none at all), or one of failure for TLS. */
const SILENT: readonly RegExp[] = [
  /^Stats: /,
  /^\w+ [\d.]+ \d+, \d+ \(/,
  /TLS: SSL_read\(\) failed/,
];

test('lines that must not be recognised are not login-like', () => {
  const found = messages(['refuse', 'attack'], 'any', false).filter(({ message }) =>
    isLoginLike(message),
  );
  const unexpected = found.filter(({ message }) => !TOLD.some(form => form.test(message)));
  assert.deepEqual(complaints(unexpected), []);
});

test('the successes of all servers are login-like, should a pattern ever fail', () => {
  const missed = messages(['match'], 'login', true).filter(({ message }) => !isLoginLike(message));
  const unexpected = missed.filter(({ message }) => !SILENT.some(form => form.test(message)));
  assert.deepEqual(complaints(unexpected), []);
});

describe('words that a server may find for a login in its next version', () => {
  const table = [
    'imap-login: Logged on: user=<a>, method=PLAIN, rip=192.0.2.10, lip=192.0.2.5',
    'imap-login: Login ok: user=<a>, mech=PLAIN, remote=192.0.2.10, session=<x>',
    'pop3-login(4711): Info: Signed in: user=<a>, rip=2001:db8::17',
    'imap-login: Authenticated: user=<a>, rip=::ffff:192.0.2.10',
    'imap-login: proxy(a): Began proxying to <10.0.0.5>: user=<a>, rip=192.0.2.10',
    'imap-login: Authentication succeeded: user=<a>, rip=192.0.2.10',
    'LOGIN OK, user=anna, ip=[::ffff:192.0.2.10], port=[1060]',
    'Login: user=anna, ip=[2001:db8::17], port=[1060]',
    '(v5.0) POP3 login for user "nick" from client.example.org [192.0.2.10]',
    'Logged in user=nick host=client.example.org [192.0.2.10]',
    'login: client.example.org [192.0.2.10] nick PLAIN User authenticated',
    'event=login.success r.clienthost="[192.0.2.10]" u.username=nick',
    'User nick logged in from 192.0.2.10.',
    'session opened for user nick from 192.0.2.10:4711',
    'vchkpw-imap: login ok nick@example.org:2001:db8::17',
    'vchkpw-pop3: (PLAIN) login success nick@example.org:::ffff:192.0.2.10',
    'Auth: 192.0.2.10:2274->192.0.2.5:993 user="nick" server="h:143" status="success"',
  ];
  for (const message of table) test(message, () => assert.ok(isLoginLike(message)));
});

describe('not a login', () => {
  const table = [
    // Servers' lines about failures and ends that are no samples.
    'imap-login: Disconnected: Inactivity (no auth attempts in 180 secs): user=<>, rip=192.0.2.10',
    'imap-login: Login aborted: Connection closed (no auth attempts in 0 secs) (no_auth_attempts): user=<>, rip=192.0.2.10',
    'imap-login: Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10): user=<nick>, rip=192.0.2.10',
    'auth: passwd-file(nick,192.0.2.10,<x>): Password mismatch',
    'auth: Debug: client in: AUTH 1 PLAIN service=imap rip=192.0.2.10 login',
    'Connection, ip=[::ffff:192.0.2.10], port=[54236]',
    "can't find APOP secret for user x1 - 203.0.113.66",
    "couldn't open session for user nick logged in from 203.0.113.66",
    'auth: Info: Nov 23 00:53:00 imap-login: Info: Login: user=<x>, rip=203.0.113.66',
    'message repeated 2 times: [ LOGIN, user=anna, ip=[192.0.2.10]]',
    'nick at client.example.org (192.0.2.10): -ERR [AUTH] Password supplied for "nick" is incorrect.',
    'root login not allowed - 192.0.2.10',
    'badlogin: client.example.org [192.0.2.10] plaintext nick SASL(-13): authentication failure',
    'session ended for user nick - 192.0.2.10',
    'autologout time elapsed for user nick - 192.0.2.10',
    'vchkpw-smtp: (PLAIN) login success nick@example.org:192.0.2.10',
    '*57 client logged in, client: 192.0.2.10, server: 0.0.0.0:587, login: "nick"',
    // No address, though it may look like one.
    'imap-login: Logged on: user=<a>, rip=localhost',
    'imap-login: Logged on: user=<a>, TLS: SSL routines::unexpected',
    'Login user=nick host=UNKNOWN at 00:53:00',
    'Login user=nick version 1.2.3',
    'Login user=nick host=198.51.100.256',
    // No word but in the name of the process.
    'imap-login: Client said: user=<>, rip=192.0.2.10, lip=192.0.2.5',
    'pop3-login(12): Client said: user=<>, rip=192.0.2.10, lip=192.0.2.5',
    'Session from 192.0.2.10',
    'catalogin 192.0.2.10',
  ];
  for (const message of table) test(message, () => assert.ok(!isLoginLike(message)));
});

test('a line that is longer than any login is none', () => {
  const login = 'Logged on: user=<a>, rip=192.0.2.10';
  assert.ok(isLoginLike(login.padEnd(900)));
  assert.ok(!isLoginLike(login.padEnd(901)));
});

test('a word of failure hides a line, wherever it stands; names of hosts and users hide none', () => {
  const outside = fc.stringMatching(/^[-A-Za-z0-9 .,:=<>()]{0,80}$/);
  fc.assert(
    fc.property(outside, outside, fc.constantFrom('failed', 'aborted', 'denied'), (a, b, word) => {
      assert.ok(!isLoginLike(`Login ${a} ${word} ${b} 192.0.2.10`));
    }),
  );
  for (const host of ['smtp.example.org', 'nick@lmtp', 'https.webmail.example.org'])
    assert.ok(isLoginLike(`login: ${host} [192.0.2.10] nick plaintext User logged in`), host);
});
