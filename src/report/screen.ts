/**
 * The whole terminal as `popbsmtp status --watch` fills it: the state, charts with a scale, what was ignored and why, warnings, and as many
 * rows as there is room for, the newest first.
 *
 * Pure: the size of the terminal is handed in.  Promises: no line is longer than the terminal is wide, and there are no more than it is
 * high, so that nothing scrolls; what there is no room for is left out from below.
 */

import { epoch } from '../base/clock.ts';
import { noun } from '../base/quantity.ts';
import type { GrantRow } from '../control/protocol.ts';
import type { Status } from '../control/status.ts';
import { formatStamp } from '../line/stamp.ts';
import { bars } from './bars.ts';
import { type Colour, type Paint, plainPaint } from './colour.ts';
import { roughly, shown } from './shown.ts';
import { statusText } from './status-text.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** A line before it is cut and painted. */
interface Line {
  readonly text: string;
  readonly colour: Colour | null;
}

const CHART_HEIGHT = 4;
/** Of a scale: `12,345 |`. */
const SCALE_WIDTH = 8;
const MOST_PROBLEMS = 3;
/** Below so many lines the charts leave the room to the rest. */
const ROWS_FOR_CHARTS = 30;

/**
 * @param latest grants, the newest first
 * @param now Unix time
 */
export function screenText(
  status: Status,
  latest: readonly GrantRow[],
  now: number,
  { columns, rows }: Size,
  paint: Paint = plainPaint,
): string {
  const lines = [
    ...headLines(status, now),
    ...(rows < ROWS_FOR_CHARTS ? [] : charts(status, columns)),
    ...ignoredLines(status),
    ...problemLines(status, now),
    ...latestLines(latest, status.grants),
  ];
  return lines
    .slice(0, rows - 1)
    .map(({ text, colour }) => `${paint(text.slice(0, columns - 1), colour)}\n`)
    .join('');
}

/** The state alone, as `status` prints it once. @param now Unix time */
export const stateText = (status: Status, now: number, paint: Paint = plainPaint): string =>
  headLines(status, now)
    .map(({ text, colour }) => `${paint(text, colour)}\n`)
    .join('');

const headLines = (status: Status, now: number): Line[] =>
  statusText(status, now).trimEnd().split('\n').map(headLine);

const plain = (text: string): Line => ({ text, colour: null });
const title = (text: string): Line => ({ text, colour: 'bold' });

function headLine(text: string): Line {
  if (/NOT (?:WRITTEN|CONNECTED)|still to be taken out/.test(text)) return { text, colour: 'red' };
  if (text.startsWith('problem') && !text.endsWith('none')) return { text, colour: 'yellow' };
  return plain(text);
}

/** Side by side where there is room, else one below the other. */
function charts({ loginsByMinute, grantsByMinute }: Status, columns: number): Line[] {
  const logins = chartLines('logins a minute, of the last hour', loginsByMinute);
  const grants = chartLines('grants, of the last hour', grantsByMinute);
  const width = Math.max(...logins.map(line => line.length)) + 3;
  if (columns <= 2 * width) return [plain(''), ...logins.map(plain), ...grants.map(plain)];
  return [plain(''), ...logins.map((line, at) => plain(line.padEnd(width) + (grants[at] ?? '')))];
}

/** A column a minute, over several lines, with what the highest is. */
export function chartLines(
  what: string,
  values: readonly number[],
  height = CHART_HEIGHT,
): string[] {
  const levelsOf = bars();
  const steps = levelsOf.length - 1;
  const most = Math.max(0, ...values);
  const levels = values.map(value => (most === 0 ? 0 : Math.ceil((value / most) * height * steps)));
  const drawn = Array.from({ length: height }, (_, line) => {
    const below = (height - 1 - line) * steps;
    const cells = levels.map(level => levelsOf[Math.min(steps, Math.max(0, level - below))] ?? ' ');
    const scale = line === 0 ? most.toLocaleString('en-US') : line === height - 1 ? '0' : '';
    return `${scale.padStart(SCALE_WIDTH - 1)} |${cells.join('')}|`;
  });
  const axis = `-${values.length} min`.padEnd(values.length - 3);
  return [what, ...drawn, `${' '.repeat(SCALE_WIDTH + 1)}${axis}now`];
}

function ignoredLines({ ignored }: Status): Line[] {
  const reasons = Object.entries(ignored).sort(([, a], [, b]) => b - a);
  if (reasons.length === 0) return [];
  const lines = reasons.map(([reason, count]) =>
    plain(`${count.toLocaleString('en-US').padStart(SCALE_WIDTH)}  ${shown(reason)}`),
  );
  return [plain(''), title('ignored logins, by reason'), ...lines];
}

function problemLines({ recentProblems }: Status, now: number): Line[] {
  const told = recentProblems.slice(0, MOST_PROBLEMS);
  if (told.length === 0) return [];
  const lines = told.map(({ time, text }): Line => {
    const ago = roughly(Math.max(0, now - Date.parse(time) / 1000));
    return { text: `${ago.padStart(SCALE_WIDTH)} ago  ${shown(text, 1000)}`, colour: 'yellow' };
  });
  return [plain(''), title(noun(told.length, 'the last warning', 'the last warnings')), ...lines];
}

function latestLines(latest: readonly GrantRow[], grants: number): Line[] {
  if (latest.length === 0) return [];
  const width = Math.max(15, ...latest.map(([ip]) => ip.length));
  const lines = latest.map((row): Line => {
    const [ip, , user, server, , last, others = []] = row;
    const users = user === null ? others : [user, ...others];
    const { text: state, colour } = stateOf(row);
    const when = last === null ? '-' : formatStamp(epoch(last));
    const who = users.length === 0 ? '-' : users.map(one => shown(one)).join(', ');
    const cells = [ip.padEnd(width), when.padEnd(15), state.padEnd(14), (server ?? '-').padEnd(11)];
    return { text: [...cells, who].join('  '), colour };
  });
  return [
    plain(''),
    title(`${grants.toLocaleString('en-US')} ${noun(grants, 'grant')}, the newest first`),
    ...lines,
  ];
}

/** What a grant is there for, or how long it lasts. */
function stateOf([, left, , , , , , until = null, sessions = 0]: GrantRow): Line {
  if (sessions > 0) return { text: 'session open', colour: 'green' };
  if (left <= 0) return { text: 'due', colour: 'red' };
  return until === null
    ? plain(roughly(left))
    : { text: `${roughly(left)} by hand`, colour: 'yellow' };
}
