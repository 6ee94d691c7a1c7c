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
import type { IpText } from '../classifier/address.ts';
import type { EpochSeconds } from '../clock.ts';
import type { LoginEvent, LogoutEvent } from '../recogniser/event.ts';

/** Sessions; some 30 MB. */
export const MAX_SESSIONS = 100_000;

interface Session {
  readonly ip: IpText;
  readonly server: string;
  /** When it is forgotten, on the steady clock. */
  readonly due: number;
}

export class SessionTable {
  /** In the order of opening, which is also that of their ends. */
  readonly #sessions = new Map<string, Session>();
  /** Open sessions by address and server. */
  readonly #open = new Map<IpText, Map<string, number>>();
  /** Servers whose logouts tell their session. */
  readonly #telling = new Set<string>();
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
    const servers = this.#open.get(ip);
    if (servers === undefined) return false;
    for (const server of servers.keys()) if (this.#telling.has(server)) return true;
    return false;
  }

  open({ session, server, ip }: LoginEvent, steady: EpochSeconds): void {
    if (session === null) return;
    // The same pid or port again: its logout was never logged.
    this.#forget(session);
    this.#sessions.set(session, { ip, server, due: steady + this.#limit });
    const servers = this.#open.get(ip) ?? new Map<string, number>();
    this.#open.set(ip, servers.set(server, (servers.get(server) ?? 0) + 1));
    if (this.#sessions.size > this.#capacity) this.#forgetOldest();
  }

  /** The address whose session ends with this logout; null when it is not known to be open. */
  close({ session, server }: LogoutEvent): IpText | null {
    if (session === null) return null;
    this.#telling.add(server);
    return this.#forget(session);
  }

  /** Forgets the sessions that have reached the age limit. */
  expire(steady: EpochSeconds): void {
    for (const [session, { due }] of this.#sessions) {
      if (due > steady) return;
      this.#forget(session);
    }
  }

  #forgetOldest(): void {
    const [oldest] = this.#sessions.keys();
    if (oldest !== undefined) this.#forget(oldest);
  }

  #forget(key: string): IpText | null {
    const session = this.#sessions.get(key);
    if (session === undefined) return null;
    this.#sessions.delete(key);
    const { ip, server } = session;
    const servers = this.#open.get(ip);
    const rest = (servers?.get(server) ?? 0) - 1;
    if (rest > 0) servers?.set(server, rest);
    else servers?.delete(server);
    if (servers?.size === 0) this.#open.delete(ip);
    return ip;
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
