/**
 * Which sessions are open, so that a mail client that stays connected (IMAP IDLE) keeps its grant.
 *
 * Promises: a session that was not opened here closes nothing, and opens no more when its login comes after its logout; one whose logout never comes is forgotten after
 * the age limit, or what is plausible for its protocol if that is less, the time between two runs included; the number of sessions is bounded, oldest out
 * first; every step is O(1) amortised.
 * A service (event.ts) keeps nothing open until it has been seen to log a logout that tells its session: some versions
 * print a session in the login and none in the logout (Dovecot up to 2.2), or do so for one protocol only, and each of
 * their logins would be a grant for the whole age limit.  A logout that may be a stranger's text is no such proof.
 * Leaves to others: what a session is worth (grant/), and which lines belong to one (recogniser/).
 */

import { canonicalIp, type IpText } from '../base/address.ts';
import { type AddressKey, ipOf, keyOf } from '../base/address-key.ts';
import type { EpochSeconds, Moment } from '../base/clock.ts';
import { savedList } from '../base/saved.ts';
import type { LoginEvent, LogoutEvent } from '../recogniser/event.ts';
import type { Protocol } from '../recogniser/protocol.ts';
import { EndedSessions, type SavedEnd } from './ended-sessions.ts';
import { Fifo } from './fifo.ts';

/** Sessions; some 30 MB. */
export const MAX_SESSIONS = 100_000;

/** Closed sessions that are waited for before they are swept out. */
const SLACK = 1024;

/**
 * Seconds for which a session of a protocol may keep its grant, whatever the limit.  A POP3 client fetches and leaves, and
 * Courier (5.0 to 6.0) logs no end of a session that the client resets while it fetches.  IMAP clients stay connected.
 */
const LONGEST: Readonly<Record<Protocol | 'unknown', number>> = {
  imap: Number.POSITIVE_INFINITY,
  pop3: 2 * 3600,
  unknown: 2 * 3600,
};

type Kind = keyof typeof LONGEST;
const KINDS = ['imap', 'pop3', 'unknown'] as const;

interface Session {
  readonly key: string;
  readonly address: AddressKey;
  readonly service: Service;
  readonly kind: Kind;
  /** When it is forgotten, on the steady clock. */
  readonly due: number;
  isOpen: boolean;
}

/** What a session is made of. */
interface Opened {
  readonly key: string;
  readonly ip: IpText;
  readonly service: string;
  readonly kind: Kind;
}

interface Service {
  readonly name: string;
  /** Whether a logout has been seen that tells its session. */
  tells: boolean;
  /** How many sessions each address has. */
  readonly open: Map<AddressKey, number>;
}

/** Services whose logouts tell their session, and the sessions with the seconds that they have left. */
export interface SavedSessions {
  /** When that was, in wall time. */
  readonly at: EpochSeconds;
  readonly telling: readonly (readonly [service: string])[];
  readonly open: readonly SavedSession[];
  readonly ended: readonly SavedEnd[];
}

type SavedSession = readonly [key: string, ip: IpText, service: string, left: number, kind: Kind];

export class SessionTable {
  readonly #sessions = new Map<string, Session>();
  /**
   * By kind, in the order of opening, which is also that of their ends; those that were closed are still among them.
   */
  readonly #orders: Readonly<Record<Kind, Fifo<Session>>> = {
    imap: new Fifo(),
    pop3: new Fifo(),
    unknown: new Fifo(),
  };
  readonly #services = new Map<string, Service>();
  readonly #ended = new EndedSessions();
  readonly #limit: number;
  readonly #capacity: number;

  /** @param limit seconds after which a session is forgotten, whatever its protocol */
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
    for (const { tells, open } of this.#services.values())
      if (tells && open.has(address)) return true;
    return false;
  }

  /** How many open sessions keep the grant of this address. */
  openOf(ip: IpText): number {
    const address = keyOf(ip);
    let count = 0;
    for (const { tells, open } of this.#services.values())
      if (tells) count += open.get(address) ?? 0;
    return count;
  }

  open({ session, ip, time }: LoginEvent, steady: EpochSeconds): void {
    if (session === null || this.#ended.take(session.key, time)) return;
    const { key, service, protocol } = session;
    const kind = protocol ?? 'unknown';
    this.#add({ key, ip, service, kind }, steady + this.#limitOf(kind));
  }

  /** The address whose session ends with this logout; null when it is not known to be open. */
  close({ session, time, torn }: LogoutEvent): IpText | null {
    if (session === null) return null;
    if (torn === undefined) this.#service(session.service).tells = true;
    const ended = this.#forget(session.key);
    if (ended === null) this.#ended.add(session.key, time);
    return ended && ipOf(ended.address);
  }

  /** Forgets the sessions that have reached their limit. */
  expire(steady: EpochSeconds): void {
    for (const kind of KINDS) {
      for (let oldest = this.#oldest(kind); oldest !== null; oldest = this.#oldest(kind)) {
        if (oldest.due > steady) break;
        this.#forget(oldest.key);
      }
    }
  }

  /** What is open now, first due first, for a checkpoint: plain JSON. */
  save({ wall, steady }: Moment): SavedSessions {
    const open = [...this.#sessions.values()].sort((a, b) => a.due - b.due);
    return {
      at: wall,
      telling: [...this.#services].flatMap(([name, { tells }]) => (tells ? [[name] as const] : [])),
      open: open.map(({ key, address, service, kind, due }) => [
        key,
        ipOf(address),
        service.name,
        due - steady,
        kind,
      ]),
      ended: this.#ended.save(wall),
    };
  }

  /** Takes over what was saved; what is of another sort, or at its limit by now, is left out. */
  restore(saved: unknown, { wall, steady }: Moment): void {
    const passed = Math.max(0, wall - (timeOf(saved) ?? Number.NEGATIVE_INFINITY));
    const telling = savedList(saved, 'telling', ([service]) => textOf(service));
    this.#ended.restore(saved);
    for (const service of telling) this.#service(service).tells = true;
    for (const [key, ip, service, left, kind] of savedList(saved, 'open', savedSessionOf)) {
      const due = Math.min(left, this.#limitOf(kind)) - passed;
      if (due > 0) this.#add({ key, ip, service, kind }, steady + due);
    }
  }

  #limitOf(kind: Kind): number {
    return Math.min(this.#limit, LONGEST[kind]);
  }

  #add({ key, ip, service: name, kind }: Opened, due: number): void {
    // The same pid or port again: its logout was never logged.
    this.#forget(key);
    const service = this.#service(name);
    const address = keyOf(ip);
    const session = { key, address, service, kind, due, isOpen: true };
    this.#sessions.set(key, session);
    const order = this.#orders[kind];
    order.push(session);
    // One old session must not keep all those in memory that were closed after it.
    if (order.size > 2 * this.#sessions.size + SLACK) order.keep(({ isOpen }) => isOpen);
    service.open.set(address, (service.open.get(address) ?? 0) + 1);
    if (this.#sessions.size > this.#capacity) this.#forgetOldest();
  }

  #forgetOldest(): void {
    const oldest = KINDS.flatMap(kind => this.#oldest(kind) ?? []).reduce<Session | null>(
      (first, session) =>
        first === null || this.#beginOf(session) < this.#beginOf(first) ? session : first,
      null,
    );
    if (oldest !== null) this.#forget(oldest.key);
  }

  #beginOf({ kind, due }: Session): number {
    return due - this.#limitOf(kind);
  }

  /** The session of a kind that has been open for longest. */
  #oldest(kind: Kind): Session | null {
    const order = this.#orders[kind];
    for (;;) {
      const { first } = order;
      if (first === undefined) return null;
      if (first.isOpen) return first;
      order.drop();
    }
  }

  #forget(key: string): Session | null {
    const session = this.#sessions.get(key);
    if (session === undefined) return null;
    this.#sessions.delete(key);
    session.isOpen = false;
    const { address, service } = session;
    const rest = (service.open.get(address) ?? 0) - 1;
    if (rest > 0) service.open.set(address, rest);
    else service.open.delete(address);
    return session;
  }

  #service(name: string): Service {
    let service = this.#services.get(name);
    if (service === undefined) {
      service = { name, tells: false, open: new Map() };
      this.#services.set(name, service);
    }
    return service;
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

/** When sessions were saved; null in what 1.0.0 has saved. */
const timeOf = (saved: unknown): number | null =>
  typeof saved === 'object' && saved !== null && 'at' in saved && typeof saved.at === 'number'
    ? saved.at
    : null;

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

const kindOf = (value: unknown): Kind | null => KINDS.find(kind => kind === value) ?? null;

function savedSessionOf([
  key,
  address,
  service,
  left,
  protocol,
]: readonly unknown[]): SavedSession | null {
  const ip = canonicalIp(textOf(address) ?? '');
  const kind = kindOf(protocol);
  return typeof key === 'string' &&
    ip !== null &&
    typeof service === 'string' &&
    typeof left === 'number' &&
    kind !== null
    ? [key, ip, service, left, kind]
    : null;
}
