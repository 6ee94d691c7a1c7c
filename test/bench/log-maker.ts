/**
 * Makes a mail log like a busy host's: Postfix above all, Dovecot, Courier and other daemons, a tenth of the
 * lines logins, and as many logouts of what has logged in.  The same seed makes the same log.
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

/** A session that has begun and not ended. */
interface Open {
  readonly user: string;
  /** What its logout says: Dovecot's session, Courier's address and port. */
  readonly session: string;
}

/** The sessions of a server, each of which ends at some time. */
class Sessions {
  readonly #open: Open[] = [];

  begin(session: Open): Open {
    this.#open.push(session);
    return session;
  }

  /** Any of them; another one when there is none. */
  end(random: Random, other: () => Open): Open {
    const index = whole(random, this.#open.length);
    const last = this.#open.pop();
    if (last === undefined) return other();
    const ended = this.#open[index] ?? last;
    if (index < this.#open.length) this.#open[index] = last;
    return ended;
  }
}

const dovecotSession = (r: Random): Open => ({ user: user(r), session: session(r) });

const courierSession = (r: Random): Open => ({
  user: user(r),
  session: `ip=[::ffff:${client(r)}], port=[${1024 + whole(r, 60_000)}]`,
});

/** What is open on the host whose log is made. */
class Host {
  readonly dovecot = { imap: new Sessions(), pop3: new Sessions() };
  readonly courier = { imapd: new Sessions(), pop3d: new Sessions() };
}

function dovecotLogin(protocol: 'imap' | 'pop3'): Message {
  return (r, host) => {
    const open = host.dovecot[protocol].begin(dovecotSession(r));
    return (
      `dovecot: ${protocol}-login: Login: user=<${open.user}>, method=PLAIN, rip=${client(r)}, ` +
      `lip=192.0.2.5, mpid=${whole(r, 60_000)}, TLS, session=<${open.session}>`
    );
  };
}

function dovecotLogout(protocol: 'imap' | 'pop3'): Message {
  return (r, host) => {
    const { user: name, session: id } = host.dovecot[protocol].end(r, () => dovecotSession(r));
    const counts =
      protocol === 'imap'
        ? `in=${whole(r, 9000)} out=${whole(r, 90_000)} deleted=0 expunged=0 trashed=0 ` +
          'hdr_count=0 hdr_bytes=0 body_count=0 body_bytes=0'
        : `top=0/0, retr=${whole(r, 9)}/${whole(r, 90_000)}, del=0/${whole(r, 90)}, size=${whole(r, 90_000)}`;
    return `dovecot: ${protocol}(${name})<${whole(r, 60_000)}><${id}>: Disconnected: Logged out ${counts}`;
  };
}

function courierLogin(program: 'imapd' | 'pop3d'): Message {
  return (r, host) => {
    const open = host.courier[program].begin(courierSession(r));
    const protocol = program === 'imapd' ? ', protocol=IMAP' : '';
    return `${program}: LOGIN, user=${open.user}, ${open.session}${protocol}`;
  };
}

function courierLogout(program: 'imapd' | 'pop3d'): Message {
  return (r, host) => {
    const { user: name, session: id } = host.courier[program].end(r, () => courierSession(r));
    const counts =
      program === 'imapd' ? `headers=0, body=${whole(r, 9000)}` : `top=0, retr=${whole(r, 9000)}`;
    return `${program}: LOGOUT, user=${name}, ${id}, ${counts}, rcvd=120, sent=900, time=${whole(r, 600)}`;
  };
}

type Message = (random: Random, host: Host) => string;
type Kind = readonly [share: number, message: Message];

const KINDS: readonly Kind[] = [
  // Logins: a tenth of all lines.
  [4, dovecotLogin('imap')],
  [3, dovecotLogin('pop3')],
  [2, courierLogin('imapd')],
  [1, courierLogin('pop3d')],
  // What else these servers say.
  [4, dovecotLogout('imap')],
  [3, dovecotLogout('pop3')],
  [2, courierLogout('imapd')],
  [1, courierLogout('pop3d')],
  [
    3,
    r =>
      `dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<${user(r)}>, method=PLAIN, rip=${address(r)}, lip=192.0.2.5, TLS, session=<${session(r)}>`,
  ],
  // Postfix.
  [
    14,
    r =>
      `postfix/smtpd[${whole(r, 60_000)}]: connect from host${whole(r, 9999)}.example.net[${address(r)}]`,
  ],
  [
    12,
    r =>
      `postfix/smtpd[${whole(r, 60_000)}]: NOQUEUE: reject: RCPT from unknown[${address(r)}]: 554 5.7.1 <someone@elsewhere.example>: Relay access denied; from=<spam${whole(r, 999)}@example.com> to=<someone@elsewhere.example> proto=ESMTP helo=<host${whole(r, 999)}>`,
  ],
  [
    14,
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
    4,
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
  const host = new Host();
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
      block += `${stamp}${micros}+00:00 mx ${pick(random)[1](random, host)}\n`;
    }
    writeSync(fd, block);
  }
  closeSync(fd);
}
