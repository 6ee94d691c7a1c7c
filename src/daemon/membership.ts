/**
 * Joins a daemon to its fleet.
 *
 * Promises: orders that another host has sent are on the disk before the position behind them may be noted; that they
 * cannot be written is told, and they are in force all the same.
 */
import { Failure } from '../base/errors.ts';
import type { FleetSettings } from '../fleet/engine.ts';
import type { Entry, Received } from '../fleet/entry.ts';
import { Fleet } from '../fleet/fleet.ts';
import { type Known, sessionEntries } from '../fleet/publication.ts';
import type { Core } from './core.ts';
import type { Output } from './output.ts';

export interface Member {
  readonly core: Core;
  readonly output: Output;
  readonly nowrite: boolean;
  /** A step that fails is a bug of ours. */
  watch(step: Promise<void>): Promise<void>;
}

/** @param saved the fleet's place, as an earlier run has noted it */
export function fleetFor(settings: FleetSettings, saved: unknown, member: Member): Fleet {
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
    everything: () => everything(core, known),
    take: (entries: readonly Received[]) => watch(take(entries, member)),
  };
  return new Fleet(settings, parts, saved);
}

/** The grants of this host's own logins, the orders in force, and what was lifted. */
function* everything({ clock, grants, orders }: Core, known: Known): Generator<Entry> {
  for (const order of orders.given(clock.now())) yield { kind: 'order', order };
  for (const grant of grants.all()) yield* sessionEntries(grant, known);
}

async function take(entries: readonly Received[], member: Member): Promise<void> {
  const { core, output, nowrite } = member;
  await core.pipeline.received(entries, user => core.roster.ofUser(user).ips);
  if (nowrite || !entries.some(({ entry }) => entry.kind === 'order')) return;
  try {
    await core.saveOrders();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    output.warn(error.line);
  }
}
