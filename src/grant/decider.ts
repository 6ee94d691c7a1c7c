/**
 * Decides what logins, logouts, orders and the time lead to: who has a grant, and what of the map that changes.
 *
 * Pure but for the state that it keeps in memory: grants, open sessions, orders, counted limits.  The time is passed in;
 * the map is not known, only what is to become of it (batch.ts).
 * Promises: nothing opens a grant but a login that networks, orders and policy have nothing against, and an order to
 * allow an address; grants that are due end before a login of the same address is looked at, if `expire` is called first.
 */

import type { IpText } from '../base/address.ts';
import type { EpochSeconds, Moment } from '../base/clock.ts';
import { subnetOf } from '../base/subnet.ts';
import type { Classifier } from '../classifier/classifier.ts';
import type { LoginEvent, LogoutEvent, ServerEvent } from '../recogniser/event.ts';
import type { Batch } from './batch.ts';
import type { Change } from './change.ts';
import type { IgnoreReason, Outcome } from './decision.ts';
import type { Grace } from './grace.ts';
import type { Grant, GrantTable } from './grant-table.ts';
import { type LimitReason, Limits } from './limits.ts';
import type { Orders } from './orders.ts';
import { type Policy, refusalOf } from './policy.ts';
import type { SessionTable } from './session-table.ts';

/** What decides, and a reload may exchange. */
export interface DecisionRules {
  readonly classifier: Classifier;
  readonly grace: Grace;
  readonly policy: Policy;
}

/** The host of the fleet that has told us; none for what happened here. */
export type Origin = { readonly from?: string };

/** What is to be done about a login. */
type Judgement =
  | Extract<Outcome, { kind: 'ignored' }>
  | { readonly kind: 'granted' | 'refreshed'; readonly change: Change | null };

export class Decider {
  readonly grants: GrantTable;
  readonly orders: Orders;
  /** Null when sessions keep nothing. */
  readonly sessions: SessionTable | null;
  readonly #limits = new Limits();
  #rules: DecisionRules;

  constructor(parts: {
    readonly rules: DecisionRules;
    readonly grants: GrantTable;
    readonly sessions: SessionTable | null;
    readonly orders: Orders;
  }) {
    this.#rules = parts.rules;
    this.grants = parts.grants;
    this.sessions = parts.sessions;
    this.orders = parts.orders;
  }

  /** Those in force; the grace periods have no other place. */
  get rules(): DecisionRules {
    return this.#rules;
  }

  /** Grants that are live have the new grace periods as well. */
  setRules(rules: DecisionRules): void {
    const { grace: before } = this.#rules;
    this.#rules = rules;
    if (String(rules.grace) !== String(before)) this.grants.graceChanged(ip => before.of(ip));
  }

  take(event: ServerEvent, now: Moment, batch: Batch): void {
    if (event.event === 'logout') this.#logout(event, now, batch);
    else if (this.admit(event, {}, now, batch)) this.sessions?.open(event, now.steady);
  }

  /** @returns whether the login has a grant now */
  admit(login: LoginEvent, origin: Origin, now: Moment, batch: Batch): boolean {
    const judgement = this.#judge(login, now, batch);
    if (judgement.kind === 'ignored') {
      batch.record({ kind: 'login', login, outcome: judgement, ...origin });
      return false;
    }
    const { kind, change } = judgement;
    batch.changeAndRecord(change, effect => ({
      kind: 'login',
      login,
      outcome: { kind, effect },
      ...origin,
    }));
    return true;
  }

  /** What networks, orders and policy have against a login; null for nothing. */
  refusal(login: LoginEvent, now: Moment): IgnoreReason | null {
    const { classifier, policy } = this.#rules;
    const verdict = classifier.classify(login.ip);
    if (verdict.kind === 'ignored') return verdict.reason;
    return this.orders.refuses(login, now) ? 'revoked' : refusalOf(login, policy);
  }

  /** Ends the grant of an address before its time; not of one that is allowed by hand: somebody has looked at that. */
  withdraw(
    ip: IpText,
    why: Origin & { readonly reason: LimitReason },
    now: Moment,
    batch: Batch,
  ): void {
    if (this.orders.loginOf(ip, now) !== null) return;
    const grant = this.grants.revoke(ip);
    if (grant === null) return;
    batch.remove(ip);
    batch.record({ kind: 'withdrawn', grant, ...why });
  }

  /** Ends what is due, unless an open session or an allowance keeps it. */
  expire(now: Moment, batch: Batch): void {
    this.sessions?.expire(now.steady);
    const { ended, kept } = this.grants.expire(
      now,
      ip => (this.sessions?.holds(ip) ?? false) && !this.#isExcluded(ip),
    );
    for (const grant of ended) if (!this.#keep(grant.ip, now, batch)) end(grant, batch);
    for (const grant of kept) if (!this.#dismiss(grant.ip, batch)) this.#prolong(grant, batch);
  }

  /** Ends the grants of addresses that may have none: rows of an earlier run, or after a reload. */
  dismiss(batch: Batch): void {
    for (const ip of this.grants.ips()) this.#dismiss(ip, batch);
  }

  /** Ends every grant, whatever keeps it. */
  endAll(batch: Batch): void {
    for (const { ip } of [...this.grants.all()]) {
      const grant = this.grants.revoke(ip);
      if (grant !== null) end(grant, batch);
    }
  }

  /** Ends the grants that addresses have, as an order wants it. */
  end(ips: readonly IpText[], batch: Batch): Grant[] {
    const grants = ips.map(ip => this.grants.revoke(ip)).filter(grant => grant !== null);
    for (const { ip } of grants) batch.remove(ip);
    return grants;
  }

  /** Tells what became of orders for want of room. */
  recordBounds(batch: Batch): void {
    for (const { what, order } of this.orders.news())
      batch.record({ kind: 'order bounded', what, order });
  }

  /** Ends grants of those who have most, if there are more than there may be. */
  evict(batch: Batch): void {
    const grants = this.grants.evict();
    if (grants.length === 0) return;
    for (const { ip } of grants) batch.remove(ip);
    batch.record({ kind: 'evicted', grants });
  }

  /**
   * Brings the grants in line with networks and orders: after a start, with a map that may not be.
   *
   * @param refused whose grants end
   */
  applyOrders(refused: readonly IpText[], now: Moment, batch: Batch): void {
    this.dismiss(batch);
    for (const ip of refused) {
      const grant = this.grants.revoke(ip);
      if (grant !== null) end(grant, batch);
    }
    for (const ip of this.orders.allowed(now)) this.#keep(ip, now, batch);
  }

  /** @returns the stamp of a grant that an allowance makes or keeps; null when there is none */
  renew(ip: IpText, now: Moment): EpochSeconds | null {
    const time = this.orders.loginOf(ip, now);
    if (time === null) return null;
    const result = this.grants.login(ip, time, now);
    return result.kind === 'late' ? null : result.stamp;
  }

  /** @returns whether the address may have no grant, which has ended then */
  #dismiss(ip: IpText, batch: Batch): boolean {
    const reason = this.#rules.classifier.bar(ip);
    const grant = reason === null ? null : this.grants.revoke(ip);
    if (reason === null || grant === null) return false;
    batch.remove(ip);
    batch.record({ kind: 'withdrawn', grant, reason });
    return true;
  }

  /** A reload may have excluded an address that has a grant: that one ends in its time, and no session prolongs it. */
  #isExcluded(ip: IpText): boolean {
    const verdict = this.#rules.classifier.classify(ip);
    return verdict.kind === 'ignored' && verdict.reason === 'excluded';
  }

  #logout(logout: LogoutEvent, now: Moment, batch: Batch): void {
    const ip = this.sessions?.close(logout) ?? null;
    const counts = logout.torn === undefined && ip !== null && !this.#isExcluded(ip);
    if (counts && logout.time !== null) {
      const grant = this.grants.logout(ip, logout.time, now);
      if (grant !== null) batch.change(grant);
    }
    batch.record({ kind: 'logout', logout, ip });
  }

  #judge(login: LoginEvent, now: Moment, batch: Batch): Judgement {
    const refusal = this.refusal(login, now);
    if (refusal !== null) return { kind: 'ignored', reason: refusal };
    // A line that does not say when it was written may be as old as the log.
    if (login.time === null) return { kind: 'ignored', reason: 'no time stamp' };
    const reason = this.#limit(login, now, batch);
    if (reason !== null) return { kind: 'ignored', reason };
    const result = this.grants.login(login.ip, login.time, now, login.user);
    if (result.kind === 'late') return { kind: 'ignored', reason: 'too old' };
    const change = { ip: login.ip, stamp: result.stamp };
    const moved = result.kind === 'granted' || result.moved;
    return { kind: result.kind, change: moved ? change : null };
  }

  /** Counts a login; why it is refused, or null. */
  #limit(login: LoginEvent, now: Moment, batch: Batch): IgnoreReason | null {
    const { grace, policy } = this.#rules;
    const exceeded = this.#limits.count(login, policy.limits, grace, now);
    if (exceeded.length === 0) return null;
    for (const { reason, most, action, isNews } of exceeded)
      if (isNews) batch.record({ kind: 'limit exceeded', login, reason, most, action });
    const refusing = exceeded.filter(({ action }) => action === 'refuse');
    for (const { addresses, networks, reason } of refusing)
      for (const ip of [...addresses, ...this.#within(networks, login.user)])
        this.withdraw(ip, { reason }, now, batch);
    return refusing[0]?.reason ?? null;
  }

  /** Where a user has grants in some /64s. */
  #within(networks: readonly string[], user: string | null): IpText[] {
    if (user === null || networks.length === 0) return [];
    return this.grants.ofUser(user).filter(ip => networks.includes(subnetOf(ip)));
  }

  /** @returns whether an allowance keeps the grant of an address, which then begins anew */
  #keep(ip: IpText, now: Moment, batch: Batch): boolean {
    if (this.orders.loginOf(ip, now) === null) return false;
    // A reload may have excluded it since.
    if (this.#rules.classifier.classify(ip).kind === 'ignored') return false;
    const stamp = this.renew(ip, now);
    if (stamp === null) return false;
    this.#prolong({ ip, stamp }, batch);
    return true;
  }

  #prolong(grant: Grant, batch: Batch): void {
    batch.change(grant);
    batch.record({ kind: 'kept', grant });
  }
}

function end(grant: Grant, batch: Batch): void {
  batch.remove(grant.ip);
  batch.record({ kind: 'purged', grant });
}
