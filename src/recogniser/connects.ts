/**
 * Connections whose client has not logged in yet, of servers that tell the address when it connects and the
 * success in a later line of the same process (popa3d, solid-pop3d).
 *
 * Promises: an address is found under the host, program and process id that told it, once, and for as long as
 * a client may take to log in; a new connection of the same process takes the place of the one before.
 * Bounds: 10000 connections, the oldest out; ten minutes by the log's own time, which is the least that
 * a POP3 server waits for a command (RFC 1939 section 3).  A line without a time or a process id joins nothing.
 * Known limit: a process id that is used again within that time, by a process whose own first line the syslog
 * daemon has dropped, is taken for the one before.
 */
import type { IpText } from '../base/address.ts';
import type { EpochSeconds } from '../base/clock.ts';
import type { Line } from '../line/prefix.ts';

export const MOST_CONNECTS = 10_000;
/** In seconds. */
export const CONNECT_AGE = 600;

interface Connect {
  readonly ip: IpText;
  readonly time: EpochSeconds;
}

/** Process, address and time of a connection, for a checkpoint. */
export type SavedConnect = readonly [key: string, ip: IpText, time: EpochSeconds];

export class Connects {
  /** The oldest first. */
  readonly #pending = new Map<string, Connect>();

  /** A client has connected to the process of a server that wrote the line. */
  add(server: string, line: Line, ip: IpText): void {
    const key = keyOf(server, line);
    if (key === null) return;
    this.#pending.delete(key);
    if (line.time === null) return;
    if (this.#pending.size === MOST_CONNECTS) this.#dropOldest();
    this.#pending.set(key, { ip, time: line.time });
  }

  /** The address of the client of the process that wrote the line, or null if it is not known; it is forgotten. */
  take(server: string, line: Line): IpText | null {
    const key = keyOf(server, line);
    const connect = key === null ? undefined : this.#pending.get(key);
    if (key === null || connect === undefined) return null;
    this.#pending.delete(key);
    if (line.time === null || Math.abs(line.time - connect.time) > CONNECT_AGE) return null;
    return connect.ip;
  }

  save(): SavedConnect[] {
    return [...this.#pending].map(([key, { ip, time }]) => [key, ip, time]);
  }

  restore(saved: readonly SavedConnect[]): void {
    for (const [key, ip, time] of saved.slice(-MOST_CONNECTS)) this.#pending.set(key, { ip, time });
  }

  #dropOldest(): void {
    const [oldest] = this.#pending.keys();
    if (oldest !== undefined) this.#pending.delete(oldest);
  }
}

/** No line, and so none of its parts, has a line feed in it. */
const keyOf = (server: string, { host, program, pid }: Line): string | null =>
  pid === null ? null : `${server}\n${host ?? ''}\n${program ?? ''}\n${pid}`;
