/**
 * An rsyslogd of the test's own on /dev/log, which writes the mail log that popbsmtp watches.
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
import { mustRun, startDaemon } from './processes.ts';
import type { Rig } from './rig.ts';
import { waitFor, waitForLine } from './wait.ts';

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

const configuration = (
  base: string,
  selector: string,
  { log, traditional }: Omit<Rsyslog, 'settle'>,
): string => `
global(workDirectory="${base}")
module(load="imuxsock" SysSock.Name="${SOCKET}" SysSock.RateLimit.Interval="0")
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
  await writeFile(file, configuration(base, selector, logs));
  // Both exist from the start, as on a machine whose log rotation creates them.
  await writeFile(logs.log, '');
  await writeFile(logs.traditional, '');
  await borrowSocket(rig);
  const daemon = startDaemon(rig, 'rsyslogd', ['-n', '-f', file, '-i', join(base, 'pid')]);
  await waitFor(SOCKET, () => existsSync(SOCKET), { seen: () => daemon.transcript() });
  return { ...logs, settle: () => settle([logs.log, logs.traditional]) };
}

/** The socket keeps the order, so what comes after all the rest is written after it. */
async function settle(logs: readonly string[]): Promise<void> {
  const witness = `settled ${randomUUID()}`;
  await mustRun('logger', ['--socket', SOCKET, '--priority', 'mail.info', witness]);
  for (const log of logs) await waitForLine(log, new RegExp(`${witness}$`));
}
