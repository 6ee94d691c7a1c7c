/**
 * `popbsmtp list`: what the map holds now, as any user, whether or not a daemon runs.
 *
 * The rows are the map's own, as Postfix sees them; when a daemon runs, and lets us ask, it adds whose they are and when
 * each ends.  Without one the end is reckoned from the row and the grace period.
 */

import { systemClock } from '../base/clock.ts';
import { EXIT, Failure, failure } from '../base/errors.ts';
import { quantity } from '../base/quantity.ts';
import { ask } from '../control/client.ts';
import type { GrantRow } from '../control/protocol.ts';
import { type Grace, graceOf } from '../grant/grace.ts';
import type { Order } from '../grant/order.ts';
import { Orders } from '../grant/orders.ts';
import type { MapSpec, Row } from '../map/map.ts';
import { formatMapSpec, readRows } from '../map/map-types.ts';
import { becomeOwner } from '../map/privileges.ts';
import { mapsOf } from '../map/spec.ts';
import { withConfig } from '../options/config.ts';
import { settingsOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import { paintFor } from '../report/colour.ts';
import {
  countText,
  type Known,
  type Listed,
  listedRows,
  ordersText,
  rowsJson,
  rowsText,
} from '../report/list-rows.ts';
import { print, say, warn } from '../report/print.ts';
import { shown } from '../report/shown.ts';
import { ordersFile } from '../state/state-file.ts';
import { choiceText, chosen, networksIn, sorted } from './list-choice.ts';

/** Rows that are printed at once. */
const BLOCK = 1000;

/** @throws Failure LIST_OPERAND; MAP_MISSING, MAP_UNREADABLE, MAP_FORMAT; NO_DAEMON when a user or a server is asked for */
export async function list(typed: Values, operands: readonly string[]): Promise<number> {
  const settings = settingsOf(withConfig(typed), 'list');
  const { map } = mapsOf(settings);
  const grace = graceOf(settings);
  const { json, orders, user, server, sort } = settings;
  const choice = { networks: networksIn(operands), user, server };
  becomeOwner([map]);
  if (orders) {
    const ordered = await ordersOf(map, grace);
    await print(ordersText(ordered, json));
    if (ordered.length === 0) warn('nothing is ordered by hand');
    return EXIT.ok;
  }
  const asked = await askForDetails(map, user !== null || server !== null);
  const rows = await readRows(map);
  const known = asked.kind === 'none' ? await reckoned(map, rows, grace) : asked;
  const all = listedRows(rows, { grace, ...known }, Math.floor(Date.now() / 1000));
  const found = sorted(chosen(all, choice), sort);
  await printRows(found, json);
  if (found.length === 0) {
    warn(
      all.length === 0
        ? `${formatMapSpec(map)} has no rows`
        : `of ${quantity(all.length, 'row')} none fits ${shown(choiceText(operands, choice))}`,
    );
  } else if (!json && isTerminal()) say(countText(found, all.length));
  return EXIT.ok;
}

const isTerminal = (): boolean => process.stdout.isTTY === true;

async function printRows(rows: readonly Listed[], json: boolean): Promise<void> {
  if (rows.length === 0) return;
  const format = json ? rowsJson : rowsText(rows, isTerminal(), paintFor(process.stdout));
  for (let start = 0; start < rows.length; start += BLOCK) {
    await print(format(rows.slice(start, start + BLOCK), start === 0));
  }
}

type Asked =
  /** What the daemon knows, by address. */
  | { readonly kind: 'told'; readonly details: ReadonlyMap<string, GrantRow> }
  /** There is one, and it says nothing. */
  | { readonly kind: 'silent'; readonly details: null }
  | { readonly kind: 'none' };

/** @param isNeeded only the daemon can answer what is asked for */
async function askForDetails(map: MapSpec, isNeeded: boolean): Promise<Asked> {
  const details = new Map<string, GrantRow>();
  try {
    const take = (rows: readonly GrantRow[]): void => {
      for (const row of rows) details.set(row[0], row);
    };
    const answer = await ask(map, { command: 'list' }, { take });
    if (answer !== null) return { kind: 'told', details };
  } catch (error) {
    // Whoever may not ask the daemon may still read the map.
    if (!(error instanceof Failure) || isNeeded) throw error;
    warn(`${error.line}; these are the map's own rows`);
    return { kind: 'silent', details: null };
  }
  if (isNeeded) throw failure('NO_DAEMON', { map: formatMapSpec(map) });
  return { kind: 'none' };
}

/** Without a daemon: what the next one would end, and what is allowed by hand, for those who may read that. */
async function reckoned(
  map: MapSpec,
  rows: readonly Row[],
  grace: Grace,
): Promise<Omit<Known, 'grace'>> {
  // Loaded for this alone: who lists is not to wait for the whole core.
  const { dueRows } = await import('../daemon/due-rows.ts');
  const due = new Set<string>((await dueRows(map, rows, grace)).map(({ ip }) => ip));
  const orders = await ordersOf(map, grace).catch(error => {
    if (!(error instanceof Failure)) throw error;
    return [];
  });
  const allowed = new Map<string, number>(
    orders.flatMap(order =>
      order.kind === 'allow' ? [[order.subject.ip, order.until] as const] : [],
    ),
  );
  return { details: null, allowed, due };
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
