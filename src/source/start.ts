/**
 * Where in a log to start, so that no login that is still worth something is missed and no gigabyte
 * is read for it: at the first line that is younger than the grace period.
 *
 * Found by bisecting the file on its stamps, some thirty reads for any size; a compressed one is unpacked up to there,
 * and looked at every few lines.  Lines of a log are nearly, not strictly, in the order of their stamps (several daemons
 * write through several queues), so the search aims a minute earlier than asked.
 * Known limit: a log in which the clock was set back by more than that minute may start too late.
 */
import { readSync } from 'node:fs';
import type { EpochSeconds } from '../base/clock.ts';
import { MAX_LINE } from '../line/length.ts';
import type { OpenFile } from './follower.ts';
import { type Packing, unpacked } from './packing.ts';

/**
 * Where to start in what a file holds, in bytes; null for before its first byte: all of it matters, and so does the
 * end of the file before it.
 *
 * @param signal ends the search, whatever has been found
 */
export type StartPosition = (
  file: OpenFile,
  signal: AbortSignal,
) => number | null | Promise<number | null>;

/** Tells when a line was written, or null where its stamp cannot be right. */
export type TimeOf = (line: string) => EpochSeconds | null;

const MARGIN_SECONDS = 60;
/** One read finds a whole line in any log whose lines keep to the cap. */
const WINDOW = 2 * MAX_LINE;

/**
 * @param since asked whenever a file is looked at
 * @param timesIn given when the file was last written to, what tells the stamps of its lines
 */
export function startAtTime(
  since: () => EpochSeconds,
  timesIn: (modified: EpochSeconds) => TimeOf,
): StartPosition {
  return (file, signal) => {
    const timeOf = timesIn(file.modified);
    const youngEnough = since() - MARGIN_SECONDS;
    const isTooOld = (text: string): boolean | null => {
      const time = firstTime(text, timeOf);
      return time && time < youngEnough;
    };
    return file.packing === null
      ? startInPlain(file, isTooOld)
      : startInPacked(file, file.packing, isTooOld, signal);
  };
}

/** Whether the first whole line of a text that tells its time is too old to matter; null when there is none. */
type IsTooOld = (text: string) => boolean | null;

function startInPlain({ fd, size }: OpenFile, isTooOld: IsTooOld): number | null {
  const window = Buffer.allocUnsafe(WINDOW);
  let low = 0;
  let high = size;
  // Everything before `low` is too old; the line that begins at or after `high` is young enough.
  while (high - low > WINDOW) {
    const middle = Math.floor((low + high) / 2);
    const count = readSync(fd, window, 0, WINDOW, middle);
    if (isTooOld(window.toString('latin1', 0, count)) === true) low = middle;
    else high = middle;
  }
  return low === 0 ? null : lineStart(fd, low);
}

/** The start of the last piece that begins too old, of those before the first one that does not. */
async function startInPacked(
  { fd }: OpenFile,
  packing: Packing,
  isTooOld: IsTooOld,
  signal: AbortSignal,
): Promise<number | null> {
  let start: number | null = null;
  let position = 0;
  try {
    for await (const piece of unpacked(fd, packing)) {
      const text = piece.toString('latin1', 0, WINDOW);
      const isFirst = position === 0;
      const isOld = isTooOld(isFirst ? `\n${text}` : text);
      if (isOld === false || signal.aborted) break;
      if (isOld) start = isFirst ? 0 : position + text.indexOf('\n') + 1;
      position += piece.length;
    }
  } catch {
    // Damaged behind what is known, which is told when it is read.
  }
  return start;
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
