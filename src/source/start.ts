/**
 * Where in a log to start, so that no login that is still worth something is missed and no gigabyte
 * is read for it: at the first line that is younger than the grace period.
 *
 * Found by bisecting the file on its stamps, some thirty reads for any size.  Lines of a log are nearly, not
 * strictly, in the order of their stamps (several daemons write through several queues), so the search aims a
 * minute earlier than asked.
 * Known limit: a log in which the clock was set back by more than that may start too late.
 */
import { readSync } from 'node:fs';
import type { EpochSeconds } from '../base/clock.ts';
import { MAX_LINE } from '../line/length.ts';

/**
 * Where to start in a file that is open for reading, in bytes; null for before its first byte: all of it
 * matters, and so does the end of the file before it.
 */
export type StartPosition = (fd: number, size: number) => number | null;

/** Tells the stamp of a line, or null. */
export type TimeOf = (line: string) => EpochSeconds | null;

const MARGIN_SECONDS = 60;
/** One read finds a whole line in any log whose lines keep to the cap. */
const WINDOW = 2 * MAX_LINE;

/** @param since nothing before this matters */
export function startAtTime(since: EpochSeconds, timeOf: TimeOf): StartPosition {
  return (fd, size) => {
    const window = Buffer.allocUnsafe(WINDOW);
    let low = 0;
    let high = size;
    // Everything before `low` is too old; the line that begins at or after `high` is young enough.
    while (high - low > WINDOW) {
      const middle = Math.floor((low + high) / 2);
      const count = readSync(fd, window, 0, WINDOW, middle);
      const time = firstTime(window.toString('latin1', 0, count), timeOf);
      if (time !== null && time < since - MARGIN_SECONDS) low = middle;
      else high = middle;
    }
    return low === 0 ? null : lineStart(fd, low);
  };
}

/** The stamp of the first whole line that has one. */
function firstTime(text: string, timeOf: TimeOf): EpochSeconds | null {
  for (const line of text.split('\n').slice(1, -1)) {
    const time = timeOf(line);
    if (time !== null) return time;
  }
  return null;
}

/** Where the next line after a position begins. */
function lineStart(fd: number, position: number): number {
  const window = Buffer.allocUnsafe(WINDOW);
  const count = readSync(fd, window, 0, WINDOW, position);
  const end = window.subarray(0, count).indexOf('\n');
  return end < 0 ? position : position + end + 1;
}
