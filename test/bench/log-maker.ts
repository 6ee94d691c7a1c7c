/**
 * Makes a mail log like a busy host's: Postfix above all, Dovecot, Courier and other daemons, a tenth of the
 * lines logins.  The same seed makes the same log.
 */
import { closeSync, openSync, writeSync } from 'node:fs';

export interface LogOptions {
  readonly lines: number;
  readonly seed: number;
  /** Unix time of the first line, in seconds. */
  readonly start: number;
  /** Lines a second, by the log's own stamps. */
  readonly rate: number;
}

/** Numbers from 0 to 1, the same for the same seed (a xorshift of 32 bits: G. Marsaglia, 2003). */
function randomFrom(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

type Random = () => number;

const whole = (random: Random, below: number): number => Math.floor(random() * below);

const hex = (random: Random, length: number): string =>
  Array.from({ length }, () => whole(random, 16).toString(16).toUpperCase()).join('');

const address = (random: Random): string =>
  `${60 + whole(random, 130)}.${whole(random, 256)}.${whole(random, 256)}.${1 + whole(random, 254)}`;

/** Where clients log in from: 50,000 addresses, as a host of that size has. */
const client = (random: Random): string => {
  const number = whole(random, 50_000);
  return `100.${64 + (number >> 14)}.${(number >> 6) & 255}.${1 + (number & 63)}`;
};

const user = (random: Random): string => `user${whole(random, 20_000)}@example.org`;

const session = (random: Random): string =>
  `${hex(random, 8)}+${hex(random, 4).toLowerCase()}/${hex(random, 6)}`;

type Kind = readonly [share: number, message: (random: Random) => string];

const KINDS: readonly Kind[] = [
  // Logins: a tenth of all lines.
  [
    4,
    r =>
      `dovecot: imap-login: Login: user=<${user(r)}>, method=PLAIN, rip=${client(r)}, lip=192.0.2.5, mpid=${whole(r, 60_000)}, TLS, session=<${session(r)}>`,
  ],
  [
    3,
    r =>
      `dovecot: pop3-login: Login: user=<${user(r)}>, method=PLAIN, rip=${client(r)}, lip=192.0.2.5, mpid=${whole(r, 60_000)}, TLS, session=<${session(r)}>`,
  ],
  [
    2,
    r =>
      `imapd: LOGIN, user=${user(r)}, ip=[::ffff:${client(r)}], port=[${1024 + whole(r, 60_000)}], protocol=IMAP`,
  ],
  [
    1,
    r =>
      `pop3d: LOGIN, user=${user(r)}, ip=[::ffff:${client(r)}], port=[${1024 + whole(r, 60_000)}]`,
  ],
  // What else these servers say.
  [
    5,
    r =>
      `dovecot: imap(${user(r)})<${whole(r, 60_000)}><${session(r)}>: Disconnected: Logged out in=${whole(r, 9000)} out=${whole(r, 90_000)} deleted=0 expunged=0 trashed=0 hdr_count=0 hdr_bytes=0 body_count=0 body_bytes=0`,
  ],
  [
    3,
    r =>
      `dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<${user(r)}>, method=PLAIN, rip=${address(r)}, lip=192.0.2.5, TLS, session=<${session(r)}>`,
  ],
  [
    2,
    r =>
      `imapd: LOGOUT, user=${user(r)}, ip=[::ffff:${client(r)}], port=[${1024 + whole(r, 60_000)}], headers=0, body=${whole(r, 9000)}, rcvd=120, sent=900, time=${whole(r, 600)}`,
  ],
  // Postfix.
  [
    15,
    r =>
      `postfix/smtpd[${whole(r, 60_000)}]: connect from host${whole(r, 9999)}.example.net[${address(r)}]`,
  ],
  [
    12,
    r =>
      `postfix/smtpd[${whole(r, 60_000)}]: NOQUEUE: reject: RCPT from unknown[${address(r)}]: 554 5.7.1 <someone@elsewhere.example>: Relay access denied; from=<spam${whole(r, 999)}@example.com> to=<someone@elsewhere.example> proto=ESMTP helo=<host${whole(r, 999)}>`,
  ],
  [
    15,
    r =>
      `postfix/smtpd[${whole(r, 60_000)}]: disconnect from host${whole(r, 9999)}.example.net[${address(r)}] ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7`,
  ],
  [
    10,
    r =>
      `postfix/qmgr[1234]: ${hex(r, 10)}: from=<list${whole(r, 999)}@example.org>, size=${whole(r, 90_000)}, nrcpt=1 (queue active)`,
  ],
  [
    10,
    r =>
      `postfix/smtp[${whole(r, 60_000)}]: ${hex(r, 10)}: to=<${user(r)}>, relay=mx${whole(r, 99)}.example.com[${address(r)}]:25, delay=${whole(r, 9)}.4, delays=0.02/0/0.9/0.5, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as ${hex(r, 10)})`,
  ],
  [
    6,
    r =>
      `postfix/cleanup[${whole(r, 60_000)}]: ${hex(r, 10)}: message-id=<${hex(r, 16)}@example.org>`,
  ],
  [
    5,
    r =>
      `spamd[${whole(r, 60_000)}]: spamd: result: . ${whole(r, 5)} - BAYES_00,HTML_MESSAGE,SPF_PASS scantime=0.${whole(r, 9)},size=${whole(r, 90_000)},user=nobody,uid=65534,required_score=5.0`,
  ],
  [
    4,
    r =>
      `sshd[${whole(r, 60_000)}]: Failed password for invalid user admin from ${address(r)} port ${whole(r, 60_000)} ssh2`,
  ],
  [
    3,
    r =>
      `CRON[${whole(r, 60_000)}]: (root) CMD (command -v debian-sa1 > /dev/null && debian-sa1 1 1)`,
  ],
];

const TOTAL = KINDS.reduce((sum, [share]) => sum + share, 0);

function pick(random: Random): Kind {
  let rest = whole(random, TOTAL);
  for (const kind of KINDS) {
    rest -= kind[0];
    if (rest < 0) return kind;
  }
  throw new RangeError('the shares do not add up');
}

const BLOCK_LINES = 10_000;

/** Writes the log to a file. */
export function makeLog(path: string, { lines, seed, start, rate }: LogOptions): void {
  const random = randomFrom(seed);
  const fd = openSync(path, 'w');
  let second = -1;
  let stamp = '';
  for (let first = 0; first < lines; first += BLOCK_LINES) {
    let block = '';
    for (let line = first; line < Math.min(lines, first + BLOCK_LINES); line++) {
      const now = Math.floor(line / rate);
      if (now !== second) stamp = new Date((start + now) * 1000).toISOString().replace('000Z', '');
      second = now;
      const micros = String(whole(random, 1_000_000)).padStart(6, '0');
      block += `${stamp}${micros}+00:00 mx ${pick(random)[1](random)}\n`;
    }
    writeSync(fd, block);
  }
  closeSync(fd);
}
