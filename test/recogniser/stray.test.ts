import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { parseLine } from '../../src/line/prefix.ts';
import { StampReader } from '../../src/line/stamp.ts';
import { loadPatterns } from '../../src/recogniser/load.ts';
import { type Stray, strayOf } from '../../src/recogniser/stray.ts';
import { StrayWatch, strayText } from '../../src/recogniser/stray-watch.ts';

const registry = await loadPatterns({ directory: '/nonexistent', explicit: false });
const found = (text: string): Stray | null => {
  const line = parseLine(text, new StampReader(() => epoch(1_795_400_000)), registry);
  const isKnown = line.program !== null && registry.program(line.program) !== null;
  return isKnown ? null : strayOf(line, registry);
};

const LOGIN =
  'imap-login: Login: user=<anna>, method=PLAIN, rip=198.51.100.7, lip=192.0.2.5, mpid=99, TLS';
const OWN = `Nov 23 00:53:00 ${LOGIN.replace(': ', ': Info: ')}`;
const NGINX =
  '2026/11/23 00:53:00 [info] 12#12: *5 client logged in, client: 198.51.100.7, server: 0.0.0.0:143, login: "anna", upstream: 10.0.0.5:143';
const ZIMBRA =
  '[name=anna@example.org;ip=192.0.2.4;oip=198.51.100.7;ua=x;] imap - user anna@example.org authenticated, mechanism=LOGIN';

const beginning = (text: string, server: string | null = 'dovecot') => ({
  kind: 'beginning',
  beginning: text,
  server,
});

describe('told of lines that are no known server’s', () => {
  const tag = { kind: 'tag', tag: 'x', server: 'dovecot' } as const;
  const table: readonly (readonly [string, object])[] = [
    [`Nov 23 00:53:00 mx x[7]: ${LOGIN}`, tag],
    [`Nov 23 00:53:00 mx x[7]: ${OWN}`, tag],
    [`Nov 23 00:53:00 mx x: Nov 23 00:53:00 mx dovecot: ${LOGIN}`, tag],
    [`2026-11-23T00:53:00Z stdout F Nov 23 00:53:00 mx x: ${LOGIN}`, tag],
    [
      'Nov 23 00:53:00 mx front: LOGIN, user=anna, ip=[198.51.100.7], port=[4711], protocol=IMAP',
      { kind: 'tag', tag: 'front', server: 'courier' },
    ],
    [
      `Nov 23 00:53:00 mx mailu-front: ${NGINX}`,
      { kind: 'tag', tag: 'mailu-front', server: 'nginx' },
    ],
    [
      `Nov 23 00:53:01 relay Nov 23 00:53:00 mx dovecot: ${LOGIN}`,
      { kind: 'relayed', relay: 'relay', beginning: 'Nov 23 00:53:01 relay' },
    ],
    [
      `Nov 23 00:53:01 192.0.2.1 <22>Nov 23 00:53:00 mx dovecot: ${LOGIN}`,
      { kind: 'relayed', relay: '192.0.2.1', beginning: 'Nov 23 00:53:01 192.0.2.1' },
    ],
    [
      `<22>Nov 23 00:53:01 r <22>1 2026-11-23T00:53:00Z mx dovecot 4 - - ${LOGIN}`,
      { kind: 'relayed', relay: 'r', beginning: '<22>Nov 23 00:53:01 r' },
    ],
    [
      `Nov 23 00:53:01 r 2026-11-23T00: 53:00+01:00 mx dovecot: ${LOGIN}`,
      { kind: 'relayed', relay: 'r', beginning: 'Nov 23 00:53:01 r' },
    ],
    [
      `Nov 23 00:53:01 r 2026-11-23T00:53:00+01:00 mx dovecot: ${LOGIN}`,
      { kind: 'relayed', relay: 'r', beginning: 'Nov 23 00:53:01 r' },
    ],
    [
      `Nov 23 00:53:02 a Nov 23 00:53:01 b Nov 23 00:53:00 mx dovecot: ${LOGIN}`,
      { kind: 'relayed', relay: 'a', beginning: 'Nov 23 00:53:02 a' },
    ],
    [NGINX, { kind: 'own file', server: 'nginx' }],
    [
      `2026-11-23 00:53:00,207 INFO  [ImapSSLServer-13] ${ZIMBRA}`,
      { kind: 'own file', server: 'zimbra' },
    ],
    [
      `Nov 23 00:53:00 mx mailboxlog 2026-11-23 00:53:00,787 INFO [ImapServer-8] ${ZIMBRA}`,
      { kind: 'own file', server: 'zimbra' },
    ],
    [LOGIN, beginning('')],
    [`xyz ${LOGIN}`, beginning('xyz ')],
    [`<6>xyz\t ${LOGIN}`, beginning('<6>xyz\t ')],
    [`11/23/26 00:53:00 mx dovecot: ${LOGIN}`, beginning('11/23/26 00:53:00 mx dovecot: ')],
    [`{"msg":"${LOGIN}"}`, beginning(`{"msg":"${LOGIN}"}`.slice(0, 60), null)],
    [
      'Nov 23 00:53:00 mx systemd-journald[7]: Suppressed 42 messages from dovecot.service',
      { kind: 'dropped', by: 'systemd-journald' },
    ],
    [
      'Nov 23 00:53:00 mx rsyslogd: imjournal: begin to drop messages due to rate-limiting',
      { kind: 'dropped', by: 'rsyslogd' },
    ],
    [
      'Nov 23 00:53:00 mx rsyslogd: imuxsock[pid 7]: begin to drop messages due to rate-limiting',
      { kind: 'dropped', by: 'rsyslogd' },
    ],
    [
      'Nov 23 00:53:00 mx rsyslogd: imjournal: 4711 messages lost due to rate-limiting (20000 allowed within 600 seconds)',
      { kind: 'dropped', by: 'rsyslogd' },
    ],
  ];
  for (const [text, expected] of table)
    test(text, () => {
      assert.deepEqual(found(text), expected);
    });
});

describe('not told', () => {
  const failed =
    'imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<anna>, method=PLAIN, rip=203.0.113.66, lip=192.0.2.5';
  const table = [
    '',
    'Nov 23 00:53:00 mx sshd[7]: Accepted password for anna from 198.51.100.7 port 4711 ssh2',
    'Nov 23 00:53:00 mx postfix/smtpd[7]: A1: client=h[198.51.100.7], sasl_method=LOGIN, sasl_username=anna',
    `Nov 23 00:53:00 mx x[7]: ${failed}`,
    `Nov 23 00:53:01 relay Nov 23 00:53:00 mx dovecot: ${failed}`,
    `xyz ${failed}`,
    // A stranger's text in another program's line.
    `Nov 23 00:53:00 mx postfix/smtpd[7]: warning: Illegal address syntax from h[203.0.113.66] in MAIL command: <${LOGIN}>`,
    `Nov 23 00:53:00 mx postfix/smtpd[7]: warning: non-SMTP command from h[203.0.113.66]: ${LOGIN}`,
    `Nov 23 00:53:00 mx x[7]: warning: ${OWN}`,
    `Nov 23 00:53:00 mx x[7]: a Suppressed 42 messages from dovecot.service`,
    'Nov 23 00:53:00 mx x[7]: Suppressed 42 messages from dovecot.service',
    `203.0.113.66 - - [23/Nov/2026:00:53:00 +0000] "GET /${LOGIN.replace('imap-login', 'x')} HTTP/1.1" 404 0`,
  ];
  for (const text of table) test(text, () => assert.equal(found(text), null));
});

describe('the daemon', () => {
  const watch = (isQuoted = true) => {
    const warnings: string[] = [];
    return { warnings, watch: new StrayWatch(text => warnings.push(text), isQuoted) };
  };

  test('tells each tag once, in a line with what to do', () => {
    const { warnings, watch: one } = watch();
    for (const tag of ['a', 'b', 'a', 'a']) one.found({ kind: 'tag', tag, server: 'dovecot' });
    assert.equal(warnings.length, 2);
    assert.match(
      warnings[0] ?? '',
      /^lines under the tag a look like logins of dovecot.*extend = true and programs = \["a"\]/,
    );
  });

  test('tells of each relay once, and how it is named', () => {
    const { warnings, watch: one } = watch();
    for (const relay of ['a', 'b', 'a'])
      one.found({ kind: 'relayed', relay, beginning: `Nov 23 00:53:01 ${relay}` });
    assert.deepEqual(
      warnings.map(warning => /trusted-relays = \["(.)"\]/.exec(warning)?.[1]),
      ['a', 'b'],
    );
  });

  test('tells of few kinds, whatever tags there are', () => {
    const { warnings, watch: one } = watch();
    for (let n = 0; n < 1000; n++) one.found({ kind: 'tag', tag: `t${n}`, server: 'dovecot' });
    assert.equal(warnings.length, 20);
  });

  test('shows what is not understood, but no user', () => {
    const stray: Stray = { kind: 'beginning', beginning: 'x\x1b user=<anna>', server: null };
    assert.match(strayText(stray).what, /anna/);
    assert.ok(!strayText(stray).what.includes('\x1b'));
    assert.doesNotMatch(strayText(stray, false).what, /anna/);
  });

  test('says that nginx and Zimbra are read through syslog only', () => {
    for (const server of ['nginx', 'zimbra'] as const) {
      assert.match(strayText({ kind: 'own file', server }).cure, /through syslog only/);
      assert.match(strayText({ kind: 'tag', tag: 'x', server }).cure, /through syslog only/);
    }
  });
});
