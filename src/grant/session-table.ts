/**
 * Which sessions are open, so that a mail client that stays connected (IMAP IDLE) keeps its grant.
 *
 * Promises: a session that was not opened here closes nothing; one whose logout never comes is forgotten after
 * the age limit; the number of sessions is bounded, oldest out first; every step is O(1) amortised.
 * A server keeps nothing open until it has been seen to log a logout that tells its session: some versions
 * print a session in the login and none in the logout (Dovecot up to 2.2), and each of their logins would
 * be a grant for the whole age limit.
 * Leaves to others: what a session is worth (grant/), and which lines belong to one (recogniser/).
 */

import { canonicalIp, type IpText } from '../base/address.ts';
import { type AddressKey, ipOf, keyOf } from '../base/address-key.ts';
import type { EpochSeconds } from '../base/clock.ts';
import { savedList } from '../base/saved.ts';
import type { LoginEvent, LogoutEvent } from '../recogniser/event.ts';
import { Fifo } from './fifo.ts';

/** Sessions; some 30 MB. */
export const MAX_SESSIONS = 100_000;

/** Closed sessions that are waited for before they are swept out. */
const SLACK = 1024;

interface Session {
  readonly key: string;
  readonly address: AddressKey;
  readonly server: Server;
  /** When it is forgotten, on the steady clock. */
  readonly due: number;
  isOpen: boolean;
}

interface Server {
  readonly name: string;
  /** Whether a logout has been seen that tells its session. */
  tells: boolean;
  /** How many sessions each address has. */
  readonly open: Map<AddressKey, number>;
}

/** Servers whose logouts tell their session, and the sessions with the seconds that they have left. */
export interface SavedSessions {
  readonly telling: readonly (readonly [server: string])[];
  readonly open: readonly SavedSession[];
}

type SavedSession = readonly [key: string, ip: IpText, server: string, left: number];

export class SessionTable {
  readonly #sessions = new Map<string, Session>();
  /** In the order of opening, which is also that of their ends; those that were closed are still among them. */
  readonly #order = new Fifo<Session>();
  readonly #servers = new Map<string, Server>();
  readonly #limit: number;
  readonly #capacity: number;

  /** @param limit seconds after which a session is forgotten */
  constructor(limit: number, capacity: number = MAX_SESSIONS) {
    this.#limit = limit;
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Whether an open session keeps the grant of this address. */
  holds(ip: IpText): boolean {
    const address = keyOf(ip);
    for (const { tells, open } of this.#servers.values())
      if (tells && open.has(address)) return true;
    return false;
  }

  open({ session, server, ip }: LoginEvent, steady: EpochSeconds): void {
    if (session === null) return;
    this.#add(session, ip, server, steady + this.#limit);
  }

  /** The address whose session ends with this logout; null when it is not known to be open. */
  close({ session, server }: LogoutEvent): IpText | null {
    if (session === null) return null;
    this.#server(server).tells = true;
    const ended = this.#forget(session);
    return ended && ipOf(ended.address);
  }

  /** Forgets the sessions that have reached the age limit. */
  expire(steady: EpochSeconds): void {
    for (let oldest = this.#oldest(); oldest !== null; oldest = this.#oldest()) {
      if (oldest.due > steady) return;
      this.#forget(oldest.key);
    }
  }

  /** What is open now, oldest first, for a checkpoint: plain JSON. */
  save(steady: EpochSeconds): SavedSessions {
    const open = [...this.#sessions.values()].sort((a, b) => a.due - b.due);
    return {
      telling: [...this.#servers].flatMap(([name, { tells }]) => (tells ? [[name] as const] : [])),
      open: open.map(({ key, address, server, due }) => [
        key,
        ipOf(address),
        server.name,
        due - steady,
      ]),
    };
  }

  /** Takes over what was saved; what is of another sort is left out. */
  restore(saved: unknown, steady: EpochSeconds): void {
    const telling = savedList(saved, 'telling', ([server]) => textOf(server));
    for (const server of telling) this.#server(server).tells = true;
    for (const [key, ip, server, left] of savedList(saved, 'open', savedSessionOf)) {
      this.#add(key, ip, server, steady + Math.min(left, this.#limit));
    }
  }

  #add(key: string, ip: IpText, serverName: string, due: number): void {
    // The same pid or port again: its logout was never logged.
    this.#forget(key);
    const server = this.#server(serverName);
    const address = keyOf(ip);
    const session = { key, address, server, due, isOpen: true };
    this.#sessions.set(key, session);
    this.#order.push(session);
    // One old session must not keep all those in memory that were closed after it.
    if (this.#order.size > 2 * this.#sessions.size + SLACK) {
      this.#order.keep(({ isOpen }) => isOpen);
    }
    server.open.set(address, (server.open.get(address) ?? 0) + 1);
    if (this.#sessions.size > this.#capacity) this.#forgetOldest();
  }

  #forgetOldest(): void {
    const oldest = this.#oldest();
    if (oldest !== null) this.#forget(oldest.key);
  }

  /** The session that has been open for longest. */
  #oldest(): Session | null {
    for (;;) {
      const first = this.#order.first;
      if (first === undefined) return null;
      if (first.isOpen) return first;
      this.#order.drop();
    }
  }

  #forget(key: string): Session | null {
    const session = this.#sessions.get(key);
    if (session === undefined) return null;
    this.#sessions.delete(key);
    session.isOpen = false;
    const { address, server } = session;
    const rest = (server.open.get(address) ?? 0) - 1;
    if (rest > 0) server.open.set(address, rest);
    else server.open.delete(address);
    return session;
  }

  #server(name: string): Server {
    let server = this.#servers.get(name);
    if (server === undefined) {
      server = { name, tells: false, open: new Map() };
      this.#servers.set(name, server);
    }
    return server;
  }
}

/** @param settings with the age limit in seconds, or null when sessions are to keep nothing */
export function sessionsOf({
  sessionLimit,
}: {
  readonly sessionLimit: number | null;
}): SessionTable | null {
  return sessionLimit === null ? null : new SessionTable(sessionLimit);
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

function savedSessionOf([key, address, server, left]: readonly unknown[]): SavedSession | null {
  const ip = canonicalIp(textOf(address) ?? '');
  return typeof key === 'string' &&
    ip !== null &&
    typeof server === 'string' &&
    typeof left === 'number'
    ? [key, ip, server, left]
    : null;
}
