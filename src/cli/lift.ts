/**
 * `popbsmtp lift`: takes back what `allow` and `revoke` have ordered, whether or not a daemon runs.
 *
 * What was allowed is closed at once; of what was refused the next login counts again.  In a fleet it goes to the other
 * hosts as an order does, also for what is not known here.
 */

import { EXIT } from '../base/errors.ts';
import { ask } from '../control/client.ts';
import type { LiftResult } from '../control/protocol.ts';
import { type Place, withoutDaemon } from '../daemon/offline.ts';
import { withConfig } from '../options/config.ts';
import { settingsOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import { say, warn } from '../report/print.ts';
import { LATER, placeOf, portionsOf, type Whom } from './by-hand.ts';

/** @throws Failure of a setting; ADDRESS; of the daemon's answer, or of the map when none runs */
export async function lift(typed: Values, operands: readonly string[]): Promise<number> {
  const values = withConfig(typed);
  const settings = settingsOf(values, 'lift');
  const place = placeOf(values, settings, 'lift');
  for (const whom of portionsOf(operands, settings.user, 'lift'))
    tell(whom, await liftAt(place, whom));
  return EXIT.ok;
}

async function liftAt(place: Place, whom: Whom): Promise<LiftResult> {
  const answer = await ask(place.map, { command: 'lift', ...whom });
  if (answer !== null) return answer;
  return withoutDaemon(place, warn, commands => commands.lift(whom.addresses, whom.user));
}

function tell({ addresses, user }: Whom, { orders, rows }: LiftResult): void {
  const removed = new Set(rows.filter(({ effect }) => effect === 'removed').map(({ ip }) => ip));
  for (const ip of addresses) {
    const order = orders.find(({ subject }) => subject.kind === 'address' && subject.ip === ip);
    if (order === undefined) say(`${ip}: nothing was ordered here`);
    else if (order.kind === 'revoke') say(`${ip} is refused no longer`);
    else say(`${ip} is allowed no longer${removed.has(ip) ? '; its row is removed' : ''}`);
  }
  if (user !== null) {
    const name = JSON.stringify(user);
    say(
      orders.length === 0
        ? `user ${name}: nothing was ordered here`
        : `user ${name} is refused no longer`,
    );
  }
  if (rows.some(({ effect }) => effect === null)) warn(LATER);
}
