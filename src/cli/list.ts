/**
 * `popbsmtp list`: what the map holds now, as any user, whether or not a daemon runs.
 *
 * The rows are the map's own, as Postfix sees them; when a daemon runs, and lets us ask, it adds whose they are and when
 * each ends.  Without one the end is reckoned from the row and the grace period.
 */

import { systemClock } from '../base/clock.ts';
import { EXIT, Failure, failure } from '../base/errors.ts';
import { ask } from '../control/client.ts';
import type { GrantRow } from '../control/protocol.ts';
import { type Grace, graceOf } from '../grant/grace.ts';
import type { Order } from '../grant/order.ts';
import { Orders } from '../grant/orders.ts';
import type { MapSpec } from '../map/map.ts';
import { formatMapSpec, readRows } from '../map/map-types.ts';
import { becomeOwner } from '../map/privileges.ts';
import { mapsOf } from '../map/spec.ts';
import { withConfig } from '../options/config.ts';
import { settingsOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import { type Listed, listedRows, ordersText, rowsJson, rowsText } from '../report/list-rows.ts';
import { print, warn } from '../report/print.ts';
import { ordersFile } from '../state/state-file.ts';

/** Rows that are printed at once. */
const BLOCK = 1000;

/** @throws Failure MAP_MISSING, MAP_UNREADABLE, MAP_FORMAT; NO_DAEMON when a user is asked for */
export async function list(typed: Values): Promise<number> {
  const settings = settingsOf(withConfig(typed), 'list');
  const { map } = mapsOf(settings);
  const grace = graceOf(settings);
  const { json, orders, user } = settings;
  becomeOwner([map]);
  if (orders) {
    await print(ordersText(await ordersOf(map, grace), json));
    return EXIT.ok;
  }
  const known = await askForDetails(map, user);
  const rows = listedRows(await readRows(map), known, grace, Math.floor(Date.now() / 1000));
  await printRows(onlyOf(rows, user), json);
  return EXIT.ok;
}

async function printRows(rows: readonly Listed[], json: boolean): Promise<void> {
  const format = json ? rowsJson : rowsText(rows, process.stdout.isTTY === true);
  for (let start = 0; start === 0 || start < rows.length; start += BLOCK) {
    await print(format(rows.slice(start, start + BLOCK), start === 0));
  }
}

function onlyOf(rows: readonly Listed[], user: string | null): readonly Listed[] {
  if (user === null) return rows;
  const wanted = user.toLowerCase();
  return rows.filter(row => row.user?.toLowerCase() === wanted);
}

/** @returns what the daemon knows, by address; null when there is none that answers */
async function askForDetails(
  map: MapSpec,
  user: string | null,
): Promise<ReadonlyMap<string, GrantRow> | null> {
  const details = new Map<string, GrantRow>();
  try {
    const answer = await ask(map, { command: 'list' }, rows => {
      for (const row of rows) details.set(row[0], row);
    });
    if (answer !== null) return details;
    if (user !== null) throw failure('NO_DAEMON', { map: formatMapSpec(map) });
  } catch (error) {
    // Whoever may not ask the daemon may still read the map.
    if (!(error instanceof Failure) || user !== null) throw error;
    warn(`${error.line}; these are the map's own rows`);
  }
  return null;
}

/** Also without a daemon, for those who may read what lies beside the map. */
async function ordersOf(map: MapSpec, grace: Grace): Promise<readonly Order[]> {
  const answer = await ask(map, { command: 'orders' });
  if (answer !== null) return answer;
  const now = systemClock().now();
  const orders = new Orders(() => grace);
  orders.restore(ordersFile(map).read(), now);
  return orders.list(now);
}
