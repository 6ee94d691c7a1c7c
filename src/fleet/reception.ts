/**
 * Takes what other hosts of the fleet have decided, which the rules of this one judge once more.
 *
 * Promises: the latest login of an address wins, however entries are repeated or reordered; nothing that is received
 * opens more than a login here would, nor anew what was closed here before its time; a revocation and a withdrawal hold also for what
 * arrives after them and is older.
 */

import type { IpText } from '../base/address.ts';
import type { Moment } from '../base/clock.ts';
import type { Classifier } from '../classifier/classifier.ts';
import type { Batch } from '../grant/batch.ts';
import type { Decider } from '../grant/decider.ts';
import type { Allowance, Given, Lift, Revocation } from '../grant/order.ts';
import type { LoginEvent } from '../recogniser/event.ts';
import type { PresenceEntry, Received, WithdrawalEntry } from './entry.ts';

export class Reception {
  readonly #decider: Decider;
  readonly #classifier: () => Classifier;

  constructor(decider: Decider, classifier: () => Classifier) {
    this.#decider = decider;
    this.#classifier = classifier;
  }

  /** @param find the addresses that a user has opened, as far as they are known */
  take(
    { from, entry }: Received,
    find: (user: string) => readonly IpText[],
    now: Moment,
    batch: Batch,
  ): void {
    if (entry.kind === 'order') this.#order(entry.order, { from, find }, now, batch);
    else if (entry.kind === 'withdrawn') this.#withdrawal(entry, from, now, batch);
    else this.#presence(entry, from, now, batch);
  }

  /** A session prolongs the grant that there is; where there is none, it is worth a login. */
  #presence(entry: PresenceEntry, from: string, now: Moment, batch: Batch): void {
    const { grants } = this.#decider;
    const { kind, ip, time, server, user, tls } = entry;
    if (grants.stampOf(entry.ip) === null && grants.hasEnded(entry.ip, entry.time)) return;
    const login: LoginEvent = { event: 'login', ip, time, server, user, tls, session: null };
    if (kind === 'login' || grants.stampOf(login.ip) === null) {
      this.#decider.admit(login, { from }, now, batch);
      return;
    }
    // An encrypted login has earned that grant, where only such count.
    if (this.#decider.refusal({ ...login, tls: true }, now) !== null) return;
    const grant = grants.logout(login.ip, entry.time, now);
    if (grant === null) return;
    batch.change(grant);
    batch.record({ kind: 'kept', grant, from });
  }

  #withdrawal(
    { ip, time, reason }: WithdrawalEntry,
    from: string,
    now: Moment,
    batch: Batch,
  ): void {
    const { grants } = this.#decider;
    const stamp = grants.stampOf(ip);
    if (stamp !== null && stamp > time) return;
    if (stamp !== null) this.#decider.withdraw(ip, { reason, from }, now, batch);
    grants.noteEnd(ip, time);
  }

  #order(
    order: Given,
    { from, find }: { readonly from: string; find(user: string): readonly IpText[] },
    now: Moment,
    batch: Batch,
  ): void {
    switch (order.kind) {
      case 'allow':
        this.#allow(order, from, now, batch);
        return;
      case 'lift':
        this.#lift(order, from, now, batch);
        return;
      case 'revoke': {
        const taken = this.#decider.orders.receive(order, now);
        if (taken === null) return;
        const { subject } = taken;
        const ips = subject.kind === 'address' ? [subject.ip] : find(subject.user);
        this.#revoke({ order: taken, from, ips }, now, batch);
      }
    }
  }

  #lift(lift: Lift, from: string, now: Moment, batch: Batch): void {
    const { orders } = this.#decider;
    const before = orders.inForce(lift.subject, now);
    if (orders.receive(lift, now) === null || before === null) return;
    const grants = before.kind === 'allow' ? this.#decider.end([before.subject.ip], batch) : [];
    batch.record({ kind: 'lifted', orders: [lift], ended: [before], grants, from });
  }

  #allow(order: Allowance, from: string, now: Moment, batch: Batch): void {
    const { ip } = order.subject;
    if (order.until <= now.wall || this.#classifier().classify(ip).kind === 'ignored') return;
    const taken = this.#decider.orders.receive(order, now);
    if (taken === null) return;
    const stamp = this.#decider.renew(ip, now);
    batch.changeAndRecord(stamp === null ? null : { ip, stamp }, effect => ({
      kind: 'allowed',
      order: taken,
      effect,
      from,
    }));
  }

  /** Also what is over by now: what logged in before its end may arrive later. */
  #revoke(
    {
      order,
      from,
      ips,
    }: {
      readonly order: Revocation;
      readonly from: string;
      readonly ips: readonly IpText[];
    },
    now: Moment,
    batch: Batch,
  ): void {
    const { grants } = this.#decider;
    const ended = ips
      .filter(ip => (grants.stampOf(ip) ?? order.until) < order.until)
      .map(ip => grants.revoke(ip))
      .filter(grant => grant !== null);
    for (const { ip } of ended) batch.remove(ip);
    if (order.until <= now.wall && ended.length === 0) return;
    batch.record({ kind: 'revoked', orders: [order], grants: ended, from });
  }
}

/** The address of an entry that may lead to a grant, as a list. */
export function grantable({ entry }: Received): readonly IpText[] {
  if (entry.kind === 'withdrawn') return [];
  if (entry.kind !== 'order') return [entry.ip];
  return entry.order.kind === 'allow' ? [entry.order.subject.ip] : [];
}
