/**
 * journalctl, as a child process that follows the journal, and as a question whether that is possible.
 *
 * Promises: no shell, an environment of our own, and a process group of its own, so that a ^C in the
 * terminal ends it through us only.  Should we be killed, it ends by itself (journalctl watches its standard output).
 * Leaves to others: what its output means, and to start it again.
 * A machine is found by machined, of root alone; its journal, and one in a directory, are read as files.
 * Known limit: systemd 236 and later (--output-fields).
 */
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { errnoOf, type Failure, failure, reasonOf } from '../base/errors.ts';
import { ENTRY_FIELDS, type JournalEntry } from './journal-entry.ts';
import { type JournalMatch, matchArguments, matchFields } from './journal-match.ts';
import { JOURNAL, type JournalStore, journalStore, storeArguments } from './journal-store.ts';
import { Splitter } from './splitter.ts';

export const JOURNALCTL = 'journalctl';

/** Where to begin: at an entry (which comes again), or at a moment in seconds. */
export type JournalPlace = { readonly cursor: string } | { readonly since: number };

/**
 * What one run of journalctl does.  Followed, the journal of a host has no entries but those since it was booted, even behind a cursor of
 * before (seen with systemd 252); of a directory, which may be another machine's, it has all.
 */
export type JournalRun = JournalPlace & { readonly follow: boolean };

/** What is asked for. */
export interface JournalQuestion {
  /** The entries under one of these; of everybody where there is none. */
  readonly tags: readonly string[];
  /** Those that one of these chooses, in place of those under the tags, where there are any. */
  readonly matches?: readonly JournalMatch[];
  /** Those without a tag of their own that are asked for beside those under the tags. */
  readonly untagged?: readonly JournalMatch[];
}

/** Whether an entry is one that is asked for, and not only came with those that have no tag. */
export const isAsked = ({ tags, matches = [] }: JournalQuestion, { tag }: JournalEntry): boolean =>
  tags.length === 0 || matches.length > 0 || tags.includes(tag);

/** How long journalctl may take to open the journal's files; seconds, on a slow disk with years of them. */
const CHECK_TIMEOUT_MS = 60_000;
/** In bytes: ten thousand entries of the longest kind. */
const OUTPUT_LIMIT = 128 << 20;
/** journalctl's words where there is no such machine are its own, and machinectl's. */
const REMEDIES = {
  host: 'add the account to the group systemd-journal, or name a log file with --watchlog',
  namespace: 'add the account to the group systemd-journal, or name a log file with --watchlog',
  directory: 'let the account read the files of the journal in it',
  machine:
    'see that it runs (machinectl list), and run popbsmtp as root, or watch its directory: journal:/DIRECTORY',
} as const;
/** What journalctl says to an account that may read its own entries only (systemd, journal-util.c). */
const OWN_ONLY = 'You are currently not seeing messages from other users';
/** And where there is none (systemd, journalctl.c). */
const NO_FILES = 'No journal files were found';

/** `SYSTEMD_*` variables change what journalctl prints; its messages are compared in English. */
const environment = (): NodeJS.ProcessEnv => ({
  PATH: [process.env['PATH'], '/usr/bin', '/bin'].filter(Boolean).join(':'),
  LC_ALL: 'C',
});

/**
 * Makes sure that a journal can be followed by this account; it may have no files yet.
 *
 * @param name as `watchlog` has it
 * @returns whether it has files
 * @throws Failure JOURNAL_MISSING, JOURNAL_UNREADABLE, JOURNAL_ABSENT, JOURNAL_NAME
 */
export async function checkJournal(
  name: string = JOURNAL,
  program: string = JOURNALCTL,
): Promise<boolean> {
  const store = storeOf(name);
  if (store.kind === 'directory') requireDirectory(name, store.path);
  const options = { env: environment(), timeout: CHECK_TIMEOUT_MS, killSignal: 'SIGKILL' } as const;
  // Not as JSON, for which it keeps its remarks to itself (systemd 252).
  const args = ['--no-pager', ...storeArguments(store), '--lines=0'];
  const { error, stderr } = await new Promise<{ error: Error | null; stderr: string }>(resolve => {
    execFile(program, args, options, (problem, _, said) =>
      resolve({ error: problem, stderr: said }),
    );
  });
  if (error !== null && 'code' in error && error.code === 'ENOENT')
    throw failure('JOURNAL_MISSING', {}, error);
  if (stderr.includes(OWN_ONLY)) throw unreadable(name, 'permission denied');
  if (error !== null) {
    const reason = stderr.trim().split('\n').at(-1) || reasonOf(error);
    throw unreadable(name, reason, error);
  }
  return !stderr.includes(NO_FILES);
}

/** The journal of a name. @throws Failure JOURNAL_NAME */
const storeOf = (name: string): JournalStore => journalStore(name) ?? { kind: 'host' };

function requireDirectory(name: string, path: string): void {
  const remedy = 'name a directory with files of a journal, as journalctl --directory takes it';
  try {
    if (statSync(path).isDirectory()) return;
  } catch (error) {
    const reason = errnoOf(error) === 'ENOENT' ? 'no such directory' : reasonOf(error);
    throw failure('JOURNAL_ABSENT', { name, reason, remedy }, error);
  }
  throw failure('JOURNAL_ABSENT', { name, reason: 'it is no directory', remedy });
}

export function unreadable(name: string, reason: string, cause?: unknown): Failure {
  const store = storeOf(name);
  const what = name === JOURNAL ? 'the systemd journal' : name;
  return failure('JOURNAL_UNREADABLE', { what, reason, remedy: REMEDIES[store.kind] }, cause);
}

/** What is to be printed of which journal, and how. */
const outputOf = (store: JournalStore, matches: readonly JournalMatch[] = []): string[] => [
  '--no-pager',
  '--output=json',
  `--output-fields=${[...new Set([...ENTRY_FIELDS, ...matchFields(matches)])].join()}`,
  ...storeArguments(store),
];

/** Which entries are wanted; journalctl takes options and matches together for what both fit, so that both kinds are matches. */
function wanted({ tags, matches = [], untagged = [] }: JournalQuestion): string[] {
  if (matches.length > 0) return matchArguments(matches);
  if (untagged.length === 0) return tags.map(tag => `--identifier=${tag}`);
  const tagged = tags.map(value => ({ name: 'SYSLOG_IDENTIFIER', value }));
  return matchArguments([tagged, ...untagged]);
}

export interface LastOptions {
  /** Ends journalctl. */
  readonly signal?: AbortSignal | undefined;
  readonly program?: string;
}

/**
 * The last entries that are asked for, as journalctl prints them, a character a byte; for the curious.
 *
 * @throws Failure JOURNAL_MISSING, JOURNAL_UNREADABLE, JOURNAL_ABSENT, JOURNAL_NAME
 */
export async function lastEntries(
  name: string,
  question: JournalQuestion,
  count: number,
  { signal, program = JOURNALCTL }: LastOptions = {},
): Promise<string[]> {
  await checkJournal(name, program);
  const store = storeOf(name);
  const args = [...outputOf(store, question.matches), `--lines=${count}`, ...wanted(question)];
  const options = {
    env: environment(),
    timeout: CHECK_TIMEOUT_MS,
    killSignal: 'SIGKILL',
    signal,
    encoding: 'latin1',
    maxBuffer: OUTPUT_LIMIT,
  } as const;
  return new Promise((resolve, reject) => {
    execFile(program, args, options, (error, stdout) => {
      if (error === null) resolve(stdout.split('\n').slice(0, -1));
      else reject(unreadable(name, reasonOf(error), error));
    });
  });
}

/** Everything that is wanted after the place, then, followed, what comes, without end. */
const argumentsFor = (
  name: string,
  question: JournalQuestion,
  { follow, ...place }: JournalRun,
): string[] => [
  ...outputOf(storeOf(name), question.matches),
  ...(follow ? ['--follow'] : []),
  '--lines=all',
  ...wanted(question),
  // Not --after-cursor: that leaves out one entry even if it is another one than the cursor's (systemd 252),
  // since the cursor's own was deleted or is of a program that is no longer watched.
  'cursor' in place ? `--cursor=${place.cursor}` : `--since=@${Math.floor(place.since)}`,
];

/** One run of journalctl. */
export class Journalctl {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #ended: Promise<string>;
  #killed = false;

  /**
   * @param name the journal's, as `watchlog` has it
   * @param warn told each line of its standard error
   */
  constructor(
    program: string,
    name: string,
    question: JournalQuestion,
    run: JournalRun,
    warn: (text: string) => void,
  ) {
    this.#child = spawn(program, argumentsFor(name, question, run), {
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#ended = once(this.#child, 'close').then(
      () => this.#howItEnded(),
      error => `cannot start ${program} (${errnoOf(error)})`,
    );
    const complaints = new Splitter();
    this.#child.stderr.on('data', (bytes: Buffer) => complaints.push(bytes).forEach(warn));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Its status, or null while it runs and after a signal. */
  get status(): number | null {
    return this.#child.exitCode;
  }

  /** What it prints; no more is read than is taken, and then it waits. */
  async *output(): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of this.#child.stdout) yield chunk;
    } catch (error) {
      // Ended by us, or never started; anything else is a reason to start another.
      if (!this.#killed && this.pid !== undefined) throw error;
    }
  }

  /** Ends it at once, if it has not ended; it has nothing to put in order, and may be stopped or blocked. */
  kill(): void {
    this.#killed = true;
    this.#child.kill('SIGKILL');
    this.#child.stdout.destroy();
  }

  /** Resolves with how it ended. */
  ended(): Promise<string> {
    return this.#ended;
  }

  #howItEnded(): string {
    const { exitCode, signalCode, spawnfile } = this.#child;
    const how = exitCode === null ? `was ended by ${signalCode}` : `ended with status ${exitCode}`;
    return `${spawnfile} ${how}`;
  }
}
