/**
 * `popbsmtp match --follow`: the logins and logouts that logs tell of from now on, like `tail -F`.
 *
 * Goes on until INT or TERM, and ends with the summary and 0; ends without a word when nobody reads what it prints.  Lines are
 * numbered from where it began, each log by itself.
 */

import { statSync } from 'node:fs';
import { systemClock } from '../base/clock.ts';
import { EXIT, failure } from '../base/errors.ts';
import { outputEnded } from '../base/output.ts';
import { Pieces } from '../line/pieces.ts';
import { StampReader } from '../line/stamp.ts';
import type { Zone } from '../line/zone.ts';
import { LogMemory } from '../recogniser/log-memory.ts';
import { Recogniser } from '../recogniser/recogniser.ts';
import type { Registry } from '../recogniser/registry.ts';
import type { EventFormat } from '../report/event-line.ts';
import type { MatchSummary } from '../report/match-summary.ts';
import { warn } from '../report/print.ts';
import { isJournal } from '../source/journal-store.ts';
import { packingOf } from '../source/packing.ts';
import { remedyFor } from '../source/readable-log.ts';
import { Tail } from '../source/tail.ts';
import { Unmatched } from './unmatched.ts';

/** What is done with each line of every log. */
interface Following {
  readonly registry: Registry;
  readonly summary: MatchSummary;
  /** Null where they are only counted. */
  readonly format: EventFormat | null;
  /** Of stamps that do not tell theirs. */
  readonly zone: Zone;
}

/** @throws Failure USAGE, LOG_UNREADABLE, LOG_DIRECTORY */
export async function follow(files: readonly string[], following: Following): Promise<number> {
  for (const path of files) requireFollowable(path);
  const ended = endOfLooking();
  const logs = files.map(path => followLog(path, following));
  const isRead = await ended;
  for (const end of logs) end();
  if (isRead) process.stderr.write(following.summary.text());
  return EXIT.ok;
}

function requireFollowable(path: string): void {
  const refuse = (problem: string): never => {
    throw failure('USAGE', { problem: `${problem}: leave out --follow`, verb: 'match ' });
  };
  if (path === '-') refuse('standard input is read as it comes');
  if (isJournal(path)) {
    const problem =
      'the journal is not followed by match ("run --debug --nowrite --watchlog journal" does it)';
    refuse(problem);
  }
  if (packingOf(path) !== null) refuse(`nothing is added to a packed log such as ${path}`);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
    throw failure('LOG_DIRECTORY', { path, remedy: remedyFor(path) });
}

/** @returns whether somebody still reads what is printed */
function endOfLooking(): Promise<boolean> {
  return new Promise(resolve => {
    void outputEnded.then(() => resolve(false));
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(true));
  });
}

/** @returns what ends it */
function followLog(path: string, { registry, summary, format, zone }: Following): () => void {
  const clock = systemClock();
  const pieces = new Pieces();
  let number = 0;
  const stamps = new StampReader(() => clock.now().wall, zone);
  const unmatched = new Unmatched(registry, summary);
  const recogniser = new Recogniser(registry, stamps, new LogMemory(), unmatched.observer);
  const take = (line: string): string => {
    number++;
    const event = recogniser.recognise(pieces.whole(line));
    if (event !== null) {
      summary.recognised(event);
      return format?.(number, event) ?? '';
    }
    unmatched.take(() => ({ path, number, text: line }));
    return '';
  };
  const tail = new Tail(path, {
    lines: lines => void process.stdout.write(lines.map(take).join('')),
    following: () => warn(`following ${path}`),
    waiting: reason => warn(`waiting for ${path}: ${reason ?? 'there is no such file yet'}`),
  });
  return () => {
    tail.end();
    summary.read(number, tail.tooLong);
  };
}
