/**
 * The time stamps that log lines begin with, as Unix time.
 *
 * Promises: RFC 3339 in all its spellings (fraction, any zone, blank for `T`), RFC 3164 with one- and
 * two-digit days, with and without a year, the slashes of nginx and the TAI64N label of daemontools.
 * A stamp without a zone is local time.  In the hour that the end of summer time repeats, the reading
 * nearest to the line before it is taken; a stamp without a year gets the latest year that does not
 * put it more than a day after the reference (now for a live log, its last change for a finished one).
 * Known limit: lines more than a year old and without a year are read as younger than they are.
 */
import { type EpochSeconds, epoch } from '../clock.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** RFC 3164 section 4.1.2, with an optional weekday, fraction and year as some daemons add them. */
const CLASSIC = String.raw`(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?(?:${MONTHS.join('|')}) {1,2}\d{1,2} (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d{1,9})?(?: \d{4}(?= ))?`;
/** RFC 3339 section 5.6; also ISO 8601 with a blank, a comma before the fraction, or no zone. */
const ISO = String.raw`\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?`;
/** D. J. Bernstein's TAI64N, 2^62 plus TAI seconds, then nanoseconds. */
const TAI64N = '@[0-9a-f]{24}';

/** An expression's source that matches a stamp of any of these forms. */
export const STAMP = `(?:${CLASSIC}|${ISO}|${TAI64N})`;

const CLASSIC_FIELDS =
  /^(?:\w{3} )?(?<month>[A-Z][a-z]{2}) {1,2}(?<day>\d{1,2}) (?:(?<year>\d{4}) )?(?<clock>[\d:]{8})(?:\.\d+)?(?: (?<late>\d{4}))?$/;
const ISO_FIELDS =
  /^(?<year>\d{4})[-/](?<month>\d\d)[-/](?<day>\d\d)[T ](?<clock>[\d:]{8})(?:[.,]\d+)?(?<zone>Z|[+-]\d\d:?\d\d)?$/;

const DAY = 86_400;
/** TAI counts from 1970-01-01 00:00:10 TAI as daemontools labels it (no table of leap seconds). */
const TAI_OFFSET = 10;

interface Fields {
  readonly year: number | null;
  /** From 0, as Date counts. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** Reads the stamps of one log, in the order of its lines. */
export class StampReader {
  readonly #reference: () => EpochSeconds;
  #previous: EpochSeconds | null = null;

  /** @param reference no line is later than this, give or take a day: now, or the log's last change */
  constructor(reference: () => EpochSeconds) {
    this.#reference = reference;
  }

  /** The whole seconds that a stamp tells, or null if it names no moment (`Feb 30`). */
  read(text: string): EpochSeconds | null {
    const time = text.startsWith('@') ? taiTime(text) : this.#calendarTime(text);
    if (time !== null) this.#previous = time;
    return time;
  }

  #calendarTime(text: string): EpochSeconds | null {
    const iso = ISO_FIELDS.exec(text)?.groups;
    if (iso !== undefined) {
      const fields = fieldsOf(iso, Number(iso['month']) - 1);
      if (fields === null) return null;
      return iso['zone'] === undefined ? this.#local(fields) : zoned(fields, iso['zone']);
    }
    const classic = CLASSIC_FIELDS.exec(text)?.groups;
    if (classic === undefined) return null;
    const fields = fieldsOf(classic, MONTHS.indexOf(classic['month'] ?? ''));
    return fields && this.#local(fields);
  }

  #local(fields: Fields): EpochSeconds | null {
    if (fields.year !== null) return this.#resolve(fields, fields.year);
    const latest = this.#reference() + DAY;
    const year = new Date(latest * 1000).getFullYear();
    // Four years back reach the last 29th of February.
    for (let back = 0; back <= 4; back++) {
      const time = this.#resolve(fields, year - back);
      if (time !== null && time <= latest) return time;
    }
    return null;
  }

  /** Local time; of the two readings that the end of summer time allows, the nearer to the last line. */
  #resolve(fields: Fields, year: number): EpochSeconds | null {
    const { month, day, hour, minute, second } = fields;
    const date = new Date(year, month, day, hour, minute, second);
    if (date.getMonth() !== month || date.getDate() !== day) return null;
    const first = date.getTime() / 1000;
    const again = first + 3600;
    if (new Date(again * 1000).getHours() !== hour) return epoch(first);
    const near = this.#previous ?? this.#reference();
    return epoch(Math.abs(near - again) < Math.abs(near - first) ? again : first);
  }
}

function fieldsOf(groups: Record<string, string | undefined>, month: number): Fields | null {
  const [hour = 0, minute = 0, second = 0] = (groups['clock'] ?? '').split(':').map(Number);
  const year = groups['year'] ?? groups['late'];
  const day = Number(groups['day']);
  if (month < 0 || month > 11 || day < 1 || day > 31) return null;
  if (hour > 23 || minute > 59 || second > 60) return null;
  return { year: year === undefined ? null : Number(year), month, day, hour, minute, second };
}

function zoned(fields: Fields, zone: string): EpochSeconds | null {
  const { year, month, day, hour, minute, second } = fields;
  const utc = Date.UTC(year ?? 0, month, day, hour, minute, second) / 1000;
  if (new Date(Date.UTC(year ?? 0, month, day)).getUTCDate() !== day) return null;
  if (zone === 'Z') return epoch(utc);
  const offset = Number(zone.slice(1, 3)) * 3600 + Number(zone.slice(-2)) * 60;
  return epoch(zone.startsWith('-') ? utc + offset : utc - offset);
}

function taiTime(label: string): EpochSeconds {
  return epoch(Number(BigInt(`0x${label.slice(1, 17)}`) - 2n ** 62n) - TAI_OFFSET);
}

/** `Mar 22 11:17:58`, in local time, as log lines have said it since RFC 3164. */
export function formatStamp(time: EpochSeconds): string {
  const date = new Date(time * 1000);
  const day = String(date.getDate()).padStart(2);
  return `${MONTHS[date.getMonth()]} ${day} ${date.toTimeString().slice(0, 8)}`;
}

/** `Fri Mar 22 10:21:50 2002`, in local time, as ctime(3) prints it. */
export function formatCtime(time: EpochSeconds): string {
  const date = new Date(time * 1000);
  const weekday = date.toString().slice(0, 3);
  return `${weekday} ${formatStamp(time)} ${date.getFullYear()}`;
}
