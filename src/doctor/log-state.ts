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
import { excerpt } from '../base/excerpt.ts';
import { choiceOf } from '../daemon/journal-rules.ts';
import { strangersIn } from '../daemon/journal-survey.ts';
import {
  type JournalAhead,
  journalAhead,
  journalLines,
  newestJournalLogin,
} from '../daemon/live-source.ts';
import type { RunSettings } from '../daemon/settings.ts';
import { checkLogs, STDIN, type WatchedLog, watchedLog } from '../daemon/sources.ts';
import { Pieces } from '../line/pieces.ts';
import { type Line, parseLine } from '../line/prefix.ts';
import { StampReader } from '../line/stamp.ts';
import type { LoginEvent } from '../recogniser/event.ts';
import { LogMemory } from '../recogniser/log-memory.ts';
import { isLoginLike } from '../recogniser/login-like.ts';
import { Recogniser } from '../recogniser/recogniser.ts';
import type { Registry } from '../recogniser/registry.ts';
import { type Stray, strayOf } from '../recogniser/stray.ts';
import { keyOf } from '../recogniser/stray-watch.ts';
import { isJournal, journalStore } from '../source/journal-store.ts';
import { logsAmong, matchingFiles } from '../source/matching-files.ts';
import { openForReading } from '../source/readable-log.ts';
import { MOST_FILES } from '../source/wildcard-source.ts';
import { type Account, mayRead } from './account.ts';

/** What the last part of a log has brought. */
export interface Tail {
  readonly lines: number;
  /** Logins by server. */
  readonly logins: ReadonlyMap<string, number>;
  /** The same, one by one. */
  readonly events: readonly LoginEvent[];
  /** Lines that look like logins and were not recognised, and the last of them. */
  readonly missed: { readonly lines: number; readonly example: string };
  /** What is worth a word in lines of no known server, one of each kind, with their number. */
  readonly strays: readonly { readonly stray: Stray; readonly lines: number }[];
  /** The stamp of the last line that has one. */
  readonly lastStamp: EpochSeconds | null;
}

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
const EXAMPLE_LENGTH = 160;
const MOST_STRAYS = 20;

/** @param account the daemon's, where it is another one than ours */
export async function logStates(
  settings: RunSettings,
  registry: Registry,
  account: Account | null,
  now: () => EpochSeconds,
): Promise<LogState[]> {
  const reading = { settings, registry, account, now };
  const logs = await logsOf(settings, registry);
  if (logs instanceof Failure) return [{ kind: 'unusable', name: 'log', problem: logs }];
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
    const { mtimeMs, size } = fstatSync(fd);
    return {
      kind: 'read',
      name: path,
      among,
      modified: epoch(mtimeMs / 1000),
      tail: tailOf(lastLines(fd, size), reading),
      // One of several may well be without the logins of this host.
      ahead:
        among !== null
          ? null
          : await journalAhead(path, settings.watchlogOlddir, now(), () =>
              newestJournalLogin(registry, settings),
            ),
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

async function journalState(name: string, reading: ReadingLogs): Promise<LogState> {
  const { settings, registry, account } = reading;
  const choice = choiceOf(settings);
  const lines = await journalLines(name, registry, choice, TAIL_ENTRIES);
  return {
    kind: 'read',
    name,
    among: null,
    modified: null,
    tail: tailOf(lines, reading, await strangersIn(name, registry, choice, null)),
    ahead: null,
    account: account && { name: account.name, mayRead: await mayReadJournal(account, name) },
  };
}

/** Where journald keeps its files (systemd-journald.service(8)). */
const JOURNAL_DIRECTORIES = ['/var/log/journal', '/run/log/journal'];

async function mayReadJournal(account: Account, name: string): Promise<'yes' | 'no' | 'unknown'> {
  const files = journalFiles(name);
  const answers = await Promise.all(files.map(path => mayRead(account, path)));
  return answers.find(answer => answer !== 'yes') ?? (answers.length === 0 ? 'unknown' : 'yes');
}

/** Files of a journal that are written to; none where they are not known, as a machine's. */
function journalFiles(name: string): string[] {
  const store = journalStore(name);
  switch (store?.kind) {
    case 'host':
      return filesIn(JOURNAL_DIRECTORIES, id => !id.includes('.'));
    case 'namespace':
      return filesIn(JOURNAL_DIRECTORIES, id => id.endsWith(`.${store.name}`));
    case 'directory': {
      const own = join(store.path, 'system.journal');
      return [...(existsSync(own) ? [own] : []), ...filesIn([store.path], () => true)];
    }
    case 'machine':
    case undefined:
      return [];
  }
}

/** Those of the machines, and their namespaces, whose directories are in these. */
const filesIn = (directories: readonly string[], isMeant: (id: string) => boolean): string[] =>
  directories
    .filter(directory => existsSync(directory))
    .flatMap(directory =>
      readdirSync(directory)
        .filter(isMeant)
        .map(id => join(directory, id, 'system.journal')),
    )
    .filter(path => existsSync(path));

/** @param strangers lines that are read for what is worth a word in them only */
function tailOf(
  lines: readonly string[],
  reading: ReadingLogs,
  strangers: readonly string[] = [],
): Tail {
  const { registry } = reading;
  const logins = new Map<string, number>();
  const events: LoginEvent[] = [];
  const missed = { lines: 0, example: '' };
  const strays = new Map<string, { readonly stray: Stray; lines: number }>();
  const stranger = (line: Line): void => {
    const stray = strayOf(line, registry);
    if (stray === null) return;
    const known = strays.get(keyOf(stray));
    if (known !== undefined) known.lines++;
    else if (strays.size < MOST_STRAYS) strays.set(keyOf(stray), { stray, lines: 1 });
  };
  const recogniser = new Recogniser(registry, stampsOf(reading), new LogMemory(), {
    unrecognised: ({ message }) => {
      if (!isLoginLike(message)) return;
      missed.lines++;
      missed.example = excerpt(message, EXAMPLE_LENGTH);
    },
    stranger,
  });
  const pieces = new Pieces();
  for (const line of lines) {
    const event = recogniser.recognise(pieces.whole(line));
    if (event?.event !== 'login') continue;
    events.push(event);
    logins.set(event.server, (logins.get(event.server) ?? 0) + 1);
  }
  for (const text of strangers) stranger(parseLine(text, stampsOf(reading), registry));
  return {
    lines: lines.length,
    logins,
    events,
    missed,
    strays: [...strays.values()],
    lastStamp: lastStamp(lines, reading),
  };
}

const stampsOf = ({ settings, now }: ReadingLogs): StampReader =>
  new StampReader(now, settings.watchlogZone);

function lastStamp(lines: readonly string[], reading: ReadingLogs): EpochSeconds | null {
  const stamps = stampsOf(reading);
  for (const line of lines.toReversed()) {
    const { time } = parseLine(line, stamps, reading.registry);
    if (time !== null) return time;
  }
  return null;
}
