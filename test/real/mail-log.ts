/**
 * What a server of the test's logs, where it may log: files of rsyslog's, or a journal.
 *
 * Promises: lines and events are all of those that were logged before they are asked for.  In the journal, entries count as for a
 * user, by what popbsmtp itself makes of them; only that nothing in there runs in a unit unless it is started so, and that for a
 * server which its pattern file knows by the unit a file of the test's own may say the names of its processes.
 * Leaves to others: the server, which is started behind `enter`.
 */
import { existsSync } from 'node:fs';
import { copyFile, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeUnit } from './control-group.ts';
import { JOURNAL_PROGRAMS, startJournal } from './journal.ts';
import { eventsIn, eventsOf, type Matched } from './matching.ts';
import { MAIN } from './popbsmtp.ts';
import { runProgram } from './processes.ts';
import type { Rig } from './rig.ts';
import { RSYSLOG_PROGRAMS, settled, startRsyslog } from './rsyslog.ts';
import { linesOf } from './wait.ts';

export interface MailLog {
  /** For `startPopbsmtp`. */
  readonly watchlog: string;
  readonly env: Readonly<Record<string, string>>;
  /** The command that starts a server so that it logs here; empty where it does anyway. */
  readonly enter: readonly string[];
  /** The same for a server that is known by its unit, as Postfix is. */
  inUnit(unit: string): Promise<readonly string[]>;
  lines(): Promise<readonly string[]>;
  /**
   * What is recognised, by the name of each form in which the log is kept.
   *
   * @param more options
   */
  events(...more: readonly string[]): Promise<Readonly<Record<string, readonly Matched[]>>>;
  /** As logrotate(8) does with `copytruncate`, or journald by itself; the lines are then those behind that, or all. */
  rotate(): Promise<void>;
  /** Finished logs with all lines, oldest first. */
  finished(): Promise<readonly string[]>;
}

/** For `requirePrograms`. */
export const MAIL_LOG_PROGRAMS = [...RSYSLOG_PROGRAMS, ...JOURNAL_PROGRAMS] as const;

/** The names of a server's processes, where its pattern file knows it by the unit. */
export interface Processes {
  readonly server: string;
  readonly comms: readonly string[];
}

async function inFiles(rig: Rig): Promise<MailLog> {
  const { log, traditional, settle } = await startRsyslog(rig);
  return {
    watchlog: log,
    env: {},
    enter: [],
    inUnit: async () => [],
    lines: async () => {
      await settle();
      return linesOf(log);
    },
    events: async (...more) => {
      await settle();
      return {
        log: await eventsIn(log, ...more),
        traditional: await eventsIn(traditional, ...more),
      };
    },
    rotate: async () => {
      await settle();
      await copyFile(log, `${log}.1`);
      await truncate(log);
    },
    finished: async () => {
      await settle();
      return [`${log}.1`, log].filter(existsSync);
    },
  };
}

async function inJournal(rig: Rig, processes: Processes | null): Promise<MailLog> {
  const journal = await startJournal(rig);
  const patterns = await rig.directory();
  if (processes !== null)
    await writeFile(
      join(patterns, `${processes.server}.toml`),
      `extend = true\n[journal]\ncomms = ${JSON.stringify(processes.comms)}\n`,
    );
  const programs = dirname(await journal.entrance('journalctl'));
  const env = { PATH: `${programs}:${process.env['PATH'] ?? ''}` };
  // --all, or it says of some messages only how long they are.
  const lines = async (): Promise<readonly string[]> =>
    (await journal.run('journalctl', ['--no-pager', '--quiet', '--all'])).split('\n');
  const settle = (): Promise<void> =>
    settled(
      witness => journal.run('logger', ['--priority', 'mail.info', witness]),
      async witness => (await lines()).some(line => line.endsWith(witness)),
      async () => (await lines()).slice(-20).join('\n'),
    );
  const args = [MAIN, 'match', '--json', '--patterns', patterns];
  return {
    watchlog: 'journal',
    env,
    enter: journal.enter,
    inUnit: async unit => [...journal.enter, ...(await makeUnit(rig, unit))],
    lines: async () => {
      await settle();
      return lines();
    },
    events: async (...more) => {
      await settle();
      const result = await runProgram(process.execPath, [...args, ...more, 'journal'], { env });
      return { journal: eventsOf(result) };
    },
    rotate: async () => {
      await settle();
      await journal.run('journalctl', ['--rotate']);
    },
    finished: async () => {
      await settle();
      const path = join(patterns, 'journal.log');
      await writeFile(path, (await lines()).join('\n'));
      return [path];
    },
  };
}

/** The places, by their names in the names of tests. */
export const MAIL_LOGS: Readonly<
  Record<string, (rig: Rig, processes?: Processes | null) => Promise<MailLog>>
> = {
  'files of rsyslog': rig => inFiles(rig),
  'the journal': (rig, processes = null) => inJournal(rig, processes),
};
