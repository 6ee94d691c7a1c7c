/**
 * journalctl, as a child process that follows the journal, and as a question whether that is possible.
 *
 * Promises: no shell, an environment of our own, and a process group of its own, so that a ^C in the
 * terminal ends it through us only.  Should we be killed, it ends by itself (journalctl watches its standard output).
 * Leaves to others: what its output means, and to start it again.
 * Known limit: systemd 236 and later (--output-fields).
 */
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { errnoOf, failure, reasonOf } from '../base/errors.ts';
import { ENTRY_FIELDS } from './journal-entry.ts';
import { Splitter } from './splitter.ts';

export const JOURNALCTL = 'journalctl';

/** Where to begin: at an entry (which comes again), or at a moment in seconds. */
export type JournalPlace = { readonly cursor: string } | { readonly since: number };

/** What there is now, from the first entry to the last, and then an end. */
export const WHOLE = 'whole';

const OUTPUT = ['--no-pager', '--output=json', `--output-fields=${ENTRY_FIELDS.join()}`];
/** How long journalctl may take to open the journal's files; seconds, on a slow disk with years of them. */
const CHECK_TIMEOUT_MS = 60_000;
/** In bytes: ten thousand entries of the longest kind. */
const OUTPUT_LIMIT = 128 << 20;
/** What journalctl says to an account that may read its own entries only (systemd, journal-util.c). */
const OWN_ONLY = 'You are currently not seeing messages from other users';

/** `SYSTEMD_*` variables change what journalctl prints; its messages are compared in English. */
const environment = (): NodeJS.ProcessEnv => ({
  PATH: [process.env['PATH'], '/usr/bin', '/bin'].filter(Boolean).join(':'),
  LC_ALL: 'C',
});

/**
 * Makes sure that the journal can be followed by this account.
 *
 * @throws Failure JOURNAL_MISSING, JOURNAL_UNREADABLE
 */
export async function checkJournal(program: string = JOURNALCTL): Promise<void> {
  const options = { env: environment(), timeout: CHECK_TIMEOUT_MS, killSignal: 'SIGKILL' } as const;
  const { error, stderr } = await new Promise<{ error: Error | null; stderr: string }>(resolve => {
    execFile(program, [...OUTPUT, '--lines=0'], options, (problem, _, said) =>
      resolve({ error: problem, stderr: said }),
    );
  });
  if (error !== null && 'code' in error && error.code === 'ENOENT')
    throw failure('JOURNAL_MISSING', {}, error);
  if (stderr.includes(OWN_ONLY))
    throw failure('JOURNAL_UNREADABLE', { reason: 'permission denied' });
  if (error !== null) {
    const reason = stderr.trim().split('\n').at(-1) || reasonOf(error);
    throw failure('JOURNAL_UNREADABLE', { reason }, error);
  }
}

/**
 * The last entries under one of the tags, as journalctl prints them, a character a byte; for the curious.
 *
 * @throws Failure JOURNAL_MISSING, JOURNAL_UNREADABLE
 */
export async function lastEntries(
  tags: readonly string[],
  count: number,
  program: string = JOURNALCTL,
): Promise<string[]> {
  await checkJournal(program);
  const args = [...OUTPUT, `--lines=${count}`, ...tags.map(tag => `--identifier=${tag}`)];
  const options = {
    env: environment(),
    timeout: CHECK_TIMEOUT_MS,
    killSignal: 'SIGKILL',
    encoding: 'latin1',
    maxBuffer: OUTPUT_LIMIT,
  } as const;
  return new Promise((resolve, reject) => {
    execFile(program, args, options, (error, stdout) => {
      if (error === null) resolve(stdout.split('\n').slice(0, -1));
      else reject(failure('JOURNAL_UNREADABLE', { reason: reasonOf(error) }, error));
    });
  });
}

/** Everything after the place under one of the tags, then what comes, without end; or the whole. */
function argumentsFor(tags: readonly string[], place: JournalPlace | typeof WHOLE): string[] {
  const identifiers = tags.map(tag => `--identifier=${tag}`);
  if (place === WHOLE) return [...OUTPUT, ...identifiers];
  return [
    ...OUTPUT,
    '--follow',
    '--lines=all',
    ...identifiers,
    // Not --after-cursor: that leaves out one entry even if it is another one than the cursor's (systemd 252),
    // since the cursor's own was deleted or is of a program that is no longer watched.
    'cursor' in place ? `--cursor=${place.cursor}` : `--since=@${Math.floor(place.since)}`,
  ];
}

/** One run of journalctl. */
export class Journalctl {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #ended: Promise<string>;
  #killed = false;

  /**
   * @param tags at least one
   * @param warn told each line of its standard error
   */
  constructor(
    program: string,
    tags: readonly string[],
    place: JournalPlace | typeof WHOLE,
    warn: (text: string) => void,
  ) {
    this.#child = spawn(program, argumentsFor(tags, place), {
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
