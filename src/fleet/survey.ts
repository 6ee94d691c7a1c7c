/**
 * Asks each engine, and each sentinel, that a host may come to how it is: what a connection, which takes the first that can be used,
 * does not see.
 *
 * Promises: nothing is changed, and none is waited for longer than a connection takes; what cannot be asked is a part of the answer.
 */
import { failure } from '../base/errors.ts';
import { dial, targetsOf } from './dial.ts';
import { type Engine, type FleetSettings, formatEngine } from './engine.ts';
import { type Condition, infoField, isCluster, memoryIn, upstreamIn } from './info.ts';
import { askSentinel, type Named, type SentinelSite } from './sentinels.ts';

export interface EngineState extends Condition {
  /** How many replicas it has. */
  readonly replicas: number;
  /** Whether it takes nothing when too few of them hear of it (`min-replicas-to-write`). */
  readonly isCareful: boolean;
}

/** What one of them says, or why it does not. */
export interface Told<T> {
  readonly where: string;
  readonly state: T | { readonly problem: unknown };
}

export interface Survey {
  readonly engines: readonly Told<EngineState>[];
  /** With the primary that each names; empty where none are asked. */
  readonly sentinels: readonly Told<{ readonly primary: string }>[];
}

export async function surveyOf(settings: FleetSettings, signal: AbortSignal): Promise<Survey> {
  const { site } = settings;
  if (site.kind === 'engines') {
    return { engines: await enginesAt(site.engines, settings, signal), sentinels: [] };
  }
  const asked = await Promise.all(
    site.sentinels.map(sentinel =>
      told(formatEngine(sentinel), () => askSentinel(sentinel, question(site), signal)),
    ),
  );
  const engines = new Map<string, Engine>();
  for (const { state } of asked)
    if ('primary' in state)
      for (const engine of [state.primary, ...state.replicas])
        engines.set(formatEngine(engine), engine);
  return {
    engines: await enginesAt([...engines.values()], settings, signal),
    sentinels: asked.map(({ where, state }) => ({ where, state: namedBy(state) })),
  };
}

const question = (site: SentinelSite) => ({ ...site, withReplicas: true });

const namedBy = (state: Told<Named>['state']): { primary: string } | { problem: unknown } =>
  'problem' in state ? state : { primary: formatEngine(state.primary) };

async function enginesAt(
  engines: readonly Engine[],
  settings: FleetSettings,
  signal: AbortSignal,
): Promise<readonly Told<EngineState>[]> {
  const found = engines.map(async engine => {
    const where = formatEngine(engine);
    try {
      const targets = await targetsOf(engine, signal);
      return targets.map(target =>
        told(target.where, async () => {
          const line = await dial(target, settings, signal);
          const ask = async (section: string): Promise<string> =>
            String(await line.send('INFO', section));
          try {
            if (isCluster(await ask('server'))) throw failure('FLEET_CLUSTER', { engine: where });
            return stateIn(await ask('replication'), await ask('memory'));
          } finally {
            line.close();
          }
        }),
      );
    } catch (problem) {
      return [Promise.resolve({ where, state: { problem } })];
    }
  });
  return Promise.all((await Promise.all(found)).flat());
}

/** @param replication, memory the answers to INFO; Redis names the replicas that hear of it only where too few are minded (replication.c) */
export const stateIn = (replication: string, memory: string): EngineState => ({
  upstream: upstreamIn(replication),
  memory: memoryIn(memory),
  replicas: Number(infoField(replication, 'connected_slaves') || 0),
  isCareful: infoField(replication, 'min_slaves_good_slaves') !== '',
});

async function told<T>(where: string, ask: () => Promise<T>): Promise<Told<T>> {
  try {
    return { where, state: await ask() };
  } catch (problem) {
    return { where, state: { problem } };
  }
}
