/**
 * `popbsmtp revoke`: ends grants at once and refuses new ones for a while, whether or not a daemon runs.
 *
 * It does not ask what Postfix permits besides, so it works when Postfix does not; an address in mynetworks may relay
 * anyway.
 */

import type { IpText } from '../base/address.ts';
import { EXIT, failure } from '../base/errors.ts';
import { noun, quantity } from '../base/quantity.ts';
import { ask } from '../control/client.ts';
import type { OrderResult } from '../control/protocol.ts';
import { type Place, withoutDaemon } from '../daemon/offline.ts';
import { formatMapSpec } from '../map/map-types.ts';
import { withConfig } from '../options/config.ts';
import { settingsOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import { say, warn } from '../report/print.ts';
import { LATER, placeOf, portionsOf, secondsOf, untilText, type Whom } from './by-hand.ts';

/** @throws Failure of a setting; ADDRESS; REVOKE_FOREIGN; of the daemon's answer, or of the map when none runs */
export async function revoke(typed: Values, operands: readonly string[]): Promise<number> {
  const values = withConfig(typed);
  const settings = settingsOf(values, 'revoke');
  const seconds = secondsOf(settings);
  const place = placeOf(values, settings, 'revoke');
  const foreign: IpText[] = [];
  for (const whom of portionsOf(operands, settings.user, 'revoke')) {
    foreign.push(...tell(whom, await order(place, whom, seconds)));
  }
  if (foreign.length > 0) {
    throw failure('REVOKE_FOREIGN', { ips: foreign.join(', '), map: formatMapSpec(place.map) });
  }
  return EXIT.ok;
}

async function order(place: Place, whom: Whom, seconds: number): Promise<OrderResult> {
  const answer = await ask(place.map, { command: 'revoke', ...whom, seconds });
  if (answer !== null) return answer;
  return withoutDaemon(place, warn, commands =>
    commands.revoke(whom.addresses, whom.user, seconds),
  );
}

/** @returns the addresses that a row of the administrator's keeps open */
function tell({ addresses, user }: Whom, result: OrderResult): IpText[] {
  // Only an allowance can be needless or refused.
  if (result.kind !== 'done') return [];
  const { rows, until, unknown } = result;
  const removed = new Set(rows.filter(({ effect }) => effect === 'removed').map(({ ip }) => ip));
  for (const ip of addresses) {
    say(`${ip} is refused ${untilText(until)}${removed.has(ip) ? '; its row is removed' : ''}`);
  }
  if (user !== null) {
    say(
      `user ${JSON.stringify(user)} is refused ${untilText(until)}; rows removed: ${removed.size}`,
    );
  }
  if (user !== null && rows.length === 0 && unknown === 0)
    warn(
      `no grant is known of ${JSON.stringify(user)}; a name counts as the log has it, which "popbsmtp list" shows`,
    );
  if (unknown > 0) {
    warn(
      `of ${quantity(unknown, 'grant')} it is not known whose ${noun(unknown, 'it is', 'they are')} (the daemon has not seen the ${noun(unknown, 'login', 'logins')}): ` +
        'look at "popbsmtp list" and revoke by address what may be this user\'s',
    );
  }
  if (rows.some(({ effect }) => effect === null)) warn(LATER);
  return rows.flatMap(({ ip, effect }) => (effect === 'foreign' ? [ip] : []));
}
