/**
 * Opens a connection to one server, an engine or a sentinel, by the library.
 *
 * Promises: one that says nothing for a few seconds, though something is always asked of it, counts as lost;
 * nothing is sent again by the library, since whoever sends knows better what may be repeated.  Password and
 * certificates are read anew for each connection, so that they may be changed while the daemon runs.  The library
 * is loaded when the first connection is made.
 * Leaves to others: which server (search.ts).  The library's own client of sentinels is not used: it sends again by itself
 * and hides that the engine is another one, by which publisher and subscriber know what to repeat.
 */
import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { failure, reasonOf } from '../base/errors.ts';
import { type Account, type Engine, type FleetSettings, formatEngine } from './engine.ts';

/** A server at one address. */
export interface Target {
  readonly engine: Engine;
  /** One of those that its name has. */
  readonly address: string;
  /** As it is told. */
  readonly where: string;
}

/** An open connection. */
export interface Line {
  /** @throws Error with the server's or the library's own words */
  send(...args: string[]): Promise<unknown>;
  /** May be called again. */
  close(): void;
}

/** For a connection to be made, TLS included. */
const CONNECT_MS = 5000;
/** Longer than anybody leaves the connection without a question, or a question without an answer. */
const SILENCE_MS = 5000;

/**
 * All that a name leads to, in the order of the resolver.
 *
 * @throws Error with its own words
 */
export async function targetsOf(engine: Engine, signal: AbortSignal): Promise<readonly Target[]> {
  const { host } = engine;
  const where = formatEngine(engine);
  if (isIP(host) !== 0) return [{ engine, address: host, where }];
  const found = await unlessAborted(lookup(host, { all: true }), signal);
  const addresses = [...new Set(found.map(({ address }) => address))];
  return addresses.map(address => ({
    engine,
    address,
    where: addresses.length === 1 ? where : `${where} (${address})`,
  }));
}

/** The resolver cannot be stopped, and may take long: whoever gives up does not wait for it. */
function unlessAborted<T>(step: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const give = (): void => reject(signal.reason);
    if (signal.aborted) give();
    signal.addEventListener('abort', give);
    step.then(resolve, reject).finally(() => signal.removeEventListener('abort', give));
  });
}

/**
 * @param signal gives up, or closes the connection
 * @throws Failure FLEET_FILE; Error with the library's or the server's own words
 */
export async function dial(
  { engine, address }: Target,
  account: Account,
  signal: AbortSignal,
): Promise<Line> {
  signal.throwIfAborted();
  const secrets = readSecrets(account);
  const { createClient } = await import('./client.ts');
  const client = createClient({
    RESP: 2,
    database: engine.database,
    ...(account.user === null ? {} : { username: account.user }),
    ...(secrets.password === null ? {} : { password: secrets.password }),
    socket: socketOptions(engine, address, secrets.ca),
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    // The silence of the socket is enough; a timer for each command was a third of what publishing cost.
    commandOptions: { timeout: 0 },
  });
  // Whoever waits for a command is told the same.
  client.on('error', () => undefined);
  const close = (): void => {
    signal.removeEventListener('abort', close);
    client.destroy();
  };
  signal.addEventListener('abort', close);
  try {
    await client.connect();
    return { send: (...args) => client.sendCommand(args), close };
  } catch (error) {
    close();
    throw error;
  }
}

interface Secrets {
  readonly password: string | null;
  readonly ca: string | null;
}

/** @throws Failure FLEET_FILE */
export function readSecrets({ passwordFile, caFile }: Omit<Account, 'user'>): Secrets {
  const password = passwordFile === null ? null : readText(passwordFile).split('\n', 1)[0];
  return { password: password ?? null, ca: caFile === null ? null : readText(caFile) };
}

/** @throws Failure FLEET_FILE when one of the files that are needed cannot be read */
export function checkSecrets(settings: FleetSettings): void {
  readSecrets(settings);
  if (settings.site.kind === 'sentinels') readSecrets(settings.site);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw failure('FLEET_FILE', { path, reason: reasonOf(error) }, error);
  }
}

function socketOptions({ tls, host, port }: Engine, address: string, ca: string | null) {
  const common = {
    host: address,
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
