/**
 * What the history costs a running daemon, and how fast a grant that relays too much is closed.
 */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HistoryFile } from '../../src/history/history-file.ts';
import { MAIN } from '../real/popbsmtp.ts';
import { type Daemon, startDaemon } from '../real/processes.ts';
import type { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';
import { counterOf, TXNIDS } from './latency.ts';

const CLOSED = 300;
const MESSAGES = 3;
const STEP_MS = 20;
const MESSAGES_PER_SECOND = 2000;
const LOGINS_PER_SECOND = 20_000;
/** Of proc_pid_stat(5). */
const TICK_MS = 10;
const PATIENCE_MS = 5000;

const stamp = (): string => new Date().toISOString();
const login = (ip: string): string =>
  `${stamp()} mx dovecot: pop3-login: Login: user=<u>, method=PLAIN, rip=${ip}, lip=192.0.2.5, mpid=1, session=<s>\n`;

/** The lines of Postfix about a message; the last but one is that of its only recipient. */
function message(ip: string, id: string): readonly string[] {
  return [
    `smtpd[9]: ${id}: client=unknown[${ip}]`,
    `cleanup[9]: ${id}: message-id=<x@y>`,
    `qmgr[9]: ${id}: from=<a@example.org>, size=1234, nrcpt=1 (queue active)`,
    `smtp[9]: ${id}: to=<b@example.net>, relay=mx[198.51.100.25]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 Ok)`,
    `qmgr[9]: ${id}: removed`,
  ].map(line => `${stamp()} mx postfix/${line}\n`);
}

const idOf = (number: number): string =>
  `4A${number.toString(16).toUpperCase().padStart(8, '0').replaceAll('E', 'D')}`;

interface Running {
  readonly daemon: Daemon;
  readonly log: string;
  readonly map: string;
}

async function start(rig: Rig, more: readonly string[]): Promise<Running> {
  const directory = await rig.directory();
  const log = join(directory, 'mail.log');
  const map = join(directory, 'map');
  writeFileSync(log, '');
  const daemon = startDaemon(rig, process.execPath, [
    ...[MAIN, '--watchlog', log, '--map', `lmdb:${map}`, '--mynetworks', 'none'],
    ...['--exclude', 'none', '--grace', '1h', ...more],
  ]);
  await waitFor('the daemon', () => daemon.stdout.includes('watching') || undefined);
  return { daemon, log, map };
}

/** Milliseconds from the line of the message that is one too many to the row that is gone. */
export async function closing(rig: Rig): Promise<number[]> {
  const { daemon, log, map } = await start(rig, [
    ...['--max-messages-per-grant', String(MESSAGES), '--limit-action', 'refuse'],
  ]);
  const { read, close } = counterOf(`${map}.lmdb`, TXNIDS);
  const times: number[] = [];
  const untilWritten = (before: bigint, text: string): number => {
    const began = performance.now();
    appendFileSync(log, text);
    while (read() === before)
      if (performance.now() - began > PATIENCE_MS) throw new Error(`no effect: ${text}`);
    return performance.now() - began;
  };
  for (let round = 0; round < CLOSED; round++) {
    const ip = `10.1.${round >> 8}.${round & 255}`;
    untilWritten(read(), login(ip));
    const messages = Array.from({ length: MESSAGES + 1 }, (_, at) =>
      message(ip, idOf(round * 10 + at)),
    );
    const lines = messages.flat();
    // All but the delivery of the last one, and its end.
    appendFileSync(log, lines.slice(0, -2).join(''));
    await sleep(STEP_MS);
    times.push(untilWritten(read(), lines.at(-2) ?? ''));
  }
  close();
  await daemon.stop();
  return times;
}

export interface Load {
  /** Of one processor. */
  readonly share: number;
  readonly peakMiB: number;
}

/** What a daemon takes under a steady load of lines. */
async function underLoad(
  { daemon, log }: Running,
  seconds: number,
  { perSecond, textOf }: { readonly perSecond: number; textOf(number: number): string },
): Promise<Load & { readonly sent: number }> {
  const ticks = (): number => {
    const fields =
      readFileSync(`/proc/${daemon.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return Number(fields[11]) + Number(fields[12]);
  };
  const [began, before] = [performance.now(), ticks()];
  let sent = 0;
  while (performance.now() - began < seconds * 1000) {
    const due = Math.floor(((performance.now() - began) / 1000) * perSecond);
    const texts: string[] = [];
    for (; sent < due; sent++) texts.push(textOf(sent));
    if (texts.length > 0) appendFileSync(log, texts.join(''));
    await sleep(STEP_MS);
  }
  const share = ((ticks() - before) * TICK_MS) / (performance.now() - began);
  const [, kilobytes = '0'] =
    /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8')) ?? [];
  return { share, peakMiB: Number(kilobytes) / 1024, sent };
}

const clientOf = (number: number): string => `10.2.${(number >> 8) & 255}.${number & 255}`;

/** A steady load of logins, from 20,000 addresses. */
export async function loggingIn(
  rig: Rig,
  seconds: number,
  more: readonly string[] = [],
): Promise<Load> {
  const running = await start(rig, more);
  const textOf = (number: number): string => login(clientOf(number % 20_000));
  const load = await underLoad(running, seconds, { perSecond: LOGINS_PER_SECOND, textOf });
  await running.daemon.stop();
  return load;
}

/** A steady load of messages that grants relay. @returns also the share of them that was counted */
export async function relaying(
  rig: Rig,
  seconds: number,
): Promise<Load & { readonly counted: number }> {
  const running = await start(rig, []);
  const clients = Array.from({ length: 1000 }, (_, at) => clientOf(at));
  appendFileSync(running.log, clients.map(login).join(''));
  await sleep(1000);
  const textOf = (number: number): string =>
    message(clientOf(number % clients.length), idOf(100_000 + number)).join('');
  const load = await underLoad(running, seconds, { perSecond: MESSAGES_PER_SECOND, textOf });
  await running.daemon.stop();
  const file = await HistoryFile.openForReading(`${running.map}.history`);
  let relayed = 0;
  await file.visit(0, 2 ** 32 - 1, entry => {
    relayed += entry.kind === 'relayed' ? entry.messages : 0;
  });
  await file.close();
  return { ...load, counted: relayed / load.sent };
}
