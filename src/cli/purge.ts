/**
 * `popbsmtp purge`: ends what is due when no daemon is there to do it.
 *
 * For a stop hook and a timer (init/), so that a daemon that has died leaves no door open.  While a daemon owns the
 * map, and where there is no map, there is nothing to do, and that is no error.
 */
import { epoch } from '../clock.ts';
import { type HeldMap, holdMap } from '../daemon/held-map.ts';
import { EXIT, Failure } from '../errors.ts';
import { mapExists } from '../map/map-types.ts';
import { grantsIn } from '../map/row.ts';
import { debugLines } from './debug.ts';
import { print } from './print.ts';
import { graceOf, type Maps, mapsOf, withConfig } from './settings.ts';
import type { Values } from './values.ts';

/** @throws Failure of the configuration or of the map */
export async function purge(values: Values): Promise<number> {
  const all = withConfig(values);
  const grace = graceOf(all);
  const held = await holdFree(mapsOf(all));
  if (held === null) return EXIT.ok;
  try {
    await end(held, grace);
  } finally {
    await held.close();
  }
  return EXIT.ok;
}

/** Null when there is no map, or a daemon owns it. */
async function holdFree({ map, mirrors }: Maps): Promise<HeldMap | null> {
  if (!mapExists(map)) return null;
  const warn = (text: string): unknown => process.stderr.write(`popbsmtp: ${text}\n`);
  try {
    return await holdMap(map, false, warn, mirrors);
  } catch (error) {
    if (error instanceof Failure && error.code === 'MAP_OWNED') return null;
    throw error;
  }
}

async function end({ map }: HeldMap, grace: number): Promise<void> {
  const now = epoch(Math.floor(Date.now() / 1000));
  const rows = [...grantsIn(await map.rows())];
  const due = rows.filter(({ stamp }) => stamp + grace <= now);
  // A step of the clock may leave rows from the future behind; they count from now.
  const ahead = rows.filter(({ stamp }) => stamp > now);
  await map.commit([
    ...due.map(({ ip }) => ({ ip, stamp: null })),
    ...ahead.map(({ ip }) => ({ ip, stamp: now })),
  ]);
  const lines = due.flatMap(grant => debugLines({ kind: 'purged', grant }, false));
  await print(lines.map(line => `${line}\n`).join(''));
}
