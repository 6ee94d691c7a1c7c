/**
 * The faults of a whole fleet, for the long campaign only; their short pass is test/real/fleet-sentinel.test.ts.
 */
import { failOver } from '../real/fleet-failovers.ts';
import { ENGINE_PROGRAMS } from '../real/redis.ts';
import type { Fault } from './faults.ts';

export const FLEET_FAULTS: readonly Omit<Fault, 'short'>[] = [
  {
    name: 'engine killed, 1,000 logins/s',
    times: 5,
    needsRoot: false,
    programs: ENGINE_PROGRAMS,
    run: async (rig, times) => ({
      ...(await failOver(rig, { failovers: times, rate: 1000 })),
      postfix: null,
    }),
  },
];
