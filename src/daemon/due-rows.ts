/**
 * The rows of a map that are due and still there, when no daemon is there to be asked.
 *
 * Promises: what an order by hand keeps open is not due; a row of the administrator's never is.
 */
import { type Moment, systemClock } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import type { Grace } from '../grant/grace.ts';
import type { Grant } from '../grant/grant-table.ts';
import { Orders } from '../grant/orders.ts';
import type { MapSpec, Row } from '../map/map.ts';
import { grantsIn } from '../map/row.ts';
import { ordersFile } from '../state/state-file.ts';

export function dueRows(spec: MapSpec, rows: readonly Row[], grace: Grace): Grant[] {
  const moment = systemClock().now();
  const orders = ordersOf(spec, grace, moment);
  const refused = new Set(orders.refused(() => [], moment));
  return [...grantsIn(rows)].filter(
    ({ ip, stamp }) =>
      (stamp + grace.of(ip) <= moment.wall && orders.loginOf(ip, moment) === null) ||
      refused.has(ip),
  );
}

/** None for an account that may not read them. */
function ordersOf(spec: MapSpec, grace: Grace, now: Moment): Orders {
  const orders = new Orders(() => grace);
  try {
    orders.restore(ordersFile(spec).read(), now);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
  return orders;
}
