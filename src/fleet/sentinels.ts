/**
 * Asks sentinels where the engine is (Redis documentation, "Guidelines for Redis clients with support for Redis Sentinel").
 *
 * Promises: one after the other is asked, in random order, until one answers; that is done anew for each connection, as an answer is
 * true only for the moment.  Replicas that a sentinel takes for dead, or cut off, come last.
 * Leaves to others: whether the engine is what the sentinel says, which only the engine itself knows (search.ts).
 * Known limit: a sentinel that is cut off from the others names the old primary.
 */
import { isIP } from 'node:net';
import { failure } from '../base/errors.ts';
import { dial, type Target, targetsOf } from './dial.ts';
import { type Engine, formatEngine, type Site } from './engine.ts';
import { gravest } from './outage.ts';
import { shuffled } from './shuffle.ts';

export type SentinelSite = Extract<Site, { kind: 'sentinels' }>;

/** What one sentinel says. */
export interface Named {
  readonly primary: Engine;
  /** In the order in which they may be tried; empty unless they were asked for. */
  readonly replicas: readonly Engine[];
}

/**
 * @param withReplicas whether to ask for these as well
 * @throws Failure FLEET_SENTINEL, FLEET_FILE; Error of the last sentinel that was asked
 */
export async function askSentinels(
  site: SentinelSite,
  withReplicas: boolean,
  signal: AbortSignal,
): Promise<Named> {
  const errors: unknown[] = [];
  for (const sentinel of shuffled(site.sentinels)) {
    try {
      return await askSentinel(sentinel, { ...site, withReplicas }, signal);
    } catch (error) {
      signal.throwIfAborted();
      errors.push(error);
    }
  }
  throw gravest(errors);
}

/** As `askSentinels`, of one. */
export async function askSentinel(
  sentinel: Engine,
  question: Omit<SentinelSite, 'kind' | 'sentinels'> & { readonly withReplicas: boolean },
  signal: AbortSignal,
): Promise<Named> {
  const errors: unknown[] = [];
  for (const target of await targetsOf({ ...sentinel, database: 0 }, signal)) {
    try {
      return await askTarget(target, sentinel, question, signal);
    } catch (error) {
      signal.throwIfAborted();
      errors.push(error);
    }
  }
  throw gravest(errors);
}

async function askTarget(
  target: Target,
  sentinel: Engine,
  question: Parameters<typeof askSentinel>[1],
  signal: AbortSignal,
): Promise<Named> {
  const { primary: name, withReplicas } = question;
  const line = await dial(target, question, signal);
  try {
    const answer = await line.send('SENTINEL', 'get-master-addr-by-name', name);
    const primary = engineAt(answer, sentinel);
    if (primary === null) {
      throw failure('FLEET_SENTINEL', { sentinel: formatEngine(sentinel), name });
    }
    if (!withReplicas) return { primary, replicas: [] };
    return {
      primary,
      replicas: replicasIn(await line.send('SENTINEL', 'replicas', name), sentinel),
    };
  } finally {
    line.close();
  }
}

/** Spoken to as the sentinel is: it listens with TLS if, and only if, it speaks to engines with it (Redis documentation, "TLS", "Sentinel"). */
function engineAt(answer: unknown, { tls, database }: Engine): Engine | null {
  if (!Array.isArray(answer)) return null;
  const [host, port]: readonly unknown[] = answer;
  return isHost(host) ? { tls, host, port: Number(port), database } : null;
}

const isHost = (host: unknown): host is string =>
  typeof host === 'string' && (isIP(host) !== 0 || /^[\w.-]+$/.test(host));

/** @param answer for each replica its fields, a name and a text each */
export function replicasIn(answer: unknown, sentinel: Engine): readonly Engine[] {
  const found = (Array.isArray(answer) ? answer : []).flatMap((fields: unknown) => {
    const known = fieldsOf(fields);
    const engine = engineAt([known.get('ip'), known.get('port')], sentinel);
    const isGood = known.get('flags') === 'slave' && known.get('master-link-status') === 'ok';
    return engine === null ? [] : [{ engine, isGood }];
  });
  const mixed = shuffled(found);
  return [...mixed.filter(({ isGood }) => isGood), ...mixed.filter(({ isGood }) => !isGood)].map(
    ({ engine }) => engine,
  );
}

function fieldsOf(flat: unknown): ReadonlyMap<unknown, unknown> {
  const fields: readonly unknown[] = Array.isArray(flat) ? flat : [];
  const pairs = fields.flatMap((name, index) =>
    index % 2 === 0 ? [[name, fields[index + 1]] as const] : [],
  );
  return new Map(pairs);
}
