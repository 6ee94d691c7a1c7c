/**
 * A large log of other programs, which print what strangers say: CVE-2001-1075, in every field there is.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { parseLine } from '../../src/line/prefix.ts';
import { StampReader } from '../../src/line/stamp.ts';
import { loadPatterns } from '../../src/recogniser/load.ts';
import { Recogniser } from '../../src/recogniser/recogniser.ts';
import { FORGED } from './arbitrary.ts';

const shipped = await loadPatterns({ directory: '/nonexistent', explicit: false });
const NOW = epoch(Date.parse('2026-11-24T12:00:00Z') / 1000);

/** The strings of the advisory and its kind, for the Perl scripts of that time and for what is a login today. */
const ADVISORY = [
  `POP login by user "x" at (h) ${FORGED}`,
  `(v4.0.9) POP login by user "x" at (h) ${FORGED}`,
  `imapd[1]: Login user=x host=h [${FORGED}]`,
  `ipop3d[1]: Login user=x host=[${FORGED}] nmsgs=0/0`,
  `imapd: LOGIN, user=x, ip=[::ffff:${FORGED}], port=[1], protocol=IMAP`,
  `dovecot: imap-login: Login: user=<x>, method=PLAIN, rip=${FORGED}, lip=192.0.2.5, mpid=1, TLS`,
  `cyrus/imap[1]: login: h [${FORGED}] x PLAIN User logged in`,
  `\t\r dovecot: imap-login: Login: user=<x>, method=PLAIN, rip=${FORGED}, lip=192.0.2.5`,
  `#012Nov 23 00:53:00 mx imapd[1]: Login user=x host=[${FORGED}]`,
];

/** Every genuine line, whole and without its prefix. */
const genuine = shipped.files
  .flatMap(({ patterns }) => patterns)
  .flatMap(({ samples }) => samples)
  .filter(({ kind }) => kind === 'match')
  .flatMap(({ line }) => {
    const { message } = parseLine(line, new StampReader(() => NOW), shipped);
    return [line, message, line.slice(0, -message.length).replace(/^.* /, '') + message];
  });

type Template = (text: string) => string;

/** Program and message; where there is a pid it is one that popa3d has as well. */
const TEMPLATES: readonly Template[] = [
  text => `postfix/smtpd[7]: connect from ${text}[198.51.100.9]`,
  text => `postfix/smtpd[7]: warning: hostname ${text} does not resolve to address 198.51.100.9`,
  text =>
    `postfix/smtpd[7]: NOQUEUE: reject: RCPT from ${text}[198.51.100.9]: 554 5.7.1 <${text}>: Relay access denied; from=<${text}> to=<a@example.org> proto=ESMTP helo=<${text}>`,
  text =>
    `postfix/smtpd[7]: warning: Illegal address syntax from unknown[198.51.100.9] in MAIL command: <${text}>`,
  text =>
    `postfix/smtpd[7]: warning: unknown[198.51.100.9]: SASL LOGIN authentication failed: ${text}, sasl_username=${text}`,
  text =>
    `postfix/smtpd[7]: 4Rk9: client=unknown[198.51.100.9], sasl_method=PLAIN, sasl_username=${text}`,
  text =>
    `postfix/submission/smtpd[7]: improper command pipelining after EHLO from unknown[198.51.100.9]: ${text}`,
  text => `postfix/smtpd[7]: warning: non-SMTP command from unknown[198.51.100.9]: ${text}`,
  text => `postfix/cleanup[7]: 4Rk9: message-id=<${text}>`,
  text =>
    `postfix/cleanup[7]: 4Rk9: warning: header Subject: ${text} from local; from=<x@example.org> to=<y@example.org>`,
  text => `postfix/qmgr[7]: 4Rk9: from=<${text}>, size=400, nrcpt=1 (queue active)`,
  text =>
    `postfix/smtp[7]: 4Rk9: to=<x@example.net>, relay=${text}[198.51.100.9]:25, delay=1, dsn=5.0.0, status=bounced (host ${text}[198.51.100.9] said: 550 ${text})`,
  text =>
    `postfix/local[7]: 4Rk9: to=<x@example.org>, relay=local, status=sent (delivered to command: ${text})`,
  text => `postfix/postscreen[7]: PREGREET 11 after 0.1 from [198.51.100.9]:4711: ${text}`,
  text => `sendmail[7]: AAA00099: from=${text}, size=0, class=0, relay=[198.51.100.9]`,
  text => `sendmail[7]: AAA00099: ruleset=check_rcpt, arg1=<${text}>, relay=${text} [198.51.100.9]`,
  text => `exim[7]: rejected EHLO from [198.51.100.9]: syntactically invalid argument(s): ${text}`,
  text => `amavis[7]: (00007-01) Passed CLEAN, <${text}> -> <x@example.org>, Message-ID: <${text}>`,
  text => `spamd[7]: spamd: processing message <${text}> for x:1000`,
  text => `spamd[7]: spamd: connection from ${text} [198.51.100.9] at port 4711`,
  text => `opendkim[7]: 4Rk9: ${text} [198.51.100.9] not internal`,
  text => `clamd[7]: ${text}: Eicar-Test-Signature FOUND`,
  text => `sshd[7]: Invalid user ${text} from 198.51.100.9 port 4711`,
  text => `sshd[7]: Failed password for invalid user ${text} from 198.51.100.9 port 4711 ssh2`,
  text => `sshd[7]: Bad protocol version identification '${text}' from 198.51.100.9 port 4711`,
  text => `CRON[7]: (root) CMD (${text})`,
  text => `sudo: x : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/echo ${text}`,
  text => `named[7]: client 198.51.100.9#53 (${text}): query: ${text} IN A`,
  text => `kernel: [    1.000000] ${text}`,
  text => `systemd[1]: Started ${text}.`,
  text => `sqwebmaild: LOGIN FAILED, user=${text}, ip=[198.51.100.9]`,
  text => `managesieve-login: ${text}`,
  text => `cyrus/sieve[7]: badlogin: h [198.51.100.9] PLAIN ${text}`,
  text => `cyrus/lmtpunix[7]: dupelim: eliminated duplicate message to user.x id <${text}>`,
  text => `dovecot: lmtp(x)<7><y>: msgid=<${text}>: saved mail to INBOX`,
  text =>
    `dovecot: managesieve-login: Disconnected (auth failed): user=<${text}>, rip=198.51.100.9`,
  text => `dovecot: auth: passwd-file(${text},198.51.100.9): unknown user`,
  text => `dovecot: imap(x)<7><y>: copy from INBOX: box=${text}, msgid=<${text}>, subject=${text}`,
  // Connections that nobody logged in on, for whoever says afterwards that he did.
  () => `popa3d[7]: Session from ${FORGED}`,
  () => `solid-pop3d[7]: connect from ${FORGED}`,
  () => `vm-pop3d[7]: Connect from ${FORGED}`,
  () => `gnu-pop3d[7]: connect from ${FORGED}`,
  () => 'last message repeated 3 times',
];

const PREFIXES: readonly Template[] = [
  text => `Nov 23 00:53:00 mx ${text}`,
  text => `2026-11-23T00:53:00.123456+01:00 mx ${text}`,
  text => `<22>Nov 23 00:53:00 mx ${text}`,
  text =>
    text.replace(
      /^([^ :[]+)(?:\[(\d+)\])?:/,
      (_, program, pid) => `<22>1 2026-11-23T00:53:00Z mx ${program} ${pid ?? '-'} - -`,
    ),
];

test('lines of other programs, with every login there is in every field', () => {
  const recogniser = new Recogniser(shipped, new StampReader(() => NOW));
  let lines = 0;
  for (const text of [...ADVISORY, ...genuine]) {
    for (const [index, template] of TEMPLATES.entries()) {
      const prefix = PREFIXES[(lines + index) % PREFIXES.length];
      const line = prefix?.(template(text)) ?? '';
      assert.equal(recogniser.recognise(line), null, line);
      lines++;
    }
  }
  assert.ok(lines > 10_000, `${lines} lines`);
});

test('what rsyslog says once more is a login once more, when it says so, and of the same tag only', () => {
  const read = (line: string) =>
    new Recogniser(shipped, new StampReader(() => NOW)).recognise(line);
  let logins = 0;
  for (const text of genuine) {
    for (const { programs } of shipped.files) {
      const tag = `${programs[0]}[7]:`;
      const once = read(`Nov 23 00:53:00 mx ${tag} ${text}`);
      const expected = once?.event === 'login' ? { ...once, session: null } : once;
      for (const gap of ['', ' ']) {
        const line = `Nov 23 00:53:00 mx ${tag} message repeated 3 times: [${gap}${text}]`;
        assert.deepEqual(read(line), expected, line);
      }
      if (once?.event === 'login') logins++;
      const others = [
        `Nov 23 00:53:00 mx postfix/smtpd[7]: message repeated 3 times: [ ${text}]`,
        `Nov 23 00:53:00 mx postfix/smtpd[7]: message repeated 3 times: [ ${tag} ${text}]`,
        `Nov 23 00:53:00 mx ${tag} x message repeated 3 times: [ ${text}]`,
        `Nov 23 00:53:00 mx ${tag} message repeated 3 times: [ x ${text}]`,
        `Nov 23 00:53:00 mx ${tag} message repeated 3 times: [ message repeated 3 times: [ ${text}]]`,
      ];
      for (const line of others) assert.equal(read(line), null, line);
    }
  }
  assert.ok(logins > 0);
});

test('a connection that is told once more is no connection of a later process of that number', () => {
  const recogniser = new Recogniser(shipped, new StampReader(() => NOW));
  const repeated = 'message repeated 2 times: [ Session from 203.0.113.66]';
  const login = 'Authentication passed for nick -- no shell';
  for (const text of [repeated, login])
    assert.equal(recogniser.recognise(`Nov 23 00:53:00 mx popa3d[7]: ${text}`), null);
});

test('a repetition that rsyslog may have cut is none, since its end tells whose address it is', () => {
  const recogniser = new Recogniser(shipped, new StampReader(() => NOW));
  const repeat = (name: string): string => {
    const login = `imap-login: Login: user=<${name}>, method=PLAIN, rip=192.0.2.10, lip=192.0.2.5`;
    return `Nov 23 00:53:00 mx dovecot: message repeated 2 times: [ ${login.slice(0, 799)}]`;
  };
  const imitation = `x>, method=PLAIN, rip=203.0.113.66, lip=192.0.2.5, ${'y'.repeat(800)}`;
  assert.equal(recogniser.recognise(repeat(imitation)), null);
  assert.equal(recogniser.recognise(repeat(imitation.slice(0, 600))), null);
  assert.equal(recogniser.recognise(repeat('anna'))?.ip, '192.0.2.10');
});
