/**
 * The sums of a summary that are by address: what each login row, each relaying address and each refused one comes to.
 *
 * Pure; all by the numbers of a pool of texts (text-pool.ts), so that millions of entries cost no object each.  Names are made of them at the end.
 */
import type { IpText } from '../base/address.ts';
import type { BlockReader } from './block-reader.ts';
import type { LoginRow, OpenRow, RefusedRow, RelayedRow, SharedRow } from './summary-rows.ts';
import type { TextPool } from './text-pool.ts';
import { Tuples } from './tuples.ts';

/** Of the longest grants. */
const MOST_LONGEST = 20;
const TLS = [null, false, true] as const;
/** Instead of a time. */
const CLOSED = -1;
/** Of what a login says of encryption. */
const TLS_STATES = TLS.length;

export class Usage {
  readonly #pool: TextPool;
  /** By address, user, and server with encryption. */
  readonly #logins = new Tuples();
  readonly #loginCounts: number[] = [];
  readonly #loginLast: number[] = [];
  /** By address and user. */
  readonly #relaying = new Tuples();
  readonly #relayed: RelayedSum[] = [];
  /** By address: the user of a grant that is open, and since when, or `CLOSED`. */
  readonly #openUsers: number[] = [];
  readonly #openFrom: number[] = [];
  readonly #spans: OpenRow[] = [];
  readonly #refused = new Map<number, { refused: number; last: number }>();

  constructor(pool: TextPool) {
    this.#pool = pool;
  }

  login({ ip, user, server, tls, time }: BlockReader): void {
    const row = this.#logins.row(ip, user, server * TLS_STATES + tls);
    this.#loginCounts[row] = (this.#loginCounts[row] ?? 0) + 1;
    this.#loginLast[row] = Math.max(this.#loginLast[row] ?? 0, time);
    // No holes, and nothing but numbers: V8 keeps each number of another array apart.
    while (this.#openFrom.length <= ip) {
      this.#openFrom.push(CLOSED);
      this.#openUsers.push(0);
    }
    if (this.#openFrom[ip] !== CLOSED) return;
    this.#openUsers[ip] = user;
    this.#openFrom[ip] = time;
  }

  end({ ip, user, time }: BlockReader): void {
    const from = this.#openFrom[ip] ?? CLOSED;
    if (from === CLOSED) return;
    this.#openFrom[ip] = CLOSED;
    this.#span(ip, user === 0 ? (this.#openUsers[ip] ?? 0) : user, from, time);
  }

  relay({ ip, user, server, messages, recipients, bytes, time }: BlockReader): void {
    const row = this.#relaying.row(ip, user, 0);
    const sum = this.#relayed[row] ?? {
      ...{ server, messages: 0, recipients: 0, bytes: 0, first: time, last: time },
    };
    this.#relayed[row] = sum;
    sum.server = server;
    sum.messages += messages;
    sum.recipients += recipients;
    sum.bytes += bytes;
    sum.first = Math.min(sum.first, time);
    sum.last = Math.max(sum.last, time);
  }

  refuse({ ip, time }: BlockReader): void {
    const known = this.#refused.get(ip);
    if (known === undefined) this.#refused.set(ip, { refused: 1, last: time });
    else {
      known.refused++;
      known.last = Math.max(known.last, time);
    }
  }

  /** The most logins first, as of the others. */
  logins(): LoginRow[] {
    return this.#loginRows().sort((a, b) => b.logins - a.logins);
  }

  relayed(): RelayedRow[] {
    const rows = this.#relayed.map(({ server, ...sum }, row) => {
      const [ip, user] = this.#relaying.of(row);
      return { ip: this.#ip(ip), user: this.#name(user), server: this.#name(server), ...sum };
    });
    return rows.sort((a, b) => b.messages - a.messages);
  }

  shared(): SharedRow[] {
    const shared = [...this.#users()].filter(([, users]) => users.size > 1);
    return shared
      .map(([ip, users]) => ({ ip, users: [...users].sort() }))
      .sort((a, b) => b.users.length - a.users.length);
  }

  /** @param until when grants that are open were looked at */
  longest(until: number): OpenRow[] {
    for (const [ip, from] of this.#openFrom.entries())
      if (from !== CLOSED) this.#span(ip, this.#openUsers[ip] ?? 0, from, until);
    this.#sortSpans();
    return this.#spans.slice(0, MOST_LONGEST);
  }

  /** Of addresses that have logged in. */
  refused(): RefusedRow[] {
    const users = this.#users();
    const rows = [...this.#refused].flatMap(([id, { refused, last }]) => {
      const ip = this.#ip(id);
      const known = users.get(ip);
      return known === undefined ? [] : [{ ip, user: [...known].at(-1) ?? null, refused, last }];
    });
    return rows.sort((a, b) => b.refused - a.refused);
  }

  /** In the order in which they came first. */
  #loginRows(): LoginRow[] {
    return this.#loginCounts.map((logins, row) => {
      const [ip, user, third] = this.#logins.of(row);
      const server = this.#name(Math.floor(third / TLS_STATES));
      const tls = TLS[third % TLS_STATES] ?? null;
      const last = this.#loginLast[row] ?? 0;
      return { user: this.#name(user), ip: this.#ip(ip), server, tls, logins, last };
    });
  }

  /** Those that logged in from each address, the latest that came first at the end. */
  #users(): Map<IpText, Set<string>> {
    const users = new Map<IpText, Set<string>>();
    for (let row = 0; row < this.#logins.size; row++) {
      const [ip, user] = this.#logins.of(row);
      const name = this.#name(user);
      if (name === null) continue;
      const address = this.#ip(ip);
      const known = users.get(address);
      if (known === undefined) users.set(address, new Set([name]));
      else known.add(name);
    }
    return users;
  }

  #span(ip: number, user: number, from: number, to: number): void {
    const shortest = this.#spans[MOST_LONGEST - 1];
    const isSorted = this.#spans.length === MOST_LONGEST;
    if (isSorted && shortest !== undefined && to - from <= shortest.to - shortest.from) return;
    this.#spans.push({ ip: this.#ip(ip), user: this.#name(user), from, to });
    // Not all of a long time are kept to be put in order.
    if (this.#spans.length < 100 * MOST_LONGEST) return;
    this.#sortSpans();
    this.#spans.length = MOST_LONGEST;
  }

  #sortSpans(): void {
    this.#spans.sort((a, b) => b.to - b.from - (a.to - a.from));
  }

  #ip(id: number): IpText {
    // What was written there was one.
    return this.#pool.text(id) as IpText;
  }

  #name(id: number): string | null {
    return id === 0 ? null : this.#pool.text(id);
  }
}

interface RelayedSum {
  /** Of the latest. */
  server: number;
  messages: number;
  recipients: number;
  bytes: number;
  first: number;
  last: number;
}
