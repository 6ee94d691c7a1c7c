/**
 * What is wrong with the engines and sentinels of a fleet, of which a host sees only the one that it uses.
 */
import { reasonOf } from '../base/errors.ts';
import { evicts, fullness, isStale } from '../fleet/info.ts';
import type { EngineState, Survey, Told } from '../fleet/survey.ts';
import { error, type Verdict, warning } from './finding.ts';

type Known<T> = { readonly where: string; readonly state: T };

/** Fewer cannot agree that one of them is wrong. */
const ENOUGH_SENTINELS = 3;
/** How full an engine may be without a word. */
const FULL = 0.9;

export function judgeSite({ engines, sentinels }: Survey): Verdict[] {
  const known = engines.flatMap(knownOf);
  const primaries = known.filter(({ state }) => state.upstream === null);
  return [
    ...sentinelVerdicts(sentinels),
    // Of the only one the connection itself tells.
    ...(engines.length > 1 ? engines.flatMap(problemVerdict) : []),
    ...(primaries.length > 1 ? [splitVerdict(primaries)] : []),
    ...known.flatMap(stateVerdicts),
    ...(sentinels.length > 0 ? primaries.flatMap(failoverVerdicts) : []),
  ];
}

const knownOf = <T>({ where, state }: Told<T>): Known<T>[] =>
  isProblem(state) ? [] : [{ where, state }];

const isProblem = (state: unknown): state is { readonly problem: unknown } =>
  typeof state === 'object' && state !== null && 'problem' in state;

function problemVerdict<T>({ where, state }: Told<T>): Verdict[] {
  if (!isProblem(state)) return [];
  return [
    warning(
      `${where} cannot be used: ${reasonOf(state.problem)}`,
      'start it, or take it out: when the one that is used fails, this one would have to do',
    ),
  ];
}

function sentinelVerdicts(sentinels: Survey['sentinels']): Verdict[] {
  if (sentinels.length === 0) return [];
  const named = new Set(sentinels.flatMap(knownOf).map(({ state }) => state.primary));
  const verdicts = sentinels.flatMap(problemVerdict);
  if (named.size > 1) {
    verdicts.push(
      error(
        `the sentinels do not agree which engine is the primary: ${[...named].join(', ')}`,
        'after a failover this passes; else look whether they reach each other: redis-cli -p 26379 SENTINEL CKQUORUM NAME',
      ),
    );
  }
  if (sentinels.length < ENOUGH_SENTINELS) {
    verdicts.push(
      warning(
        `only ${sentinels.length} of the sentinels are named in fleet-sentinels`,
        'run three of them on three machines, and name all: with fewer none can be lost',
      ),
    );
  }
  return verdicts;
}

const splitVerdict = (primaries: readonly Known<EngineState>[]): Verdict =>
  error(
    `more than one engine counts as primary: ${primaries.map(({ where }) => where).join(', ')}`,
    'hosts may publish at different ones: make all but one a replica of that one (REPLICAOF)',
  );

function stateVerdicts({ where, state: { memory, upstream } }: Known<EngineState>): Verdict[] {
  const verdicts: Verdict[] = [];
  if (evicts(memory)) {
    verdicts.push(
      warning(
        `${where} throws away what others still have to read when it is full (maxmemory-policy ${memory.policy})`,
        'set maxmemory-policy noeviction',
      ),
    );
  }
  const full = fullness(memory) ?? 0;
  if (full > FULL) {
    verdicts.push(
      warning(
        `${where} has used ${Math.floor(100 * full)} % of its maxmemory`,
        'give it more: when it is full nothing can be published; popbsmtp-fleet(7) says how much it needs',
      ),
    );
  }
  if (isStale(upstream)) {
    verdicts.push(
      warning(
        `${where} is a replica that has not heard of its primary for ${upstream?.silence ?? 0} s`,
        'look why, with "redis-cli INFO replication": who reads there comes to know of nothing',
      ),
    );
  }
  return verdicts;
}

function failoverVerdicts({ where, state }: Known<EngineState>): Verdict[] {
  if (state.replicas === 0) {
    return [
      warning(`${where} has no replica`, 'connect one: else the sentinels have nobody to promote'),
    ];
  }
  if (state.isCareful) return [];
  return [
    warning(
      `${where} also takes entries while it is cut off from its replicas`,
      'set min-replicas-to-write 1 and min-replicas-max-lag 2, so that hosts go to the new primary: popbsmtp-fleet(7)',
    ),
  ];
}
