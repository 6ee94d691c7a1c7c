/**
 * Which history of writes an engine is a part of: what its INFO says of its replication.
 *
 * A primary and its replicas share `master_replid` and count the bytes written in `master_repl_offset`.  Who is promoted
 * takes another name and keeps the one before as `master_replid2`, valid for the offsets below `second_repl_offset`
 * (Redis 7.0, replication.c, `shiftReplicationId`; Valkey 8 has it unchanged).  A primary also takes another name, and knows none before it,
 * when its first replica comes, so a new name does not prove that anything was lost.
 * Promises: what is not there, or no number, counts as not known.
 * Pure.
 */
import { infoField } from './info.ts';

export interface History {
  /** Empty when the engine does not say. */
  readonly name: string;
  /** Bytes, so far. */
  readonly offset: number;
  /** The one that it has gone on from, and the first offset that is not of both; null for none. */
  readonly former: { readonly name: string; readonly end: number } | null;
}

/** @param info the answer to `INFO replication` */
export function historyIn(info: string): History {
  const field = (name: string): string => infoField(info, name);
  const former = field('master_replid2');
  const end = Number(field('second_repl_offset') || -1);
  return {
    name: field('master_replid'),
    offset: Number(field('master_repl_offset') || 0),
    former: end > 0 && /[^0]/.test(former) ? { name: former, end } : null,
  };
}
