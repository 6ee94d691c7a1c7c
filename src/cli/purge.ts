/**
 * `popbsmtp purge`: ends what is due when no daemon is there to do it.
 *
 * For a stop hook and a timer (init/), so that a daemon that has died leaves no door open.  While a daemon owns the
 * map, and where there is no map, there is nothing to do, and that is no error; that another program holds a lock is one.
 */
import { epoch, type Moment, systemClock } from '../base/clock.ts';
import { type ErrorCode, EXIT, Failure, failure } from '../base/errors.ts';
import { ordersFile } from '../daemon/bookkeeping.ts';
import { dueRows } from '../daemon/due-rows.ts';
import { becomeOwner } from '../daemon/privileges.ts';
import type { Grace } from '../grant/grace.ts';
import { Orders } from '../grant/orders.ts';
import { type HeldMap, holdMap } from '../map/held-map.ts';
import type { MapSpec } from '../map/map.ts';
import { formatMapSpec, mapExists, readRows } from '../map/map-types.ts';
import type { Trouble } from '../map/mirror.ts';
import { grantsIn } from '../map/row.ts';
import { allOf, graceOf, type Maps, mapsOf, withConfig } from '../options/make-settings.ts';
import type { Values } from '../options/values.ts';
import { debugLines } from '../report/debug.ts';
import { print } from '../report/print.ts';
import { warn } from './by-hand.ts';

/** @throws Failure of the configuration or of the map */
export async function purge(values: Values): Promise<number> {
  const all = withConfig(values);
  const grace = graceOf(all);
  const maps = mapsOf(all);
  becomeOwner(allOf(maps));
  const troubles = await purgeMap(maps, grace).catch(async error => {
    throw await lockedOut(error, maps.map, grace);
  });
  const locked = troubles.find(({ failure: { code } }) => LOCKED.has(code));
  if (locked !== undefined) throw await lockedOut(locked.failure, locked.spec, grace);
  return EXIT.ok;
}

/** The error, which says of a lock how many rows it keeps open. */
async function lockedOut(error: unknown, map: MapSpec, grace: Grace): Promise<unknown> {
  if (!(error instanceof Failure) || !LOCKED.has(error.code)) return error;
  const rows = await readRows(map).then(
    found => dueRows(map, found, grace).length,
    () => 'an unknown number of',
  );
  const { message: reason, hint } = error;
  return failure('PURGE_LOCKED', { rows, map: formatMapSpec(map), reason, hint }, error);
}

const LOCKED: ReadonlySet<ErrorCode> = new Set(['MAP_LOCKED', 'OWNER_LOCKED']);

/** @returns what kept maps that follow the first from losing their rows */
async function purgeMap(maps: Maps, grace: Grace): Promise<readonly Trouble[]> {
  const held = await holdFree(maps);
  if (held === null) return [];
  try {
    await end(held, grace);
  } finally {
    await held.close();
  }
  return held.troubles?.() ?? [];
}

/** Null when there is no map, or a daemon owns it. */
async function holdFree({ map, mirrors }: Maps): Promise<HeldMap | null> {
  if (!mapExists(map)) return null;
  try {
    return await holdMap(map, false, warn, mirrors);
  } catch (error) {
    if (error instanceof Failure && error.code === 'MAP_OWNED') return null;
    throw error;
  }
}

/** Without those that cannot be read what is allowed by hand ends early, but all that is due ends. */
function ordersOf(spec: MapSpec, grace: Grace, now: Moment): Orders {
  const orders = new Orders(grace);
  try {
    orders.restore(ordersFile(spec).read(), now);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    warn(error.line);
  }
  return orders;
}

async function end({ map }: HeldMap, grace: Grace): Promise<void> {
  const moment = systemClock().now();
  const now = epoch(Math.floor(moment.wall));
  const orders = ordersOf(map.spec, grace, moment);
  const rows = [...grantsIn(await map.rows())];
  const refused = new Set(orders.refused(() => [], moment));
  const overdue = rows.filter(({ ip, stamp }) => stamp + grace.of(ip) <= now || refused.has(ip));
  // What is allowed by hand for longer goes on, as it would with a daemon.
  const stamps = overdue.map(({ ip }) => orders.loginOf(ip, moment));
  const due = overdue.filter((_, index) => stamps[index] === null);
  const kept = overdue.flatMap(({ ip }, index) => {
    const stamp = stamps[index] ?? null;
    return stamp === null ? [] : [{ ip, stamp }];
  });
  // A step of the clock may leave rows from the future behind; they count from now.
  const ahead = rows.filter(({ stamp }) => stamp > now);
  await map.commit([
    ...due.map(({ ip }) => ({ ip, stamp: null })),
    ...kept,
    ...ahead.map(({ ip }) => ({ ip, stamp: now })),
  ]);
  const lines = due.flatMap(grant => debugLines({ kind: 'purged', grant }, false));
  await print(lines.map(line => `${line}\n`).join(''));
}
