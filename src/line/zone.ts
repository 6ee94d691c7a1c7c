/**
 * The time zone of stamps that do not tell theirs: this machine's, a named one, or a fixed offset from UTC.
 *
 * Promises: a time that clocks show twice, at the end of summer time, has both its moments, the earlier first; one that
 * they leave out, at its beginning, is read as if they had not been put forward yet (as ECMAScript's LocalTime does).
 * Names are those of the tz database, as Node's own copy has them; offsets are written as in RFC 3339.
 * Known limit: of a named zone, a second change of its offset within three days of another would be read wrongly.
 */
import { failure } from '../base/errors.ts';
import type { Given } from '../base/given.ts';

/** What a calendar and a clock show. */
export interface ClockTime {
  readonly year: number;
  /** From 0, as Date counts. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  /** Up to 60, in a leap second. */
  readonly second: number;
}

/** All moments are seconds since 1970. */
export interface Zone {
  /** When clocks there show a time; both moments where they show it twice, the earlier first. */
  moments(time: ClockTime): readonly [first: number, again?: number];
  /** Which year it is there. */
  yearAt(moment: number): number;
  /** By how many seconds clocks there are ahead of UTC. */
  offsetAt(moment: number): number;
}

const HOUR = 3600;
const DAY = 24 * HOUR;

/** This machine's. */
export const LOCAL: Zone = {
  moments({ year, month, day, hour, minute, second }) {
    const date = new Date(year, month, day, hour, minute, second);
    const first = date.getTime() / 1000;
    const step = stepBack(date, first);
    return step === 0 ? [first] : [first, first + step];
  },
  yearAt: moment => new Date(moment * 1000).getFullYear(),
  offsetAt: moment => 0 - 60 * new Date(moment * 1000).getTimezoneOffset(),
};

/**
 * How many seconds later the same local time comes once more; 0 if it does not.  A Date made of local
 * fields is the first of two (ECMAScript, LocalTime); Lord Howe Island goes back by half an hour only.
 */
function stepBack(date: Date, seconds: number): number {
  const after = new Date((seconds + 2 * HOUR) * 1000).getTimezoneOffset();
  const step = (after - date.getTimezoneOffset()) * 60;
  if (step <= 0) return 0;
  const again = new Date((seconds + step) * 1000);
  const same = again.getHours() === date.getHours() && again.getMinutes() === date.getMinutes();
  return same ? step : 0;
}

/** @throws Failure ZONE */
export function zoneOf(given: Given<string> | null): Zone {
  if (given === null) return LOCAL;
  const { value, origin } = given;
  const zone = fixedZone(value) ?? namedZone(value);
  if (zone === null) throw failure('ZONE', { where: origin, value });
  return zone;
}

const OFFSET = /^(?<sign>[+-])(?<hours>\d\d)(?::?(?<minutes>[0-5]\d))?$/;
/** No clock is further from UTC than these, in seconds (tz database). */
const MOST_OFFSET = 14 * HOUR;

function fixedZone(text: string): Zone | null {
  if (text === 'Z') return fixed(0);
  const { sign, hours, minutes = 0 } = OFFSET.exec(text)?.groups ?? {};
  if (sign === undefined) return null;
  const offset = Number(hours) * HOUR + Number(minutes) * 60;
  if (offset > MOST_OFFSET) return null;
  return fixed(sign === '-' ? -offset : offset);
}

const fixed = (offset: number): Zone => ({
  moments: time => [inUtc(time) - offset],
  yearAt: moment => yearOf(moment + offset),
  offsetAt: () => offset,
});

/** Null for a name that is not known. */
function namedZone(name: string): Zone | null {
  // What begins otherwise is an offset, which some versions of Node take for a zone.
  if (!/^[A-Za-z]/.test(name)) return null;
  try {
    const names = { timeZone: name, timeZoneName: 'longOffset' } as const;
    return new NamedZone(new Intl.DateTimeFormat('en-US', names));
  } catch {
    return null;
  }
}

/** `GMT`, `GMT+01:00`, `GMT-00:44:30`. */
const LONG_OFFSET = /GMT(?:(?<sign>[+-])(?<hours>\d\d):(?<minutes>\d\d)(?::(?<seconds>\d\d))?)?$/;

class NamedZone implements Zone {
  readonly #format: Intl.DateTimeFormat;
  /** The day that was asked about last, and what the offset is before and after it: to ask costs microseconds. */
  #day = Number.NaN;
  #before = 0;
  #after = 0;

  /** @param format writes a moment with the offset that the zone has then */
  constructor(format: Intl.DateTimeFormat) {
    this.#format = format;
  }

  moments(time: ClockTime): readonly [first: number, again?: number] {
    const utc = inUtc(time);
    this.#look(Math.floor(utc / DAY));
    const [before, after] = [utc - this.#before, utc - this.#after];
    if (before === after) return [before];
    const isBefore = this.offsetAt(before) === this.#before;
    const isAfter = this.offsetAt(after) === this.#after;
    if (isBefore && isAfter) return [before, after];
    return [isAfter ? after : before];
  }

  yearAt(moment: number): number {
    return yearOf(moment + this.offsetAt(moment));
  }

  offsetAt(moment: number): number {
    const found = LONG_OFFSET.exec(this.#format.format(moment * 1000))?.groups;
    const { sign, hours = 0, minutes = 0, seconds = 0 } = found ?? {};
    const offset = Number(hours) * HOUR + Number(minutes) * 60 + Number(seconds);
    return sign === '-' ? -offset : offset;
  }

  #look(day: number): void {
    if (day === this.#day) return;
    this.#day = day;
    this.#before = this.offsetAt((day - 1) * DAY);
    this.#after = this.offsetAt((day + 2) * DAY);
  }
}

const inUtc = ({ year, month, day, hour, minute, second }: ClockTime): number =>
  Date.UTC(year, month, day, hour, minute, second) / 1000;

const yearOf = (seconds: number): number => new Date(seconds * 1000).getUTCFullYear();

/** `+02:00`, as RFC 3339 writes an offset; whole minutes. */
export function formatOffset(offset: number): string {
  const minutes = Math.round(Math.abs(offset) / 60);
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${two(hours)}:${two(rest)}`;
}
