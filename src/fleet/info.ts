/**
 * How an engine is, by what its INFO says (Redis documentation, "INFO"; Redis 7.0, server.c, `genRedisInfoString`; Valkey 8 and 9
 * have these fields unchanged, but for one).
 *
 * Promises: what is not there, or no number, counts as not known.
 * Pure.
 */

/** What is there of a field; empty when it is not. */
export const infoField = (info: string, name: string): string =>
  new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1] ?? '';

const numberIn = (info: string, name: string): number => Number(infoField(info, name) || 0);

/**
 * Whether it is a node of a cluster.  Valkey says so under another name, unless `extended-redis-compatibility` is set (Valkey 8.1, server.c).
 *
 * @param info the answer to `INFO server`
 */
export const isCluster = (info: string): boolean =>
  ['redis_mode', 'server_mode'].some(name => infoField(info, name) === 'cluster');

/** How a replica gets what its primary has. */
export interface Upstream {
  readonly isUp: boolean;
  /** Seconds since it has heard of its primary. */
  readonly silence: number;
}

export interface Memory {
  /** Bytes. */
  readonly used: number;
  /** Null for all that the machine has. */
  readonly most: number | null;
  /** What is done when there is no more: `noeviction`. */
  readonly policy: string;
}

export interface Condition {
  /** Null for a primary. */
  readonly upstream: Upstream | null;
  readonly memory: Memory;
}

/** A replica hears of its primary each 10 s, when nothing is written (redis.conf, repl-ping-replica-period). */
const SILENT_SECONDS = 12;

/** @param info the answer to `INFO replication` */
export function upstreamIn(info: string): Upstream | null {
  if (infoField(info, 'role') !== 'slave') return null;
  const isUp = infoField(info, 'master_link_status') === 'up';
  const silence = numberIn(
    info,
    isUp ? 'master_last_io_seconds_ago' : 'master_link_down_since_seconds',
  );
  return { isUp, silence: Math.max(0, silence) };
}

/** Whether what it has may be old. */
export const isStale = (upstream: Upstream | null): boolean =>
  upstream !== null && (!upstream.isUp || upstream.silence > SILENT_SECONDS);

/** @param info the answer to `INFO memory` */
export function memoryIn(info: string): Memory {
  const most = numberIn(info, 'maxmemory');
  return {
    used: numberIn(info, 'used_memory'),
    most: most > 0 ? most : null,
    policy: infoField(info, 'maxmemory_policy'),
  };
}

/** Of all that it may have, from 0 to 1; null where there is no bound. */
export const fullness = ({ used, most }: Memory): number | null =>
  most === null ? null : used / most;

/** The streams never expire, so that the policies `volatile-…` find nothing to take (Redis documentation, "Key eviction"). */
export const evicts = ({ most, policy }: Memory): boolean =>
  most !== null && policy.startsWith('allkeys-');
