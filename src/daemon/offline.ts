/**
 * The commands without a daemon: the same core, for a command that finds none running.
 *
 * It owns the map meanwhile, under the lock that a daemon would hold, and reads nothing but the map and what lies beside it.
 */
import { systemClock } from '../base/clock.ts';
import { failure } from '../base/errors.ts';
import { NEWS_TEXT } from '../grant/orders.ts';
import { holdMap } from '../map/held-map.ts';
import type { MapSpec } from '../map/map.ts';
import { mapExists } from '../map/map-types.ts';
import { Commands } from './commands.ts';
import { Core, UNBOUNDED } from './core.ts';
import { decisionRulesFor } from './rules.ts';
import type { RuleSettings } from './settings.ts';

/** What the commands are about: a map, those that follow it, and the rules. */
export interface Place {
  readonly map: MapSpec;
  readonly mirrors: readonly MapSpec[];
  readonly rules: RuleSettings;
}

/**
 * @param place of whose rules those about networks and the grace period count
 * @throws Failure MAP_OWNED, and of networks, the map or the files beside it
 */
export async function withoutDaemon<T>(
  { map, mirrors, rules }: Place,
  warn: (text: string) => void,
  work: (commands: Commands) => Promise<T>,
): Promise<T> {
  if (!(await mapExists(map))) throw failure('MAP_MISSING', { path: map.path });
  const decided = await decisionRulesFor(rules, warn);
  const held = await holdMap(map, false, warn, mirrors);
  try {
    const core = new Core({
      rules: decided,
      bounds: UNBOUNDED,
      map: held.map,
      clock: systemClock(),
      report: decision => {
        if (decision.kind === 'map failed') warn(decision.line);
        if (decision.kind === 'order bounded') warn(NEWS_TEXT[decision.what]);
      },
      warn,
    });
    await core.restore(held);
    return await work(new Commands(core));
  } finally {
    await held.close();
  }
}
