/**
 * The state of a daemon as a monitoring check: one line and one of four levels, as Nagios and its kin read them.
 *
 * Judged is what keeps logins from opening the relay, or the relay from closing, in this moment.  A daemon that is just at work has rows
 * to write and lines to read as well: those count only where a second look shows no progress.
 * Promises: pure.
 * Source: the Monitoring Plugins' development guidelines (exit statuses, one line, performance data behind `|`).
 */
import { quantity } from '../base/quantity.ts';
import type { SourceStatus, Status } from '../control/status.ts';
import { isStale } from '../fleet/info.ts';

/** Their exit statuses. */
export const LEVELS = { OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3 } as const;

export type Level = keyof typeof LEVELS;

export interface Check {
  readonly level: Level;
  readonly text: string;
}

export const critical = (text: string): Check => ({ level: 'CRITICAL', text });
export const unknown = (text: string): Check => ({ level: 'UNKNOWN', text });
const warning = (text: string): Check => ({ level: 'WARNING', text });

/** Whether a second look is needed, to tell standing still from being at work. */
export const isBusy = ({ settled, overdue, sources }: Status): boolean =>
  !settled || overdue > 0 || sources.some(({ lag }) => lag !== null && lag > 0);

/** @param before the same daemon a moment earlier */
export function judge(before: Status, now: Status): Check {
  const found = [...problems(before, now)];
  const worst = found.find(({ level }) => level === 'CRITICAL') ?? found[0];
  if (worst === undefined) return { level: 'OK', text: calm(now) };
  // The gravest first: a pager shows the beginning.
  const texts = [worst, ...found.filter(each => each !== worst)].map(({ text }) => text);
  return { level: worst.level, text: texts.join('; ') };
}

function* problems(before: Status, now: Status): Generator<Check> {
  const { overdue, settled, commits, fleet } = now;
  if (before.overdue > 0 && overdue > 0)
    yield critical(`${quantity(overdue, 'row is', 'rows are')} due and still in the map`);
  const isStuck = !before.settled && !settled && commits.count === before.commits.count;
  if (isStuck) yield critical('the map cannot be written, and logins open nothing');
  for (const source of now.sources) {
    const earlier = before.sources.find(({ name }) => name === source.name) ?? source;
    yield* ofSource(earlier, source);
  }
  if (fleet !== null && !fleet.connected) {
    const why = fleet.reason ? `: ${fleet.reason.text}` : '';
    yield warning(`${fleet.engine} cannot be reached${why}`);
  }
  if (fleet !== null && isStale(fleet.upstream ?? null))
    yield warning('the fleet is read from a replica that does not hear of its primary');
}

function* ofSource(before: SourceStatus, { name, position, lag }: SourceStatus): Generator<Check> {
  if (lag === null) {
    if (name.startsWith('/')) yield warning(`the log ${name} is not there, or cannot be read`);
    return;
  }
  if ((before.lag ?? 0) > 0 && lag > 0 && before.position === position)
    yield critical(`${quantity(lag, 'byte')} of ${name} not read`);
}

const calm = ({ grants, lastLogin }: Status): string =>
  `${quantity(grants, 'grant')}, the last login ${lastLogin === null ? 'not seen yet' : `at ${lastLogin}`}`;

/** @param status for the performance data; null without any */
export function checkLine({ level, text }: Check, status: Status | null): string {
  const line = `POPBSMTP ${level} - ${text.replaceAll('|', '/').replace(/\s+/g, ' ')}`;
  if (status === null) return `${line}\n`;
  const { grants, overdue, sources, warnings } = status;
  const logins = Object.values(status.logins).reduce((sum, number) => sum + number, 0);
  const lag = sources.reduce((sum, source) => sum + (source.lag ?? 0), 0);
  return `${line} | grants=${grants} logins=${logins}c overdue=${overdue} lag=${lag}B warnings=${warnings}c\n`;
}
