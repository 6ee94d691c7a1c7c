/**
 * What a publisher and a subscriber ask of the engine, over one connection to it.
 *
 * Leaves to others: how it is opened (dial.ts), and to which engine (search.ts).
 * Known limit: what a command that was under way when the connection was lost has done is not known.
 */
import { type EpochSeconds, epoch } from '../base/clock.ts';
import { failure, reasonOf } from '../base/errors.ts';
import type { Line } from './dial.ts';
import type { Fields } from './entry.ts';
import { type History, historyIn } from './history.ts';
import { type Condition, infoField, isCluster, memoryIn, upstreamIn } from './info.ts';
import { isId, LAST_ID, type Position, STREAMS, type StreamName } from './position.ts';

/** An entry as it lies in a stream. */
export interface StreamEntry {
  readonly id: string;
  readonly fields: readonly unknown[];
}

/** What a stream may keep: nothing from before an ID, or so many entries; whole nodes of it go, so it keeps some more. */
export type Trim = readonly ['MINID', string] | readonly ['MAXLEN', number] | null;

export interface Connection {
  /** The engine, as it is told. */
  readonly where: string;
  /** Whether it was one when the connection was made; what it has may come later than from the primary. */
  readonly isReplica: boolean;
  /** Another text after each restart of the engine. */
  readonly run: string;
  /** The history of which the engine is a part now; another one may begin at any time. */
  history(): Promise<History>;
  /** How many connections the engine has, at least 1. */
  clients(): Promise<number>;
  /** How the engine is now. */
  condition(): Promise<Condition>;
  /** The engine's clock. */
  time(): Promise<EpochSeconds>;
  /**
   * Resolves if entries may be appended to both streams, and changes nothing.
   *
   * @throws Failure FLEET_EXHAUSTED, here and below: somebody has taken the last ID of a stream
   */
  tryAppend(): Promise<void>;
  /** Resolves when the engine has the entry; whether the stream was there before. */
  append(stream: StreamName, fields: Fields, trim: Trim): Promise<boolean>;
  /** Takes away what a stream need not keep; how many entries, some 10,000 at most. */
  trim(stream: StreamName, trim: NonNullable<Trim>): Promise<number>;
  /** Whether a stream is there; changes nothing. */
  exists(stream: StreamName): Promise<boolean>;
  /** Leaves a sign, for some seconds, that a stream was gone: who comes later sees the one that was made anew. */
  signLoss(): Promise<void>;
  /** Whether somebody has left that sign within the last seconds; changes nothing. */
  isLossSigned(): Promise<boolean>;
  /** The entries behind a position, at most so many of each stream; waits so long for the first. */
  read(
    position: Position,
    count: number,
    blockMs: number,
  ): Promise<Record<StreamName, readonly StreamEntry[]>>;
  /** May be called again. */
  close(): void;
}

/** Some heartbeats of a publisher, so that each sees it. */
export const SIGN_SECONDS = 10;

type Send = Line['send'];

/** @throws Error with the library's or the engine's own words, here and below */
export const info = async (
  send: Send,
  section: 'server' | 'replication' | 'memory' | 'clients',
): Promise<string> => String(await send('INFO', section));

/** @throws Failure FLEET_CLUSTER */
export async function connectionOver(
  { send, close }: Line,
  where: string,
  prefix: string,
): Promise<Connection> {
  const server = await info(send, 'server');
  const run = infoField(server, 'run_id');
  if (isCluster(server)) throw failure('FLEET_CLUSTER', { engine: where });
  const upstream = upstreamIn(await info(send, 'replication'));
  const key = (stream: StreamName): string => `${prefix}:${stream}`;
  const sign = `${prefix}:lost`;
  const exhausted = (stream: StreamName): Error =>
    failure('FLEET_EXHAUSTED', { key: key(stream), keys: STREAMS.map(key).join(' ') });
  const exists = async (stream: StreamName): Promise<boolean> => {
    // An ID that no entry may have any more, which is found when all else has been asked: account, memory, disk,
    // replica, type of the key; and a stream that is not there is not made.
    const answer = await send('XADD', key(stream), 'NOMKSTREAM', '0-1', 'v', '').catch(reasonOf);
    if (isExhausted(answer)) throw exhausted(stream);
    if (answer !== null && !String(answer).startsWith('ERR ')) throw new Error(String(answer));
    return answer !== null;
  };
  return {
    where,
    isReplica: upstream !== null,
    run,
    condition: async () => ({
      upstream: upstreamIn(await info(send, 'replication')),
      memory: memoryIn(await info(send, 'memory')),
    }),
    history: async () => historyIn(await info(send, 'replication')),
    clients: async () => Number(infoField(await info(send, 'clients'), 'connected_clients') || 1),
    time: async () => {
      const [seconds = 0, microseconds = 0] = listOf(await send('TIME')).map(Number);
      return epoch(seconds + microseconds / 1e6);
    },
    tryAppend: async () => {
      for (const stream of STREAMS) await exists(stream);
    },
    exists,
    signLoss: async () => {
      await send('SET', sign, '1', 'EX', String(SIGN_SECONDS)).catch((error: unknown) => {
        // Accounts of earlier versions may not: then each host tells all again within half a grace period.
        if (!/^NOPERM /.test(reasonOf(error))) throw error;
      });
    },
    isLossSigned: async () => {
      // What is no stream is refused as such; and nothing is read, which a publisher may not.
      const answer = await send('XADD', sign, 'NOMKSTREAM', '0-1', 'v', '').catch(reasonOf);
      return /^WRONGTYPE /.test(String(answer));
    },
    trim: async (stream, [by, limit]) =>
      Number(await send('XTRIM', key(stream), by, '~', String(limit))),
    append: async (stream, fields, trim) => {
      const limit = trim === null ? [] : [trim[0], '~', String(trim[1])];
      try {
        const isThere =
          (await send('XADD', key(stream), 'NOMKSTREAM', ...limit, '*', ...fields)) !== null;
        if (!isThere) await send('XADD', key(stream), ...limit, '*', ...fields);
        return isThere;
      } catch (error) {
        throw isExhausted(reasonOf(error)) ? exhausted(stream) : error;
      }
    },
    read: async ({ orders, grants }, count, blockMs) => {
      const wait = blockMs > 0 ? ['BLOCK', String(blockMs)] : [];
      const streams = ['STREAMS', key('orders'), key('grants'), orders, grants];
      const reply = listOf(await send('XREAD', 'COUNT', String(count), ...wait, ...streams));
      const entriesOf = (stream: StreamName): StreamEntry[] =>
        listOf(reply.map(listOf).find(([name]) => name === key(stream))?.[1]).flatMap(entryOf);
      const found = { orders: entriesOf('orders'), grants: entriesOf('grants') };
      // Nothing comes behind it, and whoever had it as his position would see nothing of what comes after its end.
      const last = STREAMS.find(stream => found[stream].at(-1)?.id === LAST_ID);
      if (last === undefined) return found;
      found[last].pop();
      if (found.orders.length + found.grants.length === 0) throw exhausted(last);
      return found;
    },
    close,
  };
}

/** `ERR The stream has exhausted the last possible ID, unable to add more items` (Redis 7.0, t_stream.c). */
const isExhausted = (answer: unknown): boolean =>
  typeof answer === 'string' && /exhausted the last possible ID/.test(answer);

/** Null is the engine's way to say that there is nothing. */
const listOf = (reply: unknown): readonly unknown[] => (Array.isArray(reply) ? reply : []);

function entryOf(reply: unknown): StreamEntry[] {
  const [id, fields] = listOf(reply);
  return isId(id) ? [{ id, fields: listOf(fields) }] : [];
}
