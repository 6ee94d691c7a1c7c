/**
 * One connection to the engine, by the library; another one is made when it is lost.
 *
 * Promises: a connection that says nothing for a few seconds, though something is always asked of it, counts as lost;
 * nothing is sent again by the library, since whoever sends knows better what may be repeated.  Password and
 * certificates are read anew for each connection, so that they may be changed while the daemon runs.  The library
 * is loaded when the first connection is made.
 * Known limit: what a command that was under way when the connection was lost has done is not known.
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { type EpochSeconds, epoch } from '../base/clock.ts';
import { failure, reasonOf } from '../base/errors.ts';
import type { FleetSettings } from './engine.ts';
import type { Fields } from './entry.ts';
import { type History, historyIn } from './history.ts';
import { isId, LAST_ID, type Position, STREAMS, type StreamName } from './position.ts';

/** An entry as it lies in a stream. */
export interface StreamEntry {
  readonly id: string;
  readonly fields: readonly unknown[];
}

/** What a stream may keep: nothing from before an ID, or so many entries; whole nodes of it go, so it keeps some more. */
export type Trim = readonly ['MINID', string] | readonly ['MAXLEN', number] | null;

export interface Connection {
  /** Another text after each restart of the engine. */
  readonly run: string;
  /** The history of which the engine is a part now; another one may begin at any time. */
  history(): Promise<History>;
  /** How many connections the engine has, at least 1. */
  clients(): Promise<number>;
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
  /** The entries behind a position, at most so many of each stream; waits so long for the first. */
  read(
    position: Position,
    count: number,
    blockMs: number,
  ): Promise<Record<StreamName, readonly StreamEntry[]>>;
  /** May be called again. */
  close(): void;
}

const CONNECT_MS = 5000;
/** Longer than anybody leaves the connection without a question, or a question without an answer. */
export const SILENCE_MS = 5000;

/**
 * @param signal gives up, or closes the connection
 * @throws Failure FLEET_FILE; Error with the library's or the engine's own words
 */
export async function connectTo(settings: FleetSettings, signal: AbortSignal): Promise<Connection> {
  const secrets = readSecrets(settings);
  const { createClient } = await import('./client.ts');
  const client = createClient({
    RESP: 2,
    database: settings.engine.database,
    ...(settings.user === null ? {} : { username: settings.user }),
    ...(secrets.password === null ? {} : { password: secrets.password }),
    socket: socketOptions(settings, secrets.ca),
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    // The silence of the socket is enough; a timer for each command was a third of what publishing cost.
    commandOptions: { timeout: 0 },
  });
  // Whoever waits for a command is told the same.
  client.on('error', () => undefined);
  signal.addEventListener('abort', () => client.destroy(), { once: true });
  try {
    await client.connect();
    const send = (...args: string[]): Promise<unknown> => client.sendCommand(args);
    return connectionOver(
      send,
      () => client.destroy(),
      settings.prefix,
      runIn(await info(send, 'server')),
    );
  } catch (error) {
    client.destroy();
    throw error;
  }
}

interface Secrets {
  readonly password: string | null;
  readonly ca: string | null;
}

/** @throws Failure FLEET_FILE */
export function readSecrets({ passwordFile, caFile }: FleetSettings): Secrets {
  const password = passwordFile === null ? null : readText(passwordFile).split('\n', 1)[0];
  return { password: password ?? null, ca: caFile === null ? null : readText(caFile) };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw failure('FLEET_FILE', { path, reason: reasonOf(error) }, error);
  }
}

function socketOptions({ engine: { tls, host, port } }: FleetSettings, ca: string | null) {
  const common = {
    host,
    port,
    connectTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    reconnectStrategy: false,
  } as const;
  if (!tls) return common;
  // The name of a server is no address in TLS (RFC 6066, section 3).
  const servername = isIP(host) === 0 ? { servername: host } : {};
  return { ...common, tls: true, ...servername, ...(ca === null ? {} : { ca }) } as const;
}

type Send = (...args: string[]) => Promise<unknown>;

async function info(send: Send, section: 'server' | 'replication' | 'clients'): Promise<string> {
  return String(await send('INFO', section));
}

const runIn = (text: string): string => /^run_id:(\S+)/m.exec(text)?.[1] ?? '';

function connectionOver(send: Send, close: () => void, prefix: string, run: string): Connection {
  const key = (stream: StreamName): string => `${prefix}:${stream}`;
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
    run,
    history: async () => historyIn(await info(send, 'replication')),
    clients: async () => {
      const [, count = '1'] = /^connected_clients:(\d+)/m.exec(await info(send, 'clients')) ?? [];
      return Number(count);
    },
    time: async () => {
      const [seconds = 0, microseconds = 0] = listOf(await send('TIME')).map(Number);
      return epoch(seconds + microseconds / 1e6);
    },
    tryAppend: async () => {
      for (const stream of STREAMS) await exists(stream);
    },
    exists,
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
