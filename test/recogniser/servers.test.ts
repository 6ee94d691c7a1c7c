/**
 * The servers' own format strings, with whatever outsiders may choose put into them: a success tells the
 * client's address or nothing, and a failure never tells of a login.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/clock.ts';
import { StampReader } from '../../src/line/stamp.ts';
import { loadPatterns } from '../../src/recogniser/load.ts';
import { Recogniser } from '../../src/recogniser/recogniser.ts';
import { client, hostileName, hostileText } from './arbitrary.ts';

const registry = await loadPatterns({ directory: '/nonexistent', explicit: false });
// Anew for each line: the lines of these tests are no log.
const recognise = (tag: string, message: string) =>
  new Recogniser(registry, new StampReader(() => epoch(0))).recognise(
    `2026-11-23T00:53:00Z mx ${tag}: ${message}`,
  );

interface Fields {
  readonly user: string;
  readonly ip: string;
  /** The client's host name. */
  readonly host: string;
  /** Other text that may be an outsider's: a session id, an error text, a name of his for himself. */
  readonly text: string;
}

type Format = (fields: Fields) => string;

interface Server {
  readonly server: string;
  readonly tags: readonly string[];
  readonly successes: readonly Format[];
  readonly failures: readonly Format[];
}

/** `str_sanitize(user, 80)` of Dovecot. */
const sanitised = (user: string): string => (user.length > 80 ? `${user.slice(0, 77)}...` : user);
/** `%.80s` */
const cut = (text: string): string => text.slice(0, 80);
/** qpopper takes what it reads apart at blanks. */
const word = (text: string): string => text.replaceAll(' ', '');

const SERVERS: readonly Server[] = [
  {
    server: 'dovecot',
    tags: ['dovecot', 'dovecot[7]'],
    successes: [
      ({ user, ip }) => `imap-login: Login: user=<${user}>, method=PLAIN, rip=${ip}, lip=192.0.2.5`,
      ({ user, ip }) =>
        `pop3-login: Login: user=<${sanitised(user)}>, method=PLAIN, rip=${ip}, lip=192.0.2.5, mpid=7, TLS, session=<kVQx3sQ/8tDAAAIK>`,
      ({ user, ip, text }) =>
        `imap-login: Logged in: user=<${sanitised(user)}>, method=PLAIN, rip=${ip}, lip=192.0.2.5, mpid=7, secured, session=<${text}>`,
      ({ user, ip, text }) =>
        `imap-login: Login: user=<${sanitised(user)}>, method=PLAIN, rip=${ip}, lip=192.0.2.5, mpid=7, TLS: ${text}, session=<kVQx3sQ/8tDAAAIK>`,
      ({ user, ip }) =>
        `imap-login: proxy(${user}): started proxying to 10.0.0.5:143/${user}: user=<${sanitised(user)}>, method=PLAIN, rip=${ip}, lip=192.0.2.5, TLS`,
      ({ user, ip }) =>
        `imap-login: proxy(${user},10.0.0.5:143): Started proxying to <10.0.0.5> (<h>) as user ${user} (0.012 secs): user=<${sanitised(user)}>, method=PLAIN, rip=${ip}, lip=192.0.2.5, TLS, session=<kVQx3sQ/8tDAAAIK>`,
    ],
    failures: [
      ({ user, ip }) =>
        `imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<${sanitised(user)}>, method=PLAIN, rip=${ip}, lip=192.0.2.5, session=<kVQx3sQ/8tDAAAIK>`,
      ({ user, ip }) =>
        `pop3-login: Aborted login (auth failed, 1 attempts): user=<${user}>, method=PLAIN, rip=${ip}, lip=192.0.2.5`,
      ({ user, ip }) =>
        `imap-login: Login aborted: Logged out (auth failed, 2 attempts in 7 secs) (auth_failed): user=<${user}>, method=PLAIN, rip=${ip}, lip=192.0.2.5, TLS`,
      ({ user, ip, text }) =>
        `imap-login: Login failed: ${text}: user=<${user}>, method=PLAIN, rip=${ip}, lip=192.0.2.5`,
      ({ ip, text }) => `imap-login: ID sent: name=${text}: user=<>, rip=${ip}, lip=192.0.2.5`,
      ({ user, ip, text }) =>
        `imap-login: proxy(${user},10.0.0.5:143): Login failed: ${text}: user=<${sanitised(user)}>, method=PLAIN, rip=${ip}, lip=192.0.2.5`,
      ({ user, ip }) => `imap-login: proxy(${user}): disconnecting ${ip} (Disconnected by server)`,
      ({ user, text }) => `imap-login: proxy(${user},10.0.0.5:143): connect() failed: ${text}`,
      ({ user, ip }) => `auth: passwd-file(${user},${ip},<x>): unknown user`,
      ({ user, text }) => `imap(${user}): Error: ${text}`,
      ({ user, ip }) =>
        `managesieve-login: Login: user=<${user}>, method=PLAIN, rip=${ip}, lip=192.0.2.5, mpid=7, TLS`,
    ],
  },
  {
    server: 'dovecot',
    tags: ['imap-login', 'pop3-login[7]'],
    successes: [({ user, ip }) => `Login: ${user} [${ip}]`],
    failures: [
      ({ ip }) => `Disconnected [${ip}]`,
      ({ ip, text }) => `Aborted login: ${text} [${ip}]`,
    ],
  },
  {
    server: 'courier',
    tags: ['imapd', 'pop3d', 'imapd-ssl', 'pop3d-ssl[7]'],
    successes: [
      ({ user, ip }) => `LOGIN, user=${user}, ip=[${ip}], port=[54236], protocol=IMAP`,
      ({ user, ip }) => `LOGIN, user=${user}, ip=[${ip}], port=[54236], protocol=IMAP, starttls=1`,
      ({ user, ip }) => `LOGIN, user=${user}, ip=[${ip}], port=[1060], stls=1`,
      ({ user, ip }) => `LOGIN, user=${user}, ip=[${ip}]`,
    ],
    failures: [
      ({ user, ip }) => `LOGIN FAILED, user=${user}, ip=[${ip}], port=[54236]`,
      ({ user, ip }) => `LOGIN FAILED, user=${user}, ip=[${ip}]`,
      ({ ip, text }) => `LOGIN FAILED, method=${text}, ip=[${ip}]`,
      ({ ip, text }) => `LOGIN: ip=[${ip}], command=${text}`,
      ({ user, ip, text }) => `ID, user=${user}, ip=[${ip}], port=[1], name="${text}"`,
    ],
  },
  {
    server: 'qpopper',
    tags: ['popper[7]', 'in.qpopper[7]'],
    successes: [
      ({ user, host, ip }) => `(v4.0.9) POP login by user "${user}" at (${host}) ${ip}`,
      ({ user, host, ip }) =>
        `(v4.0.9) POP login by user "${user}" at (${host}) ${ip} [pop_log.c:244]`,
      ({ user, host, ip }) => `Stats: ${user} 0 0 3 4711 ${host} ${ip}`,
    ],
    failures: [
      ({ user, host, ip }) =>
        `${word(user)} at ${host} (${ip}): -ERR [AUTH] Password supplied for "${word(user)}" is incorrect. [pop_pass.c:1263]`,
      ({ user, host, ip }) =>
        `${word(user)} at ${host} (${ip}): -ERR [AUTH] Password supplied for "${word(user)}" is incorrect.`,
      ({ host, ip }) => `(v4.0.9) Servicing request from "${host}" at ${ip}`,
      ({ user, host, ip }) => `${word(user)} at ${host} (${ip}): -ERR POP EOF or I/O Error`,
    ],
  },
  {
    server: 'uw-imap',
    tags: ['imapd[7]', 'ipop3d[7]', 'ipop2d[7]'],
    successes: [
      ({ user, host, ip }) => `Login user=${cut(user)} host=${cut(`${host} [${ip}]`)}`,
      ({ user, host, ip }) =>
        `Authenticated user=${cut(user)} host=${cut(`${host} [${ip}]`)} mech=CRAM-MD5`,
      ({ user, host, ip }) => `APOP user=${cut(user)} host=${cut(`${host} [${ip}]`)} nmsgs=3/3`,
      ({ user, ip }) => `Admin Login user=${cut(user)} host=[${ip}] no mailbox`,
    ],
    failures: [
      ({ user, host, ip }) =>
        `Login failed user=${user.slice(0, 64)} auth=${user.slice(0, 64)} host=${cut(`${host} [${ip}]`)}`,
      ({ text, host, ip }) => `Login anonymous=${cut(text)} host=${cut(`${host} [${ip}]`)}`,
      ({ text, host, ip }) => `Authenticated anonymous=${cut(text)} host=${cut(`${host} [${ip}]`)}`,
      ({ text, host, ip }) => `AUTHENTICATE ${text} failure host=${cut(`${host} [${ip}]`)}`,
      ({ user, host, ip }) => `Preauthenticated user=${cut(user)} host=${cut(`${host} [${ip}]`)}`,
      ({ text, user, host, ip }) =>
        `IMAP login to host=${cut(text)} user=${cut(user)} host=${cut(`${host} [${ip}]`)}`,
    ],
  },
];

const plainName = fc.stringMatching(/^[a-z][a-z0-9._+-]{0,30}(?:@[a-z0-9.-]{1,30})?$/);

for (const { server, tags, successes, failures } of SERVERS) {
  describe(`${server}, as ${tags.join(', ')}`, () => {
    const tag = fc.constantFrom(...tags);
    test('a login of anybody is one, whatever his host calls itself', () => {
      const name = fc.stringMatching(/^[a-z0-9.-]{1,20}$/);
      fc.assert(
        fc.property(
          tag,
          fc.constantFrom(...successes),
          client,
          plainName,
          name,
          (program, format, [ip, canonical], user, host) => {
            const event = recognise(program, format({ user, ip, host, text: 'x' }));
            assert.ok(event !== null);
            const { event: kind, server: from, ip: found, user: who } = event;
            assert.deepEqual([kind, from, found, who], ['login', server, canonical, user]);
          },
        ),
        { numRuns: 500 },
      );
    });

    test('a success tells the address of the client, or nothing', () => {
      fc.assert(
        fc.property(
          tag,
          fc.constantFrom(...successes),
          client,
          hostileText,
          hostileName,
          hostileText,
          (program, format, [ip, canonical], user, host, text) => {
            const event = recognise(program, format({ user, ip, host, text }));
            assert.ok(event === null || (event.event === 'login' && event.ip === canonical));
          },
        ),
        { numRuns: 3000 },
      );
    });

    test('a failure tells of no login', () => {
      fc.assert(
        fc.property(
          tag,
          fc.constantFrom(...failures),
          client,
          hostileText,
          hostileName,
          hostileText,
          (program, format, [ip], user, host, text) => {
            assert.notEqual(recognise(program, format({ user, ip, host, text }))?.event, 'login');
          },
        ),
        { numRuns: 3000 },
      );
    });
  });
}
