/**
 * A look, now and then, at what stands in a journal under tags that are not asked for: a server whose logins nobody reads is told of.
 *
 * The journal's own entries are not followed for that, since a busy host writes thousands of them a second.
 * Promises: nothing is ever granted on what is found here.  Looked at are the latest entries, a bounded number, since the time before;
 * those of root and of services of the system, so that no local user can raise an alarm.
 * Leaves to others: what looks like a login (recogniser/stray.ts).
 * Known limits: more than ENTRIES between two looks are not all seen; a container that a user runs is not told of.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type EpochSeconds, epoch } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import type { Registry } from '../recogniser/registry.ts';
import { entryLine, parseEntry } from '../source/journal-entry.ts';
import { isChosen } from '../source/journal-match.ts';
import { JournalStreams } from '../source/journal-streams.ts';
import { isSystems, JOURNALD } from '../source/journal-trust.ts';
import { lastEntries } from '../source/journalctl.ts';
import type { JournalChoice } from './journal-rules.ts';

const ENTRIES = 5000;
const PAUSE_MS = 600_000;

/**
 * The last lines of the system under tags that are no known server's.
 *
 * @param since none that are older, in seconds; null for any
 * @throws Failure of journalctl
 */
export async function strangersIn(
  name: string,
  registry: Registry,
  { matches }: JournalChoice,
  since: EpochSeconds | null,
  signal?: AbortSignal,
): Promise<string[]> {
  const streams = new JournalStreams();
  const entries = await lastEntries(name, { tags: [] }, ENTRIES, { signal });
  return entries.flatMap(json => {
    const entry = parseEntry(json);
    if (entry === null || entry.microseconds < (since ?? 0) * 1e6) return [];
    if (!streams.isWhole(entry) || !isSystems(entry)) return [];
    if (entry.tag === JOURNALD || registry.program(entry.tag) !== null || isChosen(entry, matches))
      return [];
    return entryLine(entry) ?? [];
  });
}

/** What a survey asks, each time anew. */
export interface SurveyParts {
  /** @param since none that are older, in seconds */
  strangers(since: EpochSeconds, signal: AbortSignal): Promise<readonly string[]>;
  /** Told what was found. */
  found(lines: readonly string[]): void;
}

export class JournalSurvey {
  readonly #parts: SurveyParts;
  readonly #stopping = new AbortController();
  readonly #pauseMs: number;
  #done: Promise<void> = Promise.resolve();

  constructor(parts: SurveyParts, pauseMs: number = PAUSE_MS) {
    this.#parts = parts;
    this.#pauseMs = pauseMs;
  }

  /** @param since the first look goes back to this moment */
  start(since: EpochSeconds): void {
    this.#done = this.#run(since);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
  }

  async #run(first: EpochSeconds): Promise<void> {
    const { signal } = this.#stopping;
    for (let since = first; !signal.aborted; ) {
      const next = epoch(Date.now() / 1000);
      try {
        const lines = await this.#parts.strangers(since, signal);
        if (!signal.aborted) this.#parts.found(lines);
        since = next;
      } catch (error) {
        // The source itself tells what is wrong with this journal, and all of it is looked at the next time.
        if (!(error instanceof Failure)) throw error;
      }
      await sleep(this.#pauseMs, null, { signal, ref: false }).catch(() => undefined);
    }
  }
}
