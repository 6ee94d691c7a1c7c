/**
 * What another engine may lack of that which this host has told the one before.
 *
 * A replica that is promoted has all that was written before the two parted, at a count of bytes that it tells (history.ts).  So it
 * is enough to tell it anew what was posted since the last moment at which that count was lower.
 * Promises: what it may lack is never left out; where that cannot be known, it is everything.
 * Known limit: only the last two minutes are remembered.
 * Pure: no connection, no clock.
 */
import type { History } from './history.ts';

/** With one each heartbeat. */
const MOST_MARKS = 60;

/** All that was posted before a moment was with the engine when its history had so many bytes. */
interface Mark {
  readonly offset: number;
  /** Seconds of a clock that only goes forward, here and below. */
  readonly before: number;
}

/** Since when what was posted may be lacking: all of it, or nothing of it. */
export type Lacking = 'all' | 'nothing' | { readonly since: number };

export class Fork {
  #run = '';
  #history = '';
  #marks: readonly Mark[] = [];

  /**
   * Notes that the engine has all that was posted before a moment, so that only this counts from now on.
   *
   * @param run of the engine's start
   */
  note(run: string, { name, offset }: History, before: number): void {
    const kept = run === this.#run && name === this.#history ? this.#marks : [];
    this.#run = run;
    this.#history = name;
    this.#marks = [...kept.slice(1 - MOST_MARKS), { offset, before }];
  }

  /** What an engine may lack. */
  lacking(run: string, { name, offset, former }: History): Lacking {
    const last = this.#marks.at(-1);
    if (last === undefined || name === '') return 'all';
    const isOnward = run === this.#run && offset >= last.offset;
    // A primary whose first replica comes takes another name, and forgets the one before.
    if (isOnward && (name === this.#history || former === null)) return 'nothing';
    if (former?.name !== this.#history) return 'all';
    const mark = this.#marks.findLast(({ offset: bytes }) => bytes < former.end);
    return mark === undefined ? 'all' : { since: mark.before };
  }
}
