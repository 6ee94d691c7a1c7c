/**
 * Joins a daemon to its fleet.
 *
 * Promises: orders that another host has sent are on the disk before the position behind them may be noted; that they
 * cannot be written is told, and they are in force all the same.
 */
import type { Clock } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import type { FleetSettings } from '../fleet/engine.ts';
import type { Entry, Received } from '../fleet/entry.ts';
import { Fleet } from '../fleet/fleet.ts';
import { type Known, sessionEntries } from '../fleet/publication.ts';
import type { GrantTable } from '../grant/grant-table.ts';
import type { Bookkeeping } from './bookkeeping.ts';
import type { Pipeline } from './pipeline.ts';

export interface Member {
  readonly clock: Clock;
  readonly grants: GrantTable;
  readonly pipeline: Pipeline;
  readonly bookkeeping: Bookkeeping;
  readonly nowrite: boolean;
  /** The longest grace period now, in seconds. */
  grace(): number;
  /** A step that fails is a bug of ours. */
  watch(step: Promise<void>): Promise<void>;
}

/** @param saved the fleet's place, as an earlier run has noted it */
export function fleetFor(settings: FleetSettings, saved: unknown, member: Member): Fleet {
  const { clock, grants, bookkeeping, grace, watch } = member;
  const known: Known = {
    isGranted: ip => grants.stampOf(ip) !== null,
    who: ip => bookkeeping.roster.of(ip),
  };
  const parts = {
    ...known,
    clock,
    grace,
    notice: bookkeeping.output.notice,
    warn: bookkeeping.output.warn,
    everything: () => everything(member, known),
    take: (entries: readonly Received[]) => watch(take(entries, member)),
  };
  return new Fleet(settings, parts, saved);
}

/** The grants of this host's own logins, the orders in force, and what was lifted. */
function* everything({ clock, grants, bookkeeping }: Member, known: Known): Generator<Entry> {
  for (const order of bookkeeping.orders.given(clock.now())) yield { kind: 'order', order };
  for (const grant of grants.all()) yield* sessionEntries(grant, known);
}

async function take(entries: readonly Received[], member: Member): Promise<void> {
  const { clock, pipeline, bookkeeping, nowrite } = member;
  const { orders, ordersFile, roster, output } = bookkeeping;
  await pipeline.received(entries, user => roster.ofUser(user).ips);
  if (nowrite || !entries.some(({ entry }) => entry.kind === 'order')) return;
  try {
    await ordersFile.write(orders.save(clock.now()));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    output.warn(error.line);
  }
}
