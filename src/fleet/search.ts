/**
 * Finds the engine that is to be used now, and connects to it.
 *
 * Promises: engines are tried in turn, and all addresses of a name; where there are sentinels, one of them is asked each time.
 * Each engine is asked for its role: what is published goes to a primary only, and a replica is left for the next engine, which is told; who
 * reads takes whom he prefers, and what there is where there is none of these: a replica that does not hear of its primary last.
 * Leaves to others: when there is another attempt (link.ts).
 * Known limit: of two engines that both count as primary, without sentinels, the first is taken.
 */
import { Failure, failure } from '../base/errors.ts';
import { type Connection, connectionOver } from './connection.ts';
import { dial, type Target, targetsOf } from './dial.ts';
import { type Engine, type FleetSettings, formatEngine, type ReadFrom } from './engine.ts';
import { isStale } from './info.ts';
import { gravest, reasonFor } from './outage.ts';
import { askSentinels } from './sentinels.ts';
import { shuffled } from './shuffle.ts';

/** What a connection is for: to publish, or to read from whom that is preferred. */
export type Purpose = 'publish' | ReadFrom;

interface Found {
  readonly connection: Connection;
  /** The least is the best. */
  readonly rank: number;
}

/** Why an engine cannot be used, or is not. */
export interface Refusal {
  readonly where: string;
  readonly error: unknown;
}

/** Of one of several engines, with its word. */
class EngineError extends Error {
  readonly code: string;

  constructor({ where, error }: Refusal) {
    const { code, text } = reasonFor(error);
    super(`${where}: ${text}`, { cause: error });
    this.code = code;
  }
}

/**
 * @param passedOver told of those that were left for another one
 * @param signal gives up, or closes the connection
 * @throws Failure FLEET_FILE, FLEET_REPLICA, FLEET_CLUSTER, FLEET_SENTINEL; Error with the library's or the engine's own words; of
 *   several that which says most
 */
export async function connectTo(
  settings: FleetSettings,
  purpose: Purpose,
  passedOver: (refusal: Refusal) => void,
  signal: AbortSignal,
): Promise<Connection> {
  const engines = await enginesOf(settings, purpose, signal);
  const refusals: Refusal[] = [];
  let best: Found | null = null;
  for await (const target of eachTarget(engines, refusals, signal)) {
    try {
      const found = await tryTarget(target, settings, purpose, signal);
      best = best === null ? found : better(best, found, refusals);
      if (best.rank === BEST) break;
    } catch (error) {
      signal.throwIfAborted();
      refusals.push({ where: target.where, error });
    }
  }
  if (best === null) throw gravestOf(refusals);
  for (const refusal of refusals) passedOver(refusal);
  return best.connection;
}

/** Closes the other, which is told if it should have been as good. */
function better(one: Found, other: Found, refusals: Refusal[]): Found {
  const [taken, left] = other.rank < one.rank ? [other, one] : [one, other];
  left.connection.close();
  const { where } = left.connection;
  if (left.rank === STALE)
    refusals.push({ where, error: failure('FLEET_STALE', { engine: where }) });
  return taken;
}

/** With the name of the engine, unless there is no other. */
function gravestOf(refusals: readonly Refusal[]): unknown {
  const error = gravest(refusals.map(refusal => refusal.error));
  const refusal = refusals.find(one => one.error === error);
  if (refusal === undefined || refusals.length === 1 || error instanceof Failure) return error;
  return new EngineError(refusal);
}

/** In the order in which they are to be tried. */
async function enginesOf(
  { site }: FleetSettings,
  purpose: Purpose,
  signal: AbortSignal,
): Promise<readonly Engine[]> {
  const readsReplica = purpose === 'replica';
  if (site.kind === 'engines') return readsReplica ? shuffled(site.engines) : site.engines;
  const { primary, replicas } = await askSentinels(site, readsReplica, signal);
  return [...replicas, primary];
}

/** @param refusals those of names that lead to no address */
async function* eachTarget(
  engines: readonly Engine[],
  refusals: Refusal[],
  signal: AbortSignal,
): AsyncGenerator<Target> {
  for (const engine of engines) {
    try {
      yield* await targetsOf(engine, signal);
    } catch (error) {
      signal.throwIfAborted();
      refusals.push({ where: formatEngine(engine), error });
    }
  }
}

async function tryTarget(
  target: Target,
  settings: FleetSettings,
  purpose: Purpose,
  signal: AbortSignal,
): Promise<Found> {
  const line = await dial(target, settings, signal);
  try {
    const connection = await connectionOver(line, target.where, settings.prefix);
    const { upstream } = await connection.condition();
    const role = upstream === null ? 'primary' : isStale(upstream) ? 'stale' : 'replica';
    const rank = RANKS[purpose][role];
    if (rank === null) throw failure('FLEET_REPLICA', { engine: target.where });
    return { connection, rank };
  } catch (error) {
    line.close();
    throw error;
  }
}

const BEST = 0;
const STALE = 2;
/** How good an engine is for what; null for not at all. */
const RANKS: Readonly<
  Record<Purpose, Readonly<Record<'primary' | 'replica' | 'stale', number | null>>>
> = {
  publish: { primary: BEST, replica: null, stale: null },
  primary: { primary: BEST, replica: 1, stale: STALE },
  replica: { primary: 1, replica: BEST, stale: STALE },
};
