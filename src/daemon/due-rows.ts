/**
 * The rows of a map that are due and still there, when no daemon is there to be asked.
 *
 * Promises: they are what a start or a purge would end, decided by the same core, over a copy: nothing is changed.
 * Known limit: orders and names that this account may not read count for nothing.
 */
import { systemClock } from '../base/clock.ts';
import type { Classifier } from '../classifier/classifier.ts';
import type { Grace } from '../grant/grace.ts';
import type { Grant } from '../grant/grant-table.ts';
import { NO_POLICY } from '../grant/policy.ts';
import type { MapSpec, Row } from '../map/map.ts';
import { MemoryMap } from '../map/memory-map.ts';
import { grantsIn } from '../map/row.ts';
import { Core, UNBOUNDED } from './core.ts';
import { classifierFor } from './rules.ts';

const none = { value: 'none', origin: 'nobody' };
const NOBODY = {
  mynetworks: none,
  postfixConfig: null,
  exclude: none,
  wholeAddresses: true,
  refuseOwn: false,
  otherMap: null,
};

/** @param classifier who may have no row; all may when not given */
export async function dueRows(
  spec: MapSpec,
  rows: readonly Row[],
  grace: Grace,
  classifier?: Classifier,
): Promise<Grant[]> {
  const map = new MemoryMap(spec, rows);
  const rules = {
    classifier: classifier ?? (await classifierFor(NOBODY, () => undefined)),
    grace,
    policy: NO_POLICY,
  };
  const core = new Core({
    rules,
    bounds: UNBOUNDED,
    map,
    clock: systemClock(),
    report: () => undefined,
    warn: () => undefined,
  });
  await core.restore({ map, close: () => map.close() }, { tolerant: true });
  await core.enforce();
  const left = new Set((await map.rows()).map(({ key }) => key));
  return [...grantsIn(rows)].filter(({ ip }) => !left.has(ip));
}
