/**
 * Moments as the command line writes them: `2h` and `7d` (ago), `10:42`, `yesterday`, `yesterday 10:42`, `2026-11-27`,
 * `2026-11-27 10:42`, with seconds and with a zone; without one, the time of this machine's zone.
 */
import { failure } from './errors.ts';
import type { Given } from './given.ts';

const AGO = /^(\d{1,6})([smhd])$/;
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const TIME = /^(\d{1,2}):(\d\d)(?::(\d\d))?$/;
const DAY = /^(\d{4})-(\d\d)-(\d\d)$/;
const STAMP = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?$/;

/**
 * Unix time in seconds.
 *
 * @param now in Unix time
 * @throws Failure WHEN
 */
export function parseWhen({ value, origin }: Given<string>, now: number): number {
  const text = value.trim();
  const found = ago(text, now) ?? onDay(text, now) ?? stamped(text);
  if (found === null || Number.isNaN(found)) throw failure('WHEN', { where: origin, value });
  return found;
}

function ago(text: string, now: number): number | null {
  const [, digits, unit = ''] = AGO.exec(text) ?? [];
  if (text === 'now') return now;
  return digits === undefined ? null : now - Number(digits) * (SECONDS[unit] ?? 0);
}

/** A day, a time of today, or both. */
function onDay(text: string, now: number): number | null {
  const [first = '', second, ...rest] = text.split(' ');
  const day = dayOf(first, now);
  const time = timeOf(day === null ? first : (second ?? '00:00'));
  if (time === null || rest.length > 0 || (day === null && second !== undefined)) return null;
  const at = day ?? new Date(now * 1000);
  at.setHours(...time, 0);
  return at.getTime() / 1000;
}

function dayOf(text: string, now: number): Date | null {
  const at = new Date(now * 1000);
  if (text === 'today') return at;
  if (text === 'yesterday') {
    at.setDate(at.getDate() - 1);
    return at;
  }
  const [, year, month, day] = DAY.exec(text) ?? [];
  if (year === undefined) return null;
  const named = new Date(Number(year), Number(month) - 1, Number(day));
  return named.getMonth() === Number(month) - 1 ? named : null;
}

function timeOf(text: string): [number, number, number] | null {
  const [, hours, minutes, seconds = '0'] = TIME.exec(text) ?? [];
  const time: [number, number, number] = [Number(hours), Number(minutes), Number(seconds)];
  return time[0] < 24 && time[1] < 60 && time[2] < 60 ? time : null;
}

const stamped = (text: string): number | null =>
  STAMP.test(text) ? Date.parse(text.replace(' ', 'T')) / 1000 : null;
