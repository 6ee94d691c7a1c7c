/**
 * Joins a daemon to its fleet.
 *
 * Promises: orders that another host has sent are on the disk before the position behind them may be noted; that they
 * cannot be written is told, and they are in force all the same.
 */
import type { IpText } from '../base/address.ts';
import { Failure } from '../base/errors.ts';
import type { FleetSettings } from '../fleet/engine.ts';
import type { Entry, Received } from '../fleet/entry.ts';
import { Fleet } from '../fleet/fleet.ts';
import { type Known, sessionEntries } from '../fleet/publication.ts';
import type { Given } from '../grant/order.ts';
import type { Places } from '../state/checkpoint.ts';
import type { Core } from './core.ts';
import type { Output } from './output.ts';

export interface Member {
  readonly core: Core;
  readonly output: Output;
  /** A step that fails is a bug of ours. */
  watch(step: Promise<void>): Promise<void>;
}

interface MemberSettings {
  /** Null for a host that is alone. */
  readonly fleet: FleetSettings | null;
  readonly nowrite: boolean;
}

/**
 * @param places as an earlier run has noted them
 * @returns null for a host that is alone
 */
export function joinFleet(
  { fleet, nowrite }: MemberSettings,
  places: Places,
  member: Member,
): Fleet | null {
  // A dry run changes nothing elsewhere either.
  if (fleet === null || (nowrite && fleet.role === 'publish')) return null;
  const settings: FleetSettings = nowrite ? { ...fleet, role: 'subscribe' } : fleet;
  const { core, output, watch } = member;
  const known: Known = {
    isGranted: ip => core.grants.stampOf(ip) !== null,
    who: ip => core.roster.of(ip),
  };
  const parts = {
    ...known,
    clock: core.clock,
    grace: () => core.grace.longest,
    notice: output.notice,
    warn: output.warn,
    shortest: () => core.grace.shortest,
    orders: () => ordersOf(core),
    granted: () => grantedBy(core),
    grantOf: (ip: IpText) => grantOf(ip, core, known),
    take: (entries: readonly Received[]) => watch(take(entries, member, nowrite)),
  };
  return new Fleet(settings, parts, places[Fleet.placeName(fleet)]);
}

/** The orders in force, and what was lifted. */
const ordersOf = ({ clock, orders }: Core): readonly Given[] => orders.given(clock.now());

function* grantedBy({ grants }: Core): Generator<IpText> {
  for (const { ip } of grants.all()) yield ip;
}

/** Of this host's own logins. */
function grantOf(ip: IpText, { grants }: Core, known: Known): readonly Entry[] {
  const stamp = grants.stampOf(ip);
  return stamp === null ? [] : sessionEntries({ ip, stamp }, known);
}

async function take(
  entries: readonly Received[],
  { core, output }: Member,
  nowrite: boolean,
): Promise<void> {
  await core.pipeline.received(entries, user => core.roster.ofUser(user).ips);
  if (nowrite || !entries.some(({ entry }) => entry.kind === 'order')) return;
  try {
    await core.saveOrders();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    output.warn(error.line);
  }
}
