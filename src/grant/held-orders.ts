/**
 * The orders that are held, one about each subject.
 *
 * Promises: an order takes the place of the one about the same subject, of whatever kind that is; a user is the same one in upper
 * and lower case.  Pure, with the time passed in.
 * Leaves to others: which orders may come in, and which go for want of room (orders.ts).
 */
import type { IpText } from '../base/address.ts';
import type { EpochSeconds } from '../base/clock.ts';
import {
  type Allowance,
  folded,
  type Given,
  keyOf,
  type Lift,
  type Revocation,
  type Subject,
} from './order.ts';

export interface Held<G extends Given = Given> {
  readonly order: G;
  /** When it ends, on the steady clock. */
  readonly end: number;
  /** Whether another host was given it. */
  readonly isReceived: boolean;
}

export class HeldOrders {
  readonly #allowed = new Map<IpText, Held<Allowance>>();
  readonly #refusedIps = new Map<IpText, Held<Revocation>>();
  readonly #refusedUsers = new Map<string, Held<Revocation>>();
  /** By `keyOf` of the subject. */
  readonly #lifted = new Map<string, Held<Lift>>();

  put({ order, end, isReceived }: Held): void {
    this.forget(order.subject);
    switch (order.kind) {
      case 'allow':
        this.#allowed.set(order.subject.ip, { order, end, isReceived });
        return;
      case 'lift':
        this.#lifted.set(keyOf(order.subject), { order, end, isReceived });
        return;
      case 'revoke': {
        const { subject } = order;
        const held = { order, end, isReceived };
        if (subject.kind === 'user') this.#refusedUsers.set(folded(subject.user), held);
        else this.#refusedIps.set(subject.ip, held);
      }
    }
  }

  forget(subject: Subject): void {
    this.#lifted.delete(keyOf(subject));
    if (subject.kind === 'user') {
      this.#refusedUsers.delete(folded(subject.user));
      return;
    }
    this.#allowed.delete(subject.ip);
    this.#refusedIps.delete(subject.ip);
  }

  about(subject: Subject): Held | undefined {
    const lifted = this.#lifted.get(keyOf(subject));
    if (subject.kind === 'user') return this.#refusedUsers.get(folded(subject.user)) ?? lifted;
    return this.#allowed.get(subject.ip) ?? this.#refusedIps.get(subject.ip) ?? lifted;
  }

  allowance(ip: IpText): Held<Allowance> | undefined {
    return this.#allowed.get(ip);
  }

  /** Those that refuse a login of this user from this address. */
  revocations(ip: IpText, user: string | null): readonly Held<Revocation>[] {
    if (this.#refusedIps.size === 0 && this.#refusedUsers.size === 0) return [];
    const held = [
      this.#refusedIps.get(ip),
      user === null ? undefined : this.#refusedUsers.get(folded(user)),
    ];
    return held.filter(one => one !== undefined);
  }

  /** The addresses that are allowed. */
  allowed(): IpText[] {
    return [...this.#allowed.keys()];
  }

  forgetAllowances(): void {
    this.#allowed.clear();
  }

  all(): Held[] {
    return this.#tables.flatMap(table => [...table.values()]);
  }

  /** @param lastEffect when an order has its last effect; those of which that has passed are forgotten */
  sweep(steady: EpochSeconds, lastEffect: (held: Held) => number): void {
    for (const table of this.#tables)
      for (const [key, held] of table) if (lastEffect(held) <= steady) table.delete(key);
  }

  get #tables(): readonly Map<string, Held>[] {
    return [this.#allowed, this.#refusedIps, this.#refusedUsers, this.#lifted];
  }
}
