/**
 * `popbsmtp allow`: lets an address relay for a while, whether or not a daemon runs.
 *
 * The grant is an ordinary one that ends when the time is up; an address that a login could not open either is refused.
 */

import { EXIT, type Failure, failure } from '../base/errors.ts';
import { ask } from '../control/client.ts';
import type { OrderResult, RowEffect } from '../control/protocol.ts';
import { withoutDaemon } from '../daemon/offline.ts';
import { rulesOf } from '../daemon/settings.ts';
import { becomeOwner } from '../map/privileges.ts';
import { allOf, mapsOf } from '../map/spec.ts';
import { withConfig } from '../options/config.ts';
import { settingsOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import { say, warn } from '../report/print.ts';
import { ipOf, LATER, secondsOf, untilText } from './by-hand.ts';

/** @throws Failure of a setting; ADDRESS; ALLOW_EXCLUDED, ALLOW_OWN_ADDRESS, ALLOW_OPENS_OTHERS; of the daemon's answer, or of the map when none runs */
export async function allow(typed: Values, [address = '']: readonly string[]): Promise<number> {
  const values = withConfig(typed);
  const ip = ipOf(address);
  const settings = settingsOf(values, 'allow');
  const seconds = secondsOf(settings);
  const maps = mapsOf(settings);
  becomeOwner(allOf(maps));
  const answer = await ask(maps.map, { command: 'allow', address: ip, seconds });
  if (answer !== null) return tell(ip, answer);
  const result = await withoutDaemon({ ...maps, rules: rulesOf(values, maps) }, warn, commands =>
    commands.allow(ip, seconds),
  );
  const status = tell(ip, result);
  if (result.kind === 'done') {
    warn('no daemon is running: the next one, or "popbsmtp purge", ends it in time');
  }
  return status;
}

function tell(ip: string, result: OrderResult): number {
  switch (result.kind) {
    case 'needless':
      say(`${ip} is ${result.reason} and may relay anyway; nothing was done`);
      return EXIT.ok;
    case 'refused':
      throw refusal(ip, result.reason);
    case 'done':
      say(`${ip} is allowed ${untilText(result.until)}${result.rows.map(noteOf).join('')}`);
      return EXIT.ok;
  }
}

/** @param reason as the classifier has it */
function refusal(ip: string, reason: string): Failure {
  switch (reason) {
    case 'own address':
      return failure('ALLOW_OWN_ADDRESS', { ip, what: "this machine's own" });
    case 'gateway':
      return failure('ALLOW_OWN_ADDRESS', { ip, what: 'the default gateway of this machine' });
    case 'opens other networks':
      return failure('ALLOW_OPENS_OTHERS', { ip });
    default:
      return failure('ALLOW_EXCLUDED', { ip, reason });
  }
}

function noteOf({ effect }: RowEffect): string {
  if (effect === null) return `; ${LATER}`;
  return effect === 'foreign' ? '; the map has a row of your own for it, which stays as it is' : '';
}
