/**
 * The commands without a daemon: the same decisions by the same code, for a command that finds none running.
 *
 * It owns the map meanwhile, under the lock that a daemon would hold, and reads nothing but the map and what lies beside it.
 */
import { systemClock } from '../base/clock.ts';
import { failure } from '../base/errors.ts';
import type { Decision } from '../grant/decision.ts';
import { GrantTable } from '../grant/grant-table.ts';
import { NEWS_TEXT, Orders } from '../grant/orders.ts';
import { Roster } from '../grant/roster.ts';
import { StampReader } from '../line/stamp.ts';
import { holdMap } from '../map/held-map.ts';
import type { MapSpec } from '../map/map.ts';
import { mapExists } from '../map/map-types.ts';
import type { RuleSettings } from '../options/settings.ts';
import { Recogniser } from '../recogniser/recogniser.ts';
import { Registry } from '../recogniser/registry.ts';
import { ordersFile, rosterFile } from './bookkeeping.ts';
import { Commands } from './commands.ts';
import { Pipeline } from './pipeline.ts';
import { classifierFor } from './rules.ts';

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
  if (!mapExists(map)) throw failure('MAP_MISSING', { path: map.path });
  const classifier = await classifierFor(rules, warn);
  const held = await holdMap(map, false, warn, mirrors);
  try {
    const clock = systemClock();
    const now = clock.now();
    const grants = new GrantTable(ip => rules.grace.of(ip), Number.POSITIVE_INFINITY);
    await held.map.eachGrant(grant => grants.restore(grant, now));
    const orders = new Orders(rules.grace);
    const file = ordersFile(map);
    orders.restore(file.read(), now);
    const roster = new Roster();
    roster.restore(rosterFile(map).read(), ip => grants.dueOf(ip) !== null);
    const recogniser = new Recogniser(new Registry([]), new StampReader(() => now.wall));
    const report = (decision: Decision): void => {
      if (decision.kind === 'map failed') warn(decision.line);
      if (decision.kind === 'order bounded') warn(NEWS_TEXT[decision.what]);
    };
    const pipeline = new Pipeline({
      rules: { recogniser, classifier, grace: rules.grace, policy: rules.policy },
      grants,
      sessions: null,
      map: held.map,
      clock,
      report,
      orders,
    });
    return await work(new Commands({ pipeline, grants, orders, file, roster, clock }));
  } finally {
    await held.close();
  }
}
