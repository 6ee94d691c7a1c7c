/**
 * `popbsmtp status`: what the running daemon is doing; once, or drawn anew every second.
 *
 * Without a daemon it says what the map holds, and ends with 69.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, Failure, failure } from '../base/errors.ts';
import { ask } from '../control/client.ts';
import type { Status } from '../control/status.ts';
import { dueRows } from '../daemon/due-rows.ts';
import { type Grace, graceOf } from '../grant/grace.ts';
import type { MapSpec } from '../map/map.ts';
import { formatMapSpec, readRows } from '../map/map-types.ts';
import { becomeOwner } from '../map/privileges.ts';
import { mapsOf } from '../map/spec.ts';
import { withConfig } from '../options/config.ts';
import { settingsOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import { type Paint, paintFor } from '../report/colour.ts';
import { print } from '../report/print.ts';
import { screenText, stateText } from '../report/screen.ts';
import { chart, type Stopped, statusText, stoppedText } from '../report/status-text.ts';
import { checkStatus } from './status-check.ts';

const EVERY_MS = 1000;
/** Cursor to the upper left corner, and all below it erased (ECMA-48: CUP, ED); the cursor shown again (DECTCEM). */
const REDRAW = '\x1b[?25l\x1b[H\x1b[J';
/** Of a terminal that does not tell its size. */
const USUAL = { columns: 80, rows: 24 } as const;
const SHOW_CURSOR = '\x1b[?25h';

/** @throws Failure CONTROL_DENIED, CONTROL_BROKEN; NO_DAEMON for what only a daemon can tell */
export async function status(typed: Values): Promise<number> {
  if (typed.given('check')?.value === true) return checkStatus(typed);
  const settings = settingsOf(withConfig(typed), 'status');
  const { map } = mapsOf(settings);
  const { json } = settings;
  becomeOwner([map]);
  if (settings.prometheus) {
    const text = await ask(map, { command: 'metrics' });
    if (text === null) throw failure('NO_DAEMON', { map: formatMapSpec(map) });
    await print(text);
    return EXIT.ok;
  }
  const grace = graceOf(settings);
  if (settings.watch) return watch(map, grace, json);
  const found = await ask(map, { command: 'status' });
  if (found === null) return tellStopped(map, grace, json);
  const now = Date.now() / 1000;
  await print(json ? jsonText(found) : stateText(found, now, paintFor(process.stdout)));
  return EXIT.ok;
}

const jsonText = (found: Status): string => `${JSON.stringify({ running: true, ...found })}\n`;

async function watch(map: MapSpec, grace: Grace, json: boolean): Promise<number> {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interrupted.abort());
  }
  const terminal = process.stdout.isTTY === true && !json;
  const paint = paintFor(process.stdout);
  try {
    while (!interrupted.signal.aborted) {
      const found = await ask(map, { command: 'status' });
      if (found === null) return await tellStopped(map, grace, json);
      if (terminal) await print(await frameOf(map, found, paint));
      else await print(json ? jsonText(found) : textOf(found));
      await sleep(EVERY_MS, undefined, { signal: interrupted.signal }).catch(() => undefined);
    }
    return EXIT.ok;
  } finally {
    // Whatever has ended it, and though nobody may see it any more.
    if (terminal) process.stdout.write(SHOW_CURSOR);
  }
}

/** What the whole terminal shows now. */
async function frameOf(map: MapSpec, found: Status, paint: Paint): Promise<string> {
  const latest = (await ask(map, { command: 'latest' })) ?? [];
  const { columns = 0, rows = 0 } = process.stdout;
  const size = { columns: columns || USUAL.columns, rows: rows || USUAL.rows };
  return `${REDRAW}${screenText(found, latest, Date.now() / 1000, size, paint)}`;
}

const textOf = (found: Status): string =>
  `${statusText(found, Date.now() / 1000)}\n${chart(found)}`;

async function tellStopped(map: MapSpec, grace: Grace, json: boolean): Promise<number> {
  const stopped = await stoppedState(map, grace);
  await print(json ? `${JSON.stringify(stopped)}\n` : stoppedText(stopped));
  return EXIT.unavailable;
}

async function stoppedState(spec: MapSpec, grace: Grace): Promise<Stopped> {
  const map = formatMapSpec(spec);
  try {
    const rows = await readRows(spec);
    const stamps = rows.flatMap(({ stamp }) => (stamp === null ? [] : [stamp]));
    const latest = stamps.reduce((most, stamp) => Math.max(most, stamp), Number.NEGATIVE_INFINITY);
    const lastLogin = stamps.length === 0 ? null : new Date(latest * 1000).toISOString();
    const own = rows.length - stamps.length;
    const overdue = (await dueRows(spec, rows, grace)).length;
    return { running: false, map, rows: stamps.length, own, overdue, lastLogin, problem: null };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const unknown = { rows: null, own: null, overdue: null, lastLogin: null };
    return { running: false, map, ...unknown, problem: error.line };
  }
}
