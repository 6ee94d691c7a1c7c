/**
 * `popbsmtp purge`: ends what is due when no daemon is there to do it.
 *
 * For a stop hook and a timer (init/), so that a daemon that has died leaves no door open.  What is due, and what an
 * allowance by hand keeps, is decided as the daemon would.  While a daemon owns the map, and where there is no map, there
 * is nothing to do, and that is no error.
 * It does not ask what Postfix permits besides, so it works when Postfix does not; an address in mynetworks may relay
 * anyway.
 */
import { systemClock } from '../base/clock.ts';
import { EXIT, Failure } from '../base/errors.ts';
import type { Classifier } from '../classifier/classifier.ts';
import { Core, UNBOUNDED } from '../daemon/core.ts';
import { classifierFor } from '../daemon/rules.ts';
import { barsOf } from '../daemon/settings.ts';
import type { Decision } from '../grant/decision.ts';
import { type Grace, graceOf } from '../grant/grace.ts';
import { NO_POLICY } from '../grant/policy.ts';
import { type HeldMap, holdMap } from '../map/held-map.ts';
import { mapExists } from '../map/map-types.ts';
import { type Maps, mapsOf } from '../map/spec.ts';
import { withConfig } from '../options/config.ts';
import { type Settings, settingsOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import { debugLines } from '../report/debug.ts';
import { print } from '../report/print.ts';
import { warn } from './by-hand.ts';

/** @throws Failure of the configuration or of the map */
export async function purge(values: Values): Promise<number> {
  const settings = settingsOf(withConfig(values), 'purge');
  const grace = graceOf(settings);
  const held = await holdFree(mapsOf(settings));
  if (held === null) return EXIT.ok;
  try {
    await end(held, grace, await classifierOf(settings));
  } finally {
    await held.close();
  }
  return EXIT.ok;
}

/** Null when there is no map, or a daemon owns it. */
async function holdFree({ map, mirrors }: Maps): Promise<HeldMap | null> {
  if (!mapExists(map)) return null;
  try {
    return await holdMap(map, false, warn, mirrors);
  } catch (error) {
    if (error instanceof Failure && error.code === 'MAP_OWNED') return null;
    throw error;
  }
}

/** Where it cannot be read whom to exclude, nobody's allowance lasts on: all that is due ends. */
async function classifierOf(settings: Settings<'purge'>): Promise<Classifier> {
  const networks = {
    mynetworks: { value: 'none', origin: 'purge' },
    postfixConfig: null,
    exclude: settings.exclude,
    ...barsOf(settings),
  };
  try {
    return await classifierFor(networks, warn);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    warn(error.line);
    const everybody = { value: '0.0.0.0/0 ::/0', origin: 'purge' };
    return classifierFor({ ...networks, exclude: everybody }, warn);
  }
}

/** @throws Failure of the map */
async function end({ map }: HeldMap, grace: Grace, classifier: Classifier): Promise<void> {
  const ended: Decision[] = [];
  const core = new Core({
    rules: { classifier, grace, policy: NO_POLICY },
    bounds: UNBOUNDED,
    map,
    clock: systemClock(),
    report: decision => {
      if (decision.kind === 'purged') ended.push(decision);
    },
    warn,
  });
  // Without orders that can be read, what is allowed by hand ends early, but all that is due ends.
  await core.restore({ tolerant: true });
  await core.enforce();
  const { trouble } = core.pipeline;
  if (trouble !== null) throw trouble;
  const lines = ended.flatMap(decision => debugLines(decision, false));
  await print(lines.map(line => `${line}\n`).join(''));
}
