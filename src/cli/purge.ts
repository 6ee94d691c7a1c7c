/**
 * `popbsmtp purge`: ends what is due when no daemon is there to do it.
 *
 * For a stop hook and a timer (init/), so that a daemon that has died leaves no door open.  While a daemon owns the
 * map, and where there is no map, there is nothing to do, and that is no error.
 */
import { canonicalIp } from '../classifier/address.ts';
import { epoch } from '../clock.ts';
import { type HeldMap, holdMap } from '../daemon/held-map.ts';
import { EXIT, Failure } from '../errors.ts';
import type { Change, MapSpec, Row } from '../map/map.ts';
import { readRows } from '../map/map-types.ts';
import { debugLines } from './debug.ts';
import { print } from './print.ts';
import { graceOf, mapOf, withConfig } from './settings.ts';
import type { Values } from './values.ts';

/** @throws Failure of the configuration or of the map */
export async function purge(values: Values): Promise<number> {
  const all = withConfig(values);
  const grace = graceOf(all);
  const held = await holdFree(mapOf(all));
  if (held === null) return EXIT.ok;
  try {
    await end(held, grace);
  } finally {
    await held.close();
  }
  return EXIT.ok;
}

/** Null when there is no map, or a daemon owns it. */
async function holdFree(spec: MapSpec): Promise<HeldMap | null> {
  try {
    await readRows(spec);
    return await holdMap(spec, false, text => process.stderr.write(`popbsmtp: ${text}\n`));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.code === 'MAP_OWNED' || error.code === 'MAP_MISSING') return null;
    throw error;
  }
}

async function end({ map }: HeldMap, grace: number): Promise<void> {
  const rows = await map.rows();
  const changes = changesFor(rows, Math.floor(Date.now() / 1000), grace);
  await map.commit(changes);
  const stamps = new Map(rows.map(({ key, stamp }) => [key, stamp]));
  const ended = changes.filter(({ stamp }) => stamp === null);
  const lines = ended.flatMap(({ ip }) => {
    const grant = { ip, stamp: epoch(stamps.get(ip) ?? 0) };
    return debugLines({ kind: 'purged', grant }, false);
  });
  await print(lines.map(line => `${line}\n`).join(''));
}

/** Takes away what is due; a row from the future, which a step of the clock may leave behind, counts from now. */
function changesFor(rows: readonly Row[], now: number, grace: number): Change[] {
  const changes: Change[] = [];
  for (const { key, stamp } of rows) {
    const ip = canonicalIp(key);
    if (ip !== key || ip === null || stamp === null) continue;
    if (stamp > now) changes.push({ ip, stamp: epoch(now) });
    else if (stamp + grace <= now) changes.push({ ip, stamp: null });
  }
  return changes;
}
