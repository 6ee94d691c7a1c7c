/**
 * `popbsmtp demo`: the whole thing at work in a temporary directory, with no root and no set-up.
 *
 * The real daemon watches a real file, into which real log lines of the four servers are written; what it
 * prints is what `--debug` prints.  Only the grace period is shorter, so that its end can be seen.
 */
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { epoch } from '../base/clock.ts';
import { EXIT, failure } from '../base/errors.ts';
import { requireOutput } from '../base/output.ts';
import { quantity } from '../base/quantity.ts';
import { startDaemon } from '../daemon/daemon.ts';
import { type RunSettings, runSettings } from '../daemon/settings.ts';
import { formatStamp } from '../line/stamp.ts';
import type { MapSpec, Row } from '../map/map.ts';
import { formatMapSpec, readRows } from '../map/map-types.ts';
import type { Value } from '../options/entry.ts';
import type { OptionName } from '../options/options.ts';
import { type Settings, settingsOf } from '../options/settings.ts';
import { Values } from '../options/values.ts';
import { debugLines } from '../report/decisions.ts';
import { say } from '../report/print.ts';
import { proveWithExim, proveWithOpenSmtpd, proveWithSendmail } from './demo-mtas.ts';
import { proveRows } from './demo-proof.ts';
import { proveRules } from './demo-tcpserver.ts';

const GRACE_SECONDS = 6;
/** Long enough to read along. */
const PAUSE_MS = 300;
const POLL_MS = 20;
const PATIENCE_MS = 20_000;

const MYNETWORKS = '127.0.0.0/8 192.0.2.0/24';

const ENDING = `
That was the whole of it.  To see what popbsmtp makes of a log of yours, which changes nothing:

    popbsmtp match /var/log/mail.log
    popbsmtp run --debug --nowrite --watchlog /var/log/mail.log
`;

interface Scene {
  /** What happens. */
  readonly title: string;
  /** The log line that tells of it, without its stamp; addresses of RFC 5737 and RFC 3849. */
  readonly message: string;
  readonly isLogin: boolean;
}

const SCENES: readonly Scene[] = [
  {
    title: 'Dovecot 2.3: a POP3 login',
    message:
      'mx dovecot: pop3-login: Login: user=<anna>, method=PLAIN, rip=198.51.100.7, lip=192.0.2.5, mpid=4711, TLS, session=<kVQx3sQ/8tDAAAIK>',
    isLogin: true,
  },
  {
    title: 'Courier: an IMAP login, from an IPv4 address in IPv6 form',
    message:
      'mx imapd: LOGIN, user=nick@example.org, ip=[::ffff:203.0.113.20], port=[54236], protocol=IMAP',
    isLogin: true,
  },
  {
    title: 'qpopper: a login',
    message:
      'mx qpopper[1234]: (v4.0.9) POP login by user "scanner" at (device.example.org) 198.51.100.33',
    isLogin: true,
  },
  {
    title: 'UW-IMAP: a login over IPv6',
    message: 'mx ipop3d[1240]: APOP user=nick host=[2001:db8::17] nmsgs=0/0',
    isLogin: true,
  },
  {
    title: 'Dovecot 2.4: the first address again, which only refreshes its grant',
    message:
      'mx dovecot: imap-login: Logged in: user=<anna>, method=PLAIN, rip=198.51.100.7, lip=192.0.2.5, mpid=4712, TLS, session=<aVQx3sQ/9NAgAQ24>',
    isLogin: true,
  },
  {
    title: 'a login from within mynetworks, which may relay anyway',
    message:
      'mx dovecot: imap-login: Login: user=<boss>, method=PLAIN, rip=192.0.2.10, lip=192.0.2.5, mpid=4713, session=<bVQx3sQ/8tDAAAIK>',
    isLogin: true,
  },
  {
    title: 'a failed login whose user name imitates a good one: nothing may come of it',
    message:
      'mx dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<x>, method=PLAIN, rip=203.0.113.66, lip=1>, method=PLAIN, rip=203.0.113.9, lip=192.0.2.5, session=<cVQx3sQ/8tDAAAIK>',
    isLogin: false,
  },
];

type Mta = Settings<'demo'>['mta'];

/** What each reads, and how it shows that. */
const MTAS: Readonly<Record<Mta, { readonly type: string; readonly prove: typeof proveRows }>> = {
  postfix: { type: 'lmdb', prove: proveRows },
  exim: { type: 'cdb', prove: proveWithExim },
  opensmtpd: { type: 'table', prove: proveWithOpenSmtpd },
  sendmail: { type: 'makemap:hash', prove: proveWithSendmail },
  tcpserver: { type: 'tcprules', prove: (_, map, rows, tell) => proveRules(map, rows, tell) },
};

export async function demo(values: Values): Promise<number> {
  const { mta } = settingsOf(values, 'demo');
  const directory = mkdtempSync(join(tmpdir(), 'popbsmtp-demo-'));
  try {
    await play(directory, mta);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  say(ENDING);
  return EXIT.ok;
}

async function play(directory: string, mta: Mta): Promise<void> {
  const { type, prove } = MTAS[mta];
  const log = join(directory, 'mail.log');
  const map: MapSpec = { type, path: join(directory, 'pop-before-smtp') };
  writeFileSync(log, '');
  const seen = { login: 0, purged: 0 };
  const daemon = await startDaemon(settingsFor(directory, log, map), {
    report: decision => {
      for (const line of debugLines(decision, false)) say(line);
      if (decision.kind === 'login' || decision.kind === 'purged') seen[decision.kind]++;
    },
    notice: () => undefined,
    warn: say,
  });
  try {
    say(`popbsmtp watches ${log}, and writes the map ${formatMapSpec(map)}.`);
    say(`A grant lasts ${GRACE_SECONDS} seconds here; mynetworks is ${MYNETWORKS}.`);
    await showRows('The map before', map);
    for (const scene of SCENES) await playScene(scene, log, seen);
    const rows = await showRows('The map now', map);
    await prove(directory, map, rows, say);
    say(`\nNobody logs in for ${GRACE_SECONDS} seconds:\n`);
    await until('the end of the grants', () => seen.purged >= rows.length);
    await showRows('The map after', map);
  } finally {
    await daemon.stop();
  }
}

async function playScene(
  { title, message, isLogin }: Scene,
  log: string,
  seen: { readonly login: number },
): Promise<void> {
  const line = `${formatStamp(epoch(Date.now() / 1000))} ${message}`;
  const logins = seen.login + (isLogin ? 1 : 0);
  say(`\n# ${title}\n# ${line}`);
  appendFileSync(log, `${line}\n`);
  await until(`what comes of "${title}"`, () => seen.login >= logins);
  await sleep(PAUSE_MS);
}

/** Waits for what must come; an installation in which it does not is broken, and the demo is there to show it. */
async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!holds()) {
    requireOutput();
    if (performance.now() > deadline) throw failure('DEMO', { what });
    await sleep(POLL_MS);
  }
}

/** As from a command line; what this machine's administrator has set up must neither help nor disturb. */
function settingsFor(directory: string, log: string, map: MapSpec): RunSettings {
  const patterns = join(directory, 'patterns.d');
  mkdirSync(patterns);
  const said: readonly (readonly [OptionName, Value])[] = [
    ['watchlog', [log]],
    ['map', [formatMapSpec(map)]],
    ['grace', `${GRACE_SECONDS}s`],
    ['session-limit', 'none'],
    ['history', 'none'],
    ['mynetworks', MYNETWORKS],
    ['exclude', 'none'],
    // Its clients are made up, whatever addresses this machine has.
    ['allow-own-addresses', true],
    ['patterns', patterns],
    ['debug', true],
  ];
  const given = new Map(
    said.map(([name, value]) => [name, { value, origin: 'the demo' }] as const),
  );
  return { ...runSettings(new Values(given)), configuration: null };
}

async function showRows(title: string, map: MapSpec): Promise<Row[]> {
  const rows = await readRows(map);
  say(`\n${title}: ${rows.length === 0 ? 'empty' : quantity(rows.length, 'row')}`);
  for (const { key, value } of rows) say(`    ${key}  ${value}`);
  return rows;
}
