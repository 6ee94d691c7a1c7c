/**
 * What `allow`, `revoke` and `lift` share: about whom, how long, and where.
 */
import { canonicalIp, type IpText } from '../base/address.ts';
import { type EpochSeconds, epoch } from '../base/clock.ts';
import { failure } from '../base/errors.ts';
import { masked } from '../base/excerpt.ts';
import { MAX_ADDRESSES } from '../control/protocol.ts';
import type { Place } from '../daemon/offline.ts';
import { rulesOf } from '../daemon/settings.ts';
import { MAX_SECONDS } from '../grant/order.ts';
import { formatCtime } from '../line/stamp.ts';
import { becomeOwner } from '../map/privileges.ts';
import { allOf, mapsOf } from '../map/spec.ts';
import type { Settings } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import { warn } from '../report/print.ts';

/** An order that lasts longer is more likely a slip than a decision. */
const LONG_SECONDS = 366 * 86_400;

/** Seconds; longer than a generation is as long, and more than a year is remarked upon. */
export function secondsOf({ for: seconds }: { readonly for: number }): number {
  if (seconds > LONG_SECONDS)
    warn('more than a year is long for an order by hand: "popbsmtp lift" ends it sooner');
  return Math.min(seconds, MAX_SECONDS);
}

/** @throws Failure ADDRESS */
export function ipOf(text: string): IpText {
  const ip = canonicalIp(text);
  if (ip === null) throw failure('ADDRESS', { value: text });
  return ip;
}

/** Whom an order is about: addresses, or one user. */
export interface Whom {
  readonly addresses: readonly IpText[];
  readonly user: string | null;
}

/**
 * In portions that one request takes.
 *
 * @param verb named in the error
 * @throws Failure ADDRESS; USAGE when there is neither, or both
 */
export function portionsOf(operands: readonly string[], user: string | null, verb: string): Whom[] {
  if ((user === null) === (operands.length === 0)) {
    throw failure('USAGE', { problem: 'name either addresses or --user', verb: `${verb} ` });
  }
  // As the daemon knows it (recogniser.ts).
  if (user !== null) return [{ addresses: [], user: masked(user) }];
  const ips = [...new Set(operands.map(ipOf))];
  const portions = Math.ceil(ips.length / MAX_ADDRESSES);
  return Array.from({ length: portions }, (_, index) => ({
    addresses: ips.slice(index * MAX_ADDRESSES, (index + 1) * MAX_ADDRESSES),
    user: null,
  }));
}

/**
 * The map and the rules for what closes: it asks nobody what may relay anyway.  Root becomes the owner of the map's
 * directory here.
 *
 * @param verb named in errors
 * @throws Failure of a setting; PRIVILEGES
 */
export function placeOf(
  values: Values,
  settings: Settings<'revoke' | 'lift'>,
  verb: string,
): Place {
  const none = { value: 'none', origin: verb };
  const maps = mapsOf(settings);
  const rules = { ...rulesOf(values, maps), mynetworks: none, exclude: none };
  becomeOwner(allOf(maps));
  return { ...maps, rules };
}

export const LATER = 'the map cannot be written now, and this follows as soon as it can';

const timeOf = (until: number): EpochSeconds => epoch(Math.floor(until));

/** `until Wed Nov 25 01:26:01 2026` */
export const untilText = (until: number): string => `until ${formatCtime(timeOf(until))}`;
