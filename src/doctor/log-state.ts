/**
 * What a source is like now, and what the recogniser makes of its last part.
 *
 * Promises: nothing is followed and nothing granted; of a file the last megabyte is read, of the journal the last
 * thousands of entries under the servers' tags.
 */
import { closeSync, existsSync, fstatSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { type EpochSeconds, epoch } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import {
  type JournalAhead,
  journalAhead,
  journalLines,
  type NewestLogin,
  newestJournalLogin,
} from '../daemon/live-source.ts';
import type { RunSettings } from '../daemon/settings.ts';
import { checkLogs, STDIN } from '../daemon/sources.ts';
import type { LoginEvent } from '../recogniser/event.ts';
import type { Registry } from '../recogniser/registry.ts';
import { entryLine, parseEntry } from '../source/journal-entry.ts';
import { JOURNAL } from '../source/journal-source.ts';
import { lastEntries } from '../source/journalctl.ts';
import { openForReading } from '../source/readable-log.ts';
import { type Account, mayRead } from './account.ts';
import { refusalsIn, type Tail, type TimedRefusal, tailOf } from './log-tail.ts';

export type LogState =
  | { readonly kind: 'unusable'; readonly name: string; readonly problem: Failure }
  /** Standard input, which nobody else can read. */
  | { readonly kind: 'input'; readonly name: string }
  | {
      readonly kind: 'read';
      readonly name: string;
      /** When it was last written to; null for the journal. */
      readonly modified: EpochSeconds | null;
      readonly tail: Tail;
      /** A login in the journal that the file should have; null when there is none. */
      readonly ahead: JournalAhead | null;
      /** Whether the daemon's account may read it, where that is another one. */
      readonly account: {
        readonly name: string;
        readonly mayRead: 'yes' | 'no' | 'unknown';
      } | null;
    };

const TAIL_BYTES = 1 << 20;
const TAIL_ENTRIES = 5000;

export interface LogStates {
  readonly logs: readonly LogState[];
  /** The newest login in the journal, whether or not it is watched; null without any, or without a journal. */
  readonly journalLogin: NewestLogin | null;
}

/** Of an installation that could not be asked for its logs. */
export const NO_LOGS: LogStates = { logs: [], journalLogin: null };

/**
 * @param running the logs that the daemon reads; null to find out which it would
 * @param account the daemon's, where it is another one than ours
 */
export async function logStates(
  settings: RunSettings,
  registry: Registry,
  running: readonly string[] | null,
  account: Account | null,
  now: () => EpochSeconds,
): Promise<LogStates> {
  const names = running ?? (await namesOf(settings, registry));
  if (names instanceof Failure)
    return { ...NO_LOGS, logs: [{ kind: 'unusable', name: 'log', problem: names }] };
  const [logs, journalLogin] = await Promise.all([
    statesOf(names, settings, registry, account, now),
    newestJournalLogin(registry, settings.journalTrust === 'any'),
  ]);
  return { logs, journalLogin };
}

function statesOf(
  names: readonly string[],
  { journalTrust }: RunSettings,
  registry: Registry,
  account: Account | null,
  now: () => EpochSeconds,
): Promise<LogState[]> {
  return Promise.all(
    names.map(async (name): Promise<LogState> => {
      if (name === STDIN) return { kind: 'input', name: 'standard input' };
      try {
        return name === JOURNAL
          ? await journalState(registry, journalTrust === 'any', account, now)
          : await fileState(name, registry, journalTrust === 'any', account, now);
      } catch (problem) {
        if (problem instanceof Failure) return { kind: 'unusable', name, problem };
        throw problem;
      }
    }),
  );
}

/** The logs that the daemon would watch; each named one is looked at by itself. */
async function namesOf(
  settings: RunSettings,
  registry: Registry,
): Promise<readonly string[] | Failure> {
  if (settings.watchlog.length > 0) return settings.watchlog;
  try {
    return await checkLogs(settings, registry, () => undefined);
  } catch (problem) {
    if (problem instanceof Failure) return problem;
    throw problem;
  }
}

async function fileState(
  path: string,
  registry: Registry,
  trustAny: boolean,
  account: Account | null,
  now: () => EpochSeconds,
): Promise<LogState> {
  const fd = openForReading(path);
  try {
    const { mtimeMs, size } = fstatSync(fd);
    return {
      kind: 'read',
      name: path,
      modified: epoch(mtimeMs / 1000),
      tail: tailOf(lastLines(fd, size), registry, now),
      ahead: await journalAhead(path, now(), () => newestJournalLogin(registry, trustAny)),
      account: account && { name: account.name, mayRead: await mayRead(account, path) },
    };
  } finally {
    closeSync(fd);
  }
}

function lastLines(fd: number, size: number): string[] {
  const start = Math.max(0, size - TAIL_BYTES);
  const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES));
  const length = readSync(fd, buffer, 0, buffer.length, start);
  const lines = buffer.toString('latin1', 0, length).split('\n').slice(0, -1);
  // The first one began before what was read.
  return start === 0 ? lines : lines.slice(1);
}

async function journalState(
  registry: Registry,
  trustAny: boolean,
  account: Account | null,
  now: () => EpochSeconds,
): Promise<LogState> {
  const lines = await journalLines(registry, trustAny, TAIL_ENTRIES);
  return {
    kind: 'read',
    name: JOURNAL,
    modified: null,
    tail: { ...tailOf(lines, registry, now), refusals: await refusalsInJournal(registry, now) },
    ahead: null,
    account: account && { name: account.name, mayRead: await mayReadJournal(account) },
  };
}

/** What Postfix is called there, unless its syslog_name says otherwise. */
const SMTPD = ['postfix/smtpd', 'postfix/submission/smtpd', 'postfix/smtps/smtpd'];

async function refusalsInJournal(
  registry: Registry,
  now: () => EpochSeconds,
): Promise<readonly TimedRefusal[]> {
  const entries = await lastEntries(SMTPD, TAIL_ENTRIES);
  const lines = entries.flatMap(json => {
    const entry = parseEntry(json);
    return (entry && entryLine(entry)) ?? [];
  });
  return refusalsIn(lines, registry, now);
}

/** Where journald keeps its files (systemd-journald.service(8)). */
const JOURNAL_DIRECTORIES = ['/var/log/journal', '/run/log/journal'];

async function mayReadJournal(account: Account): Promise<'yes' | 'no' | 'unknown'> {
  const files = JOURNAL_DIRECTORIES.filter(directory => existsSync(directory))
    .flatMap(directory => readdirSync(directory).map(id => join(directory, id, 'system.journal')))
    .filter(path => existsSync(path));
  const answers = await Promise.all(files.map(path => mayRead(account, path)));
  return answers.find(answer => answer !== 'yes') ?? (answers.length === 0 ? 'unknown' : 'yes');
}

/** The logins of all logs, as of one. */
export const loginsIn = (logs: readonly LogState[]): LoginEvent[] =>
  logs.flatMap(log => (log.kind === 'read' ? log.tail.logins : []));

export const refusalsOf = (logs: readonly LogState[]): TimedRefusal[] =>
  logs.flatMap(log => (log.kind === 'read' ? log.tail.refusals : []));
