/**
 * How far long reading has come, as one line on a terminal that is drawn again and again.
 *
 * Promises: it is drawn at most ten times a second, and not before half a second has gone, so that short work shows
 * nothing; when it ends, or before anything else is printed, the line is blank again and the cursor at its beginning.
 * It works on any terminal: no escape sequences, a carriage return and blanks.
 * Leaves to others: who calls it, once for a batch of lines.  What is read is looked at only when it is drawn.
 */

import { fstatSync } from 'node:fs';
import { noun } from '../base/quantity.ts';

const FIRST_MS = 500;
const INTERVAL_MS = 100;
const MOST_COLUMNS = 100;
/** A terminal that does not tell its width. */
const USUAL_COLUMNS = 80;

/** Something that is being read. */
export interface Readable {
  /** In bytes; null when nobody knows, as of a pipe. */
  readonly size: number | null;
  /** Read so far. */
  bytes(): number;
  lines(): number;
}

/** The line of a terminal. */
export interface Screen {
  readonly columns: number | undefined;
  write(text: string): unknown;
}

export interface Reading {
  readonly bytes: number;
  readonly size: number | null;
  readonly lines: number;
  readonly seconds: number;
}

/** What is read at one time, as a line of no more than `columns`: `36 %, 123 MB of 345 MB, 612,000 lines/s, 4 s left`. */
export function readingText(reading: Reading, columns: number): string {
  const { bytes, size, lines, seconds } = reading;
  const rate = `${count(lines / Math.max(seconds, 0.001))} lines/s`;
  const parts =
    size === null
      ? [megabytes(bytes), `${count(lines)} ${noun(lines, 'line')}`, rate]
      : [
          percent(bytes, size),
          `${megabytes(bytes)} of ${megabytes(size)}`,
          rate,
          left(reading, size),
        ];
  return parts.join(', ').slice(0, columns);
}

const count = (number: number): string => Math.round(number).toLocaleString('en-US');

const megabytes = (bytes: number): string =>
  `${(bytes / 1e6).toLocaleString('en-US', { maximumFractionDigits: bytes < 10e6 ? 1 : 0 })} MB`;

/** A log that is written to meanwhile may have more than it had. */
const share = (bytes: number, size: number): number => Math.min(1, bytes / Math.max(size, 1));

const percent = (bytes: number, size: number): string =>
  `${Math.floor((Math.min(bytes, size) * 100) / Math.max(size, 1))} %`;

function left({ bytes, seconds }: Reading, size: number): string {
  const done = share(bytes, size);
  return done === 0 ? '? left' : `${duration((seconds * (1 - done)) / done)} left`;
}

/** `9 s`, `2:05 min`, `1:02 h`. */
function duration(exact: number): string {
  const seconds = Math.ceil(exact);
  if (seconds < 60) return `${seconds} s`;
  const pair = (big: number, small: number): string => `${big}:${String(small).padStart(2, '0')}`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${pair(minutes, seconds % 60)} min`
    : `${pair(Math.floor(minutes / 60), minutes % 60)} h`;
}

export class ProgressMeter {
  readonly #what: readonly Readable[];
  readonly #screen: Screen;
  readonly #now: () => number;
  readonly #began: number;
  #due: number;
  /** Characters that stand in the line. */
  #drawn = 0;

  /** @param now milliseconds of a clock that is never set */
  constructor(what: readonly Readable[], screen: Screen, now = () => performance.now()) {
    this.#what = what;
    this.#screen = screen;
    this.#now = now;
    this.#began = now();
    this.#due = this.#began + FIRST_MS;
  }

  /** Draws the line if it is time to. */
  update(): void {
    const now = this.#now();
    if (now < this.#due) return;
    this.#due = now + INTERVAL_MS;
    const { columns = 0 } = this.#screen;
    // Some terminals say that they have none.
    const width = Math.min(columns > 0 ? columns : USUAL_COLUMNS, MOST_COLUMNS) - 1;
    const text = readingText(this.#reading(now), width);
    this.#screen.write(`\r${text.padEnd(this.#drawn)}`);
    this.#drawn = text.length;
  }

  /** Makes the line blank for something else to be printed. */
  clear(): void {
    if (this.#drawn === 0) return;
    this.#screen.write(`\r${' '.repeat(this.#drawn)}\r`);
    this.#drawn = 0;
  }

  #reading(now: number): Reading {
    const sum = (of: (readable: Readable) => number): number =>
      this.#what.reduce((total, readable) => total + of(readable), 0);
    const isKnown = this.#what.every(({ size }) => size !== null);
    return {
      bytes: sum(readable => readable.bytes()),
      size: isKnown ? sum(({ size }) => size ?? 0) : null,
      lines: sum(readable => readable.lines()),
      seconds: (now - this.#began) / 1000,
    };
  }
}

/**
 * The meter of a command that reads finished logs, on standard error.
 *
 * @param prints whether events go to standard output: on the same terminal they show themselves how far it is, and
 *   a pipe may lead to a program that prints on it
 * @returns null when nobody would see it, or it would stand in the way
 */
export function progressMeter(what: readonly Readable[], prints: boolean): ProgressMeter | null {
  if (!process.stderr.isTTY || (prints && !isOutOfSight(process.stdout.fd))) return null;
  return new ProgressMeter(what, process.stderr);
}

/** A file, or /dev/null. */
function isOutOfSight(fd: number): boolean {
  const status = fstatSync(fd);
  return status.isFile() || (status.isCharacterDevice() && !process.stdout.isTTY);
}
