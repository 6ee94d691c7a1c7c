/**
 * The time stamps that log lines begin with, as Unix time.
 *
 * Promises: RFC 3339 in all its spellings (fraction, any zone, blank for `T`), RFC 3164 with one- and
 * two-digit days, with and without a year, the slashes of nginx, what journalctl writes as short-full and
 * short-unix, and the TAI64N label of daemontools, and svlogd's stamps, which are UTC.
 * A stamp without a zone is in that of the log (zone.ts), and so is one with a zone's abbreviation other than UTC: journalctl
 * writes its reader's, and abbreviations are not unique.  Where the end of summer time makes it name two moments, the one
 * nearer to the line before or to the reference is taken; a stamp without a year gets the latest year that
 * does not put it more than a day after the reference (now for a live log, its last change for a finished one).
 * No line is younger than the reference (StampReader.bounded): a stamp that lies after it, from a clock that is ahead or
 * from another zone, counts as the reference, and one more than a day after it as none.
 * Known limits: lines more than a year old and without a year are read as younger than they are; a TAI64N
 * label of a program that counts leap seconds (s6 does) is read as half a minute late.
 */
import { type EpochSeconds, epoch } from '../base/clock.ts';
import { type ClockTime, LOCAL, type Zone } from './zone.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const WEEKDAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ';
/** An expression's source that matches the name of a month. */
export const MONTH = `(?:${MONTHS.join('|')})`;
const MONTH_DAY = String.raw`${MONTH} {1,2}\d{1,2} `;
const TIME = String.raw`\d\d:\d\d:\d\d(?:\.\d{1,9})?`;
/**
 * RFC 3164 section 4.1.2, with a year or fraction as some daemons add them, or as ctime(3) writes it.
 * The year behind the time needs the weekday before it: alone it would be a host with a number for a name.
 */
export const CLASSIC_STAMP = String.raw`(?:${WEEKDAY}${MONTH_DAY}${TIME} \d{4}|(?:${WEEKDAY})?${MONTH_DAY}(?:\d{4} )?${TIME})`;
/** RFC 3339 section 5.6; also ISO 8601 with a blank, a comma before the fraction, or no zone. */
const ISO = String.raw`\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?`;
/** `Mon 2026-11-23 00:53:00 CET` (journalctl -o short-full); where a zone has no abbreviation, its offset. */
const FULL = String.raw`${WEEKDAY}\d{4}-\d\d-\d\d ${TIME} (?:[A-Z]{2,5}|[+-]\d\d(?:\d\d)?)`;
/** Unix time with microseconds (journalctl -o short-unix). */
const UNIX = String.raw`\d{9,10}\.\d{6}`;
/** D. J. Bernstein's TAI64N, 2^62 plus TAI seconds, then nanoseconds. */
export const TAI64N = '@[0-9a-f]{24}';
/** svlogd(8): UTC, and says so by its underscore (-tt), or by a T and five digits behind the point (-ttt), as no syslog daemon does. */
export const SVLOGD_STAMP = String.raw`\d{4}-\d\d-\d\d(?:_\d\d:\d\d:\d\d\.\d{1,9}|T\d\d:\d\d:\d\d\.\d{5})`;
/** A TAI64N label for people (tai64nlocal(8), s6-log(8) with T): a blank, and always nine digits behind the point. */
export const LOCAL_LABEL = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9}`;

/** An expression's source that matches a stamp of any of these forms. */
export const STAMP = `(?:${CLASSIC_STAMP}|${ISO}|${SVLOGD_STAMP}|${FULL}|${UNIX}|${TAI64N})`;

const CLASSIC_FIELDS =
  /^(?:\w{3} )?(?<month>[A-Z][a-z]{2}) {1,2}(?<day>\d{1,2}) (?:(?<year>\d{4}) )?(?<clock>[\d:]{8})(?:\.\d+)?(?: (?<late>\d{4}))?$/;
const ISO_FIELDS =
  /^(?:\w{3} )?(?<year>\d{4})[-/](?<month>\d\d)[-/](?<day>\d\d)[T _](?<clock>[\d:]{8})(?:[.,]\d+)? ?(?<zone>\D+|[+-][\d:]+)?$/;
const WHOLE_SVLOGD = new RegExp(`^${SVLOGD_STAMP}$`);
const UNIX_FIELDS = /^(?<seconds>\d+)\.\d{6}$/;

const UTC = '+0000';
const HOUR = 3600;
const DAY = 24 * HOUR;
/** Seconds by which a line may be older than the one before, when several programs or hosts write. */
const OVERTAKING = 60;
/** TAI counts from 1970-01-01 00:00:10 TAI as daemontools labels it (no table of leap seconds). */
const TAI_OFFSET = 10;
/** The last second that a Date can name (ECMAScript, time values). */
const LAST_SECOND = 8.64e12;

type Fields = Omit<ClockTime, 'year'> & { readonly year: number | null };

/** `2026-11-23T00:53:00`, and `+01:00`; what is between them is the fraction. */
const ISO_SECOND = 19;
const ISO_ZONE = -6;

/** Whether two stamps are the same but for the fraction of an RFC 3339 stamp with a zone. */
const isSameSecond = (a: string, b: string): boolean =>
  a === b ||
  (a.length === b.length &&
    a[10] === 'T' &&
    a.startsWith(b.slice(0, ISO_SECOND)) &&
    a.endsWith(b.slice(ISO_ZONE)));

/** Reads the stamps of one log, in the order of its lines. */
export class StampReader {
  readonly #reference: () => EpochSeconds;
  readonly #zone: Zone;
  /** What the lines at hand are no younger than, where that is known better than by the reference. */
  #writtenBy: EpochSeconds | null = null;
  #previous: EpochSeconds | null = null;
  /** The stamp before this one, which has the same second for most lines, and the one before that: a carried line has two. */
  #last = '';
  #lastTime: EpochSeconds | null = null;
  #other = '';
  #otherTime: EpochSeconds | null = null;

  /**
   * @param reference no line is later than this: now, or the log's last change
   * @param zone that of stamps that do not tell theirs
   */
  constructor(reference: () => EpochSeconds, zone: Zone = LOCAL) {
    this.#reference = reference;
    this.#zone = zone;
  }

  /** The lines that come next are no younger than this; null for no younger than the reference. */
  writtenBy(time: EpochSeconds | null): void {
    this.#writtenBy = time;
  }

  /** The whole seconds that a stamp tells, or null if it names no moment (`Feb 30`). */
  read(text: string): EpochSeconds | null {
    if (isSameSecond(text, this.#last)) return this.#lastTime;
    const isOther = isSameSecond(text, this.#other);
    const time = isOther ? this.#otherTime : this.#readNew(text);
    this.#other = this.#last;
    this.#otherTime = this.#lastTime;
    this.#last = text;
    this.#lastTime = time;
    return time;
  }

  /**
   * What a stamp that was read is worth: the line cannot have been written later than the reference.
   *
   * @returns null when the stamp is more than a day later, and so tells nothing
   */
  bounded(time: EpochSeconds | null): EpochSeconds | null {
    const latest = this.#latest();
    if (time === null || time <= latest) return time;
    return time > latest + DAY ? null : epoch(Math.floor(latest));
  }

  #latest(): EpochSeconds {
    const reference = this.#reference();
    return this.#writtenBy === null ? reference : epoch(Math.min(reference, this.#writtenBy));
  }

  #readNew(text: string): EpochSeconds | null {
    const time = text.startsWith('@') ? taiTime(text) : this.#calendarTime(text);
    if (time !== null) this.#previous = time;
    return time;
  }

  #calendarTime(text: string): EpochSeconds | null {
    const iso = ISO_FIELDS.exec(text)?.groups;
    if (iso !== undefined) {
      const fields = fieldsOf(iso, Number(iso['month']) - 1);
      if (fields === null) return null;
      const offset = WHOLE_SVLOGD.test(text) ? UTC : offsetOf(iso['zone']);
      return offset === null ? this.#local(fields) : zoned(fields, offset);
    }
    const unix = UNIX_FIELDS.exec(text)?.groups;
    if (unix !== undefined) return epoch(Number(unix['seconds']));
    const classic = CLASSIC_FIELDS.exec(text)?.groups;
    if (classic === undefined) return null;
    const fields = fieldsOf(classic, MONTHS.indexOf(classic['month'] ?? ''));
    return fields && this.#local(fields);
  }

  #local(fields: Fields): EpochSeconds | null {
    if (fields.year !== null) return this.#resolve(fields, fields.year);
    const latest = this.#latest() + DAY;
    const year = this.#zone.yearAt(latest);
    // Eight years back reach the last 29th of February, even from 2103.
    for (let back = 0; back <= 8; back++) {
      const time = this.#resolve(fields, year - back);
      if (time !== null && time <= latest) return time;
    }
    return null;
  }

  /** Time of the zone; of the two moments that the end of summer time allows, the nearer to what is known. */
  #resolve(fields: Fields, year: number): EpochSeconds | null {
    if (!hasDay(year, fields)) return null;
    const [first, again] = this.#zone.moments({ ...fields, year });
    if (again === undefined) return epoch(first);
    return epoch(this.#distance(again) < this.#distance(first) ? again : first);
  }

  /** How far a time is from what is known; a log does not go back, but for lines that overtake others. */
  #distance(time: number): number {
    const present = Math.abs(this.#latest() - time);
    if (this.#previous === null || time < this.#previous - OVERTAKING) return present;
    return Math.min(present, Math.abs(this.#previous - time));
  }
}

function fieldsOf(groups: Record<string, string | undefined>, month: number): Fields | null {
  const [hour = 0, minute = 0, second = 0] = (groups['clock'] ?? '').split(':').map(Number);
  const text = groups['year'] ?? groups['late'];
  const year = text === undefined ? null : Number(text);
  if (month < 0 || month > 11 || hour > 23 || minute > 59 || second > 60) return null;
  // Date takes years below 100 for those of the twentieth century.
  if (year !== null && year < 1970) return null;
  return { year, month, day: Number(groups['day']), hour, minute, second };
}

/** Whether a month has such a day; Date would go on counting in the next one. */
function hasDay(year: number, { month, day }: Fields): boolean {
  return day >= 1 && day <= new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
}

/** What a zone is ahead of UTC, as `+0100`, or null where it does not say. */
function offsetOf(zone = ''): string | null {
  if (zone === 'Z' || zone === 'UTC' || zone === 'GMT') return UTC;
  if (!/^[+-]/.test(zone)) return null;
  return zone.replace(':', '').padEnd(5, '0');
}

function zoned(fields: Fields, zone: string): EpochSeconds | null {
  const { year, month, day, hour, minute, second } = fields;
  if (year === null || !hasDay(year, fields)) return null;
  const utc = Date.UTC(year, month, day, hour, minute, second) / 1000;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3))];
  if (hours > 23 || minutes > 59) return null;
  const offset = hours * HOUR + minutes * 60;
  return epoch(zone.startsWith('-') ? utc + offset : utc - offset);
}

function taiTime(label: string): EpochSeconds | null {
  const seconds = Number(BigInt(`0x${label.slice(1, 17)}`) - 2n ** 62n) - TAI_OFFSET;
  return seconds >= 0 && seconds <= LAST_SECOND ? epoch(seconds) : null;
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
