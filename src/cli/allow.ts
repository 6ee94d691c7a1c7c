/**
 * `popbsmtp allow`: lets addresses relay for a while, whether or not a daemon runs.
 *
 * The grant is an ordinary one that ends when the time is up; an address that a login could not open either is refused.
 */
import type { IpText } from '../base/address.ts';
import { EXIT, type Failure, failure } from '../base/errors.ts';
import { ask } from '../control/client.ts';
import type { OrderResult, RowEffect } from '../control/protocol.ts';
import { withoutDaemon } from '../daemon/offline.ts';
import { rulesOf } from '../daemon/settings.ts';
import type { MapSpec } from '../map/map.ts';
import { becomeOwner } from '../map/privileges.ts';
import { allOf, mapsOf } from '../map/spec.ts';
import { withConfig } from '../options/config.ts';
import { settingsOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import { say, warn } from '../report/print.ts';
import { ipOf, LATER, secondsOf, untilText } from './by-hand.ts';

/** @throws Failure of a setting; ADDRESS; ALLOW_EXCLUDED, ALLOW_OWN_ADDRESS, ALLOW_OPENS_OTHERS; of the daemon's answer, or of the map when none runs */
export async function allow(typed: Values, addresses: readonly string[]): Promise<number> {
  const values = withConfig(typed);
  const ips = [...new Set(addresses.map(ipOf))];
  const settings = settingsOf(values, 'allow');
  const seconds = secondsOf(settings);
  const maps = mapsOf(settings);
  becomeOwner(allOf(maps));
  const refused: Failure[] = [];
  const take = (ip: IpText, result: OrderResult): void => {
    if (result.kind === 'refused') refused.push(refusal(ip, result.reason));
    else tell(ip, result);
  };
  const isServed = await askDaemon(maps.map, ips, seconds, take);
  if (!isServed) {
    const place = { ...maps, rules: rulesOf(values, maps) };
    const done = await withoutDaemon(place, warn, async commands => {
      let any = false;
      for (const ip of ips) {
        const result = await commands.allow(ip, seconds);
        take(ip, result);
        any ||= result.kind === 'done';
      }
      return any;
    });
    if (done) warn('no daemon is running: the next one, or "popbsmtp purge", ends it in time');
  }
  return endOf(refused);
}

/** @returns false when no daemon runs */
async function askDaemon(
  map: MapSpec,
  ips: readonly IpText[],
  seconds: number,
  take: (ip: IpText, result: OrderResult) => void,
): Promise<boolean> {
  for (const ip of ips) {
    const answer = await ask(map, { command: 'allow', address: ip, seconds });
    if (answer === null) return false;
    take(ip, answer);
  }
  return true;
}

/** Whoever is refused keeps none of the others from being allowed. @throws Failure of the last that was refused */
function endOf(refused: readonly Failure[]): number {
  const last = refused.at(-1);
  if (last === undefined) return EXIT.ok;
  for (const { line } of refused.slice(0, -1)) warn(line);
  throw last;
}

function tell(ip: IpText, result: OrderResult): void {
  if (result.kind !== 'done')
    say(`${ip} is ${result.reason} and may relay anyway; nothing was done`);
  else say(`${ip} is allowed ${untilText(result.until)}${result.rows.map(noteOf).join('')}`);
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
