/**
 * Durations as the command line and the configuration write them: `900`, `90s`, `15m`, `2h`, `1d`.
 */
import { failure } from './errors.ts';

const UNITS = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 } as const;

const isUnit = (text: string): text is keyof typeof UNITS => Object.hasOwn(UNITS, text);

/**
 * Whole seconds, at least one.
 *
 * @param where named in the error: the option, or the file and key
 * @throws Failure DURATION; DURATION_NONE of nothing
 */
export function parseDuration(value: string, where: string): number {
  const [, digits, unit = ''] = /^(\d{1,9})([a-z]?)$/.exec(value) ?? [];
  if (digits === undefined || !isUnit(unit)) throw failure('DURATION', { where, value });
  const seconds = Number(digits) * UNITS[unit];
  if (seconds === 0) throw failure('DURATION_NONE', { where, value });
  return seconds;
}

/** The shortest way to write it: `15m` for 900. */
export function formatDuration(seconds: number): string {
  for (const unit of ['d', 'h', 'm'] as const) {
    if (seconds >= UNITS[unit] && seconds % UNITS[unit] === 0)
      return `${seconds / UNITS[unit]}${unit}`;
  }
  return `${seconds}s`;
}
