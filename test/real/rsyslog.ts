/**
 * An rsyslogd of the test's own, on /dev/log or on a journal, which writes the mail log that popbsmtp watches.
 *
 * Promises: every program of the test that logs through syslog(3) reaches it, with the format of
 * Debian 12 (RFC 3339) in `log` and the traditional one in `traditional`; only the mail facility is
 * written, unless others are asked for; no rate limit drops a line.  What was at /dev/log before is put back at the end.
 * Known limits: where the test is not isolated, the rest of the machine logs here too while it runs (nothing of it is
 * kept but mail), so it wants a machine on which that does no harm.  Needs root.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Journal } from './journal.ts';
import { mustRun, startDaemon } from './processes.ts';
import type { Rig } from './rig.ts';
import { linesOf, waitFor } from './wait.ts';

export interface Rsyslog {
  /** The mail log as Debian 12 writes it. */
  readonly log: string;
  /** The same lines with stamps without year and zone. */
  readonly traditional: string;
  /** Waits until what has been sent to /dev/log so far is in both. */
  settle(): Promise<void>;
}

/** For `requirePrograms`. */
export const RSYSLOG_PROGRAMS = ['rsyslogd', 'logger'] as const;

const SOCKET = '/dev/log';
const SET_ASIDE = '/dev/log.before-popbsmtp-test';

/** @param input what loads the module that messages come by */
const configuration = (
  base: string,
  input: string,
  selector: string,
  { log, traditional }: Omit<Rsyslog, 'settle'>,
): string => `
global(workDirectory="${base}")
${input}
$FileCreateMode 0644
${selector} action(type="omfile" file="${log}" template="RSYSLOG_FileFormat")
${selector} action(type="omfile" file="${traditional}" template="RSYSLOG_TraditionalFileFormat")
`;

/** Makes room at /dev/log; a run that was killed may have left what it had set aside. */
async function borrowSocket(rig: Rig): Promise<void> {
  const existed = existsSync(SOCKET);
  if (existed && !existsSync(SET_ASIDE)) await rename(SOCKET, SET_ASIDE);
  rig.defer(async () => {
    await rm(SOCKET, { force: true });
    if (existsSync(SET_ASIDE)) await rename(SET_ASIDE, SOCKET);
  });
}

/**
 * Starts rsyslogd; it is stopped when the rig closes.
 *
 * @param selector what is written, in the terms of syslog.conf(5)
 */
export async function startRsyslog(rig: Rig, selector = 'mail.*'): Promise<Rsyslog> {
  const base = await rig.directory();
  const logs = { log: join(base, 'mail.log'), traditional: join(base, 'mail-traditional.log') };
  const file = join(base, 'rsyslog.conf');
  const input = `module(load="imuxsock" SysSock.Name="${SOCKET}" SysSock.RateLimit.Interval="0")`;
  await writeFile(file, configuration(base, input, selector, logs));
  // Both exist from the start, as on a machine whose log rotation creates them.
  await writeFile(logs.log, '');
  await writeFile(logs.traditional, '');
  await borrowSocket(rig);
  const daemon = startDaemon(rig, 'rsyslogd', ['-n', '-f', file, '-i', join(base, 'pid')]);
  await waitFor(SOCKET, () => existsSync(SOCKET), { seen: () => daemon.transcript() });
  const send = (witness: string): Promise<unknown> =>
    mustRun('logger', ['--socket', SOCKET, '--priority', 'mail.info', witness]);
  const seen = (): string => daemon.transcript();
  return { ...logs, settle: () => settle([logs.log, logs.traditional], send, seen) };
}

/**
 * Starts an rsyslogd that reads a journal and no socket, as Red Hat's does (its rsyslog.conf loads imjournal, and imuxsock with
 * SysSock.Use="off"); it is stopped when the rig closes.  Mail of the journal's namespace is written, from its beginning on.
 */
export async function startImjournal(rig: Rig, journal: Journal): Promise<Rsyslog> {
  const base = await rig.directory();
  const logs = { log: join(base, 'maillog-rfc3339'), traditional: join(base, 'maillog') };
  const file = join(base, 'rsyslog.conf');
  const input = `module(load="imjournal" StateFile="imjournal.state" Ratelimit.Interval="0")`;
  await writeFile(file, configuration(base, input, 'mail.*', logs));
  await writeFile(logs.log, '');
  await writeFile(logs.traditional, '');
  const program = await journal.entrance('rsyslogd');
  const daemon = startDaemon(rig, program, ['-n', '-f', file, '-i', join(base, 'pid')]);
  const send = (witness: string): Promise<unknown> =>
    journal.run('logger', ['--priority', 'mail.info', witness]);
  const seen = (): string => daemon.transcript();
  return { ...logs, settle: () => settle([logs.log, logs.traditional], send, seen) };
}

/** Waits until what was logged before is in all the files. */
async function settle(
  logs: readonly string[],
  send: (witness: string) => Promise<unknown>,
  seen: () => string,
): Promise<void> {
  const lines = async (): Promise<string[][]> => Promise.all(logs.map(linesOf));
  await settled(
    send,
    async witness => (await lines()).every(log => log.some(line => line.endsWith(witness))),
    async () => `${(await lines()).map(log => log.slice(-20).join('\n')).join('\n\n')}\n${seen()}`,
  );
}

/** Sockets and journal keep the order, so what comes after all the rest is written after it. */
export async function settled(
  send: (witness: string) => Promise<unknown>,
  has: (witness: string) => Promise<boolean>,
  seen: () => Promise<string>,
): Promise<void> {
  const witness = `settled ${randomUUID()}`;
  await send(witness);
  await waitFor(witness, () => has(witness), { seen });
}
