/**
 * What a source is like now, and what the recogniser makes of its last part.
 *
 * Promises: nothing is followed and nothing granted; of a file the last megabyte is read, of the journal the last
 * thousands of entries under the servers' tags.
 */
import { closeSync, fstatSync, readSync } from 'node:fs';
import { type EpochSeconds, epoch } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import { choiceOf } from '../daemon/journal-rules.ts';
import { strangersIn } from '../daemon/journal-survey.ts';
import {
  type JournalAhead,
  journalAhead,
  journalLines,
  type NewestLogin,
  newestJournalLogin,
} from '../daemon/live-source.ts';
import type { RunSettings } from '../daemon/settings.ts';
import { checkLogs, STDIN, type WatchedLog, watchedLog } from '../daemon/sources.ts';
import { StampReader } from '../line/stamp.ts';
import type { LoginEvent } from '../recogniser/event.ts';
import type { Registry } from '../recogniser/registry.ts';
import { isJournal } from '../source/journal-store.ts';
import { logsAmong, matchingFiles } from '../source/matching-files.ts';
import { isMounted } from '../source/mount.ts';
import { openForReading } from '../source/readable-log.ts';
import { MOST_FILES } from '../source/wildcard-source.ts';
import { type Account, groupName, mayRead } from './account.ts';
import { mayReadJournal } from './journal-access.ts';
import { refusalsIn, type Tail, type TimedRefusal, tailOf } from './log-tail.ts';
import { lastSmtpdLines } from './smtpd-entries.ts';

export type LogState =
  | { readonly kind: 'unusable'; readonly name: string; readonly problem: Failure }
  /** A wildcard that no file matches. */
  | { readonly kind: 'none'; readonly name: string }
  /** Standard input, which nobody else can read. */
  | { readonly kind: 'input'; readonly name: string }
  | {
      readonly kind: 'read';
      readonly name: string;
      /** The wildcard that it is one of the files of; null for a log that is named itself. */
      readonly among: string | null;
      /** Whether it is a file that is mounted by itself. */
      readonly mounted: boolean;
      /** When it was last written to; null for the journal. */
      readonly modified: EpochSeconds | null;
      readonly tail: Tail;
      /** A login in the journal that the file should have; null when there is none. */
      readonly ahead: JournalAhead | null;
      /** Whether the daemon's account may read it, where that is another one. */
      readonly account: {
        readonly name: string;
        readonly mayRead: 'yes' | 'no' | 'unknown';
        /** Through which it could; null where none may read it but root's. */
        readonly group: string | null;
      } | null;
    };

const GROUP_READ = 0o040;
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
  const named = running?.map(watchedLog) ?? (await logsOf(settings, registry));
  if (named instanceof Failure)
    return { ...NO_LOGS, logs: [{ kind: 'unusable', name: 'log', problem: named }] };
  const [logs, journalLogin] = await Promise.all([
    statesOf(named, { settings, registry, account, now }),
    newestJournalLogin(registry, settings),
  ]);
  return { logs, journalLogin };
}

function statesOf(logs: readonly WatchedLog[], reading: ReadingLogs): Promise<LogState[]> {
  return Promise.all(
    logs.flatMap(eachOf).map(async ({ name, among }): Promise<LogState> => {
      if (name === null) return { kind: 'none', name: among };
      if (name === STDIN) return { kind: 'input', name: 'standard input' };
      try {
        return isJournal(name)
          ? await journalState(name, reading)
          : await fileState(name, among, reading);
      } catch (problem) {
        if (problem instanceof Failure) return { kind: 'unusable', name, problem };
        throw problem;
      }
    }),
  );
}

/** The logs that the daemon would watch; each named one is looked at by itself. */
async function logsOf(
  settings: RunSettings,
  registry: Registry,
): Promise<readonly WatchedLog[] | Failure> {
  if (settings.watchlog.length > 0) return settings.watchlog.map(watchedLog);
  try {
    return await checkLogs(settings, registry, () => undefined);
  } catch (problem) {
    if (problem instanceof Failure) return problem;
    throw problem;
  }
}

/** A log, or one of the files of a wildcard; no name where there is none yet. */
type Named =
  | { readonly name: string; readonly among: string | null }
  | { readonly name: null; readonly among: string };

function eachOf({ name, wildcard }: WatchedLog): Named[] {
  if (wildcard === null) return [{ name, among: null }];
  const files = logsAmong(matchingFiles(wildcard).files, []).slice(0, MOST_FILES);
  return files.length === 0
    ? [{ name: null, among: name }]
    : files.map(file => ({ name: file, among: name }));
}

/** How every log is looked at. */
interface ReadingLogs {
  readonly settings: RunSettings;
  readonly registry: Registry;
  /** The daemon's, where it is another one than ours. */
  readonly account: Account | null;
  readonly now: () => EpochSeconds;
}

async function fileState(
  path: string,
  among: string | null,
  reading: ReadingLogs,
): Promise<LogState> {
  const { settings, registry, account, now } = reading;
  const fd = openForReading(path);
  try {
    const { mtimeMs, size, mode, gid } = fstatSync(fd);
    const isForGroup = (mode & GROUP_READ) !== 0 && gid !== 0;
    return {
      kind: 'read',
      name: path,
      among,
      mounted: isMounted(path),
      modified: epoch(mtimeMs / 1000),
      tail: tailFor(lastLines(fd, size), reading),
      // One of several may well be without the logins of this host.
      ahead:
        among !== null
          ? null
          : await journalAhead(path, settings.watchlogOlddir, now(), () =>
              newestJournalLogin(registry, settings),
            ),
      account: account && {
        name: account.name,
        mayRead: await mayRead(account, path),
        group: isForGroup ? await groupName(gid) : null,
      },
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

async function journalState(name: string, reading: ReadingLogs): Promise<LogState> {
  const { settings, registry, account } = reading;
  const choice = choiceOf(settings);
  const lines = await journalLines(name, registry, choice, TAIL_ENTRIES);
  const smtpd = await lastSmtpdLines(name, settings, TAIL_ENTRIES);
  return {
    kind: 'read',
    name,
    among: null,
    mounted: false,
    modified: null,
    tail: {
      ...tailFor(lines, reading, await strangersIn(name, registry, choice, null)),
      refusals: refusalsIn(smtpd, registry, stampsOf(reading)),
    },
    ahead: null,
    account: account && {
      name: account.name,
      mayRead: await mayReadJournal(account, name),
      group: 'systemd-journal',
    },
  };
}

/** @param strangers lines that are read for what is worth a word in them only */
const tailFor = (
  lines: readonly string[],
  reading: ReadingLogs,
  strangers: readonly string[] = [],
): Tail => tailOf(lines, reading.registry, () => stampsOf(reading), strangers);

const stampsOf = ({ settings, now }: ReadingLogs): StampReader =>
  new StampReader(now, settings.watchlogZone);

/** The logins of all logs, as of one. */
export const loginsIn = (logs: readonly LogState[]): LoginEvent[] =>
  logs.flatMap(log => (log.kind === 'read' ? log.tail.logins : []));

export const refusalsOf = (logs: readonly LogState[]): TimedRefusal[] =>
  logs.flatMap(log => (log.kind === 'read' ? log.tail.refusals : []));
