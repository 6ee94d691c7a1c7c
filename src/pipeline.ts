/**
 * The way from log lines to map rows: recognise, classify, judge by the policy, grant, commit, report.
 *
 * Promises: what is handed over is dealt with in that order, one batch after the other; all changes of a batch
 * are one commit; a decision is reported after the commit, so that `written ok` is never said of a row that is not
 * in the map.  Grants that are due end before a login of the same address is looked at.  When the map
 * cannot be written, nothing is forgotten: the rows are written once it can.
 * Leaves to others: where lines come from (source/), when to purge (daemon/), how decisions look (cli/).
 */
import type { IpText } from './classifier/address.ts';
import type { Classifier, Verdict } from './classifier/classifier.ts';
import type { Clock, EpochSeconds, Moment } from './clock.ts';
import {
  type Allowance,
  type Order,
  Orders,
  type Revocation,
  type Subject,
} from './control/orders.ts';
import type { Decision, IgnoreReason, Outcome, Report } from './decision.ts';
import type { PresenceEntry, Received, WithdrawalEntry } from './fleet/entry.ts';
import type { Grant, GrantTable } from './grant/grant-table.ts';
import type { Change, Effect, LookupMap } from './map/map.ts';
import { MapWriter } from './map/map-writer.ts';
import type { Grace } from './policy/grace.ts';
import { type LimitReason, Limits } from './policy/limits.ts';
import { type Policy, refusalOf } from './policy/policy.ts';
import type { LoginEvent, LogoutEvent, ServerEvent } from './recogniser/event.ts';
import type { Recogniser } from './recogniser/recogniser.ts';
import type { SessionTable } from './session/session-table.ts';

/** What a reload may exchange. */
export interface Rules {
  readonly recogniser: Recogniser;
  readonly classifier: Classifier;
  readonly grace: Grace;
  readonly policy: Policy;
}

/** A decision with the number of its change in the batch, whose effect is known after the commit. */
interface Draft {
  readonly change: number | null;
  decide(effect: Effect | null): Decision;
}

/** What is to be done about a login. */
type Judgement =
  | Extract<Outcome, { kind: 'ignored' }>
  | { readonly kind: 'granted' | 'refreshed'; readonly change: Change | null };

/** What an order by hand to allow an address has led to; the map may refuse it, or be written later (null). */
export type Allowed =
  | Extract<Verdict, { kind: 'ignored' }>
  | Extract<Decision, { kind: 'allowed' }>;

/** What an order to refuse has led to: the rows that it was about, with what happened to each. */
export interface Revoked {
  readonly orders: readonly Revocation[];
  readonly rows: readonly { readonly ip: IpText; readonly effect: Effect | null }[];
}

/** The host of the fleet that has told us; none for what happened here. */
type Origin = { readonly from?: string };

/** What a batch has led to so far. */
interface Batch {
  readonly changes: Change[];
  readonly drafts: Draft[];
}

export class Pipeline {
  #rules: Rules;
  readonly #grants: GrantTable;
  /** Null when sessions keep nothing. */
  readonly #sessions: SessionTable | null;
  readonly #writer: MapWriter;
  readonly #limits = new Limits();
  readonly #clock: Clock;
  readonly #report: Report;
  readonly #orders: Orders;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: {
    readonly rules: Rules;
    readonly grants: GrantTable;
    readonly sessions: SessionTable | null;
    readonly map: LookupMap;
    readonly clock: Clock;
    readonly report: Report;
    /** None by hand when not given. */
    readonly orders?: Orders;
  }) {
    this.#rules = parts.rules;
    this.#grants = parts.grants;
    this.#sessions = parts.sessions;
    this.#writer = new MapWriter(parts.map, () => parts.grants.all(), parts.report);
    this.#clock = parts.clock;
    this.#report = parts.report;
    this.#orders = parts.orders ?? new Orders(parts.rules.grace);
  }

  /** Takes the lines of one read; resolves when their rows are in the map. */
  lines(lines: readonly string[]): Promise<void> {
    return this.#next(() => this.#takeEvents(this.#recognise(lines)));
  }

  /** Takes what has been recognised elsewhere. */
  events(events: readonly ServerEvent[]): Promise<void> {
    return this.#next(() => this.#takeEvents(events));
  }

  /**
   * Takes what other hosts of the fleet have decided, which the rules of this one judge once more.
   *
   * @param find the addresses that a user has opened, as far as they are known
   */
  received(entries: readonly Received[], find: (user: string) => readonly IpText[]): Promise<void> {
    return this.#next(async () => {
      await this.#rules.classifier.prepare(entries.flatMap(grantable));
      const batch: Batch = { changes: [], drafts: [] };
      const now = this.#clock.now();
      this.#expire(batch, now);
      for (const { from, entry } of entries) {
        if (entry.kind === 'order') this.#takeOrder(entry.order, from, find, now, batch);
        else if (entry.kind === 'withdrawn') this.#takeWithdrawal(entry, from, now, batch);
        else this.#takePresence(entry, from, now, batch);
      }
      this.#evict(batch);
      await this.#finish(batch, now);
    });
  }

  /** Ends what is due, and writes what could not be written before. */
  purge(): Promise<void> {
    return this.#next(async () => {
      const batch: Batch = { changes: [], drafts: [] };
      const now = this.#clock.now();
      this.#expire(batch, now);
      if (batch.drafts.length > 0 || this.#writer.isDue(now.steady)) await this.#finish(batch, now);
    });
  }

  /** Whether the map has all that was decided; a place in the log may only be noted then. */
  get settled(): boolean {
    return this.#writer.settled;
  }

  /** Exchanges the rules, between two batches; grants that are live have the new grace periods as well. */
  setRules(rules: Rules): Promise<void> {
    return this.#next(async () => {
      const { grace } = rules;
      if (String(grace) !== String(this.#rules.grace)) this.#grants.setGrace(ip => grace.of(ip));
      this.#orders.setGrace(grace);
      this.#rules = rules;
    });
  }

  /** Grants an address by hand, for so many seconds, unless a login of it would be ignored. */
  allow(ip: IpText, seconds: number): Promise<Allowed> {
    return this.#next(async () => {
      await this.#rules.classifier.prepare([ip]);
      const verdict = this.#rules.classifier.classify(ip);
      if (verdict.kind === 'ignored') return verdict;
      const now = this.#clock.now();
      const order = this.#orders.allow(ip, seconds, now);
      const stamp = this.#renew(ip, now);
      const changes = stamp === null ? [] : [{ ip, stamp }];
      const [effect = null] = await this.#writer.write(changes, now.steady);
      const allowed = { kind: 'allowed', order, effect } as const;
      this.#report(allowed);
      return allowed;
    });
  }

  /**
   * Refuses new grants to the subjects, for so many seconds, and ends those that there are.
   *
   * @param find their addresses, asked for when all that was handed over before has been dealt with
   */
  revoke(
    subjects: readonly Subject[],
    find: () => readonly IpText[],
    seconds: number,
  ): Promise<Revoked> {
    return this.#next(async () => {
      const now = this.#clock.now();
      const ips = find();
      const orders = subjects.map(subject => this.#orders.revoke(subject, seconds, now));
      const grants = ips.map(ip => this.#grants.revoke(ip)).filter(grant => grant !== null);
      // Also a row that belongs to no grant, should there be one.
      const effects = await this.#writer.write(
        ips.map(ip => ({ ip, stamp: null })),
        now.steady,
      );
      this.#report({ kind: 'revoked', orders, grants });
      return { orders, rows: ips.map((ip, index) => ({ ip, effect: effects[index] ?? null })) };
    });
  }

  /**
   * Brings the grants in line with the orders: after a start, with a map that may not be.
   *
   * @param refused whose grants end
   */
  obey(refused: readonly IpText[]): Promise<void> {
    return this.#next(async () => {
      const now = this.#clock.now();
      const allowed = this.#orders.allowed(now);
      await this.#rules.classifier.prepare(allowed);
      const batch: Batch = { changes: [], drafts: [] };
      for (const ip of refused) {
        const grant = this.#grants.revoke(ip);
        if (grant !== null) this.#end(grant, batch);
      }
      for (const ip of allowed) this.#keep(ip, now, batch);
      await this.#finish(batch, now);
    });
  }

  #next<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(step);
    this.#turn = done;
    return done;
  }

  #recognise(lines: readonly string[]): ServerEvent[] {
    const { recogniser } = this.#rules;
    const events: ServerEvent[] = [];
    for (const line of lines) {
      const event = recogniser.recognise(line);
      if (event !== null) events.push(event);
    }
    return events;
  }

  async #takeEvents(events: readonly ServerEvent[]): Promise<void> {
    if (events.length === 0) return;
    const logins = events.filter(event => event.event === 'login');
    await this.#rules.classifier.prepare(logins.map(({ ip }) => ip));
    const batch: Batch = { changes: [], drafts: [] };
    for (const event of events) this.#takeEvent(event, batch);
    this.#evict(batch);
    await this.#finish(batch, this.#clock.now());
  }

  #takeEvent(event: ServerEvent, batch: Batch): void {
    const now = this.#clock.now(event.time ?? undefined);
    this.#expire(batch, now);
    if (event.event === 'login') this.#takeLogin(event, now, batch);
    else this.#takeLogout(event, now, batch);
  }

  #takeLogin(login: LoginEvent, now: Moment, batch: Batch): void {
    if (this.#admit(login, {}, now, batch)) this.#sessions?.open(login, now.steady);
  }

  /** @returns whether the login has a grant now */
  #admit(login: LoginEvent, origin: Origin, now: Moment, batch: Batch): boolean {
    const { changes, drafts } = batch;
    const judgement = this.#judge(login, now, batch);
    if (judgement.kind === 'ignored') {
      const decision: Decision = { kind: 'login', login, outcome: judgement, ...origin };
      drafts.push({ change: null, decide: () => decision });
      return false;
    }
    const { kind, change } = judgement;
    if (change !== null) changes.push(change);
    drafts.push({
      change: change === null ? null : changes.length - 1,
      decide: effect => ({ kind: 'login', login, outcome: { kind, effect }, ...origin }),
    });
    return true;
  }

  /** A session prolongs the grant that there is; where there is none, it is worth a login. */
  #takePresence(entry: PresenceEntry, from: string, now: Moment, batch: Batch): void {
    const { kind, ...presence } = entry;
    const login: LoginEvent = { event: 'login', ...presence, session: null };
    const stamp = this.#grants.stampOf(login.ip);
    if (kind === 'login' || stamp === null) {
      this.#admit(login, { from }, now, batch);
      return;
    }
    // An encrypted login has earned that grant, where only such count.
    if (this.#refusal({ ...login, tls: true }, now) !== null) return;
    const grant = this.#grants.logout(login.ip, entry.time, now);
    if (grant === null) return;
    batch.changes.push(grant);
    batch.drafts.push({ change: null, decide: () => ({ kind: 'kept', grant, from }) });
  }

  #takeWithdrawal(
    { ip, time, reason }: WithdrawalEntry,
    from: string,
    now: Moment,
    batch: Batch,
  ): void {
    const stamp = this.#grants.stampOf(ip);
    if (stamp !== null && stamp <= time) this.#withdraw(ip, { reason, from }, now, batch);
  }

  #takeOrder(
    order: Order,
    from: string,
    find: (user: string) => readonly IpText[],
    now: Moment,
    batch: Batch,
  ): void {
    const isOver = order.until <= now.wall;
    if (order.kind === 'allow') {
      const { ip } = order.subject;
      if (isOver || this.#rules.classifier.classify(ip).kind === 'ignored') return;
      if (this.#orders.receive(order, now)) this.#allowReceived(order, from, now, batch);
      return;
    }
    // Also one that is over: what logged in before its end may arrive later.
    if (!this.#orders.receive(order, now)) return;
    const { subject } = order;
    const ips = subject.kind === 'address' ? [subject.ip] : find(subject.user);
    const grants = ips
      .filter(ip => (this.#grants.stampOf(ip) ?? order.until) < order.until)
      .map(ip => this.#grants.revoke(ip))
      .filter(grant => grant !== null);
    for (const { ip } of grants) batch.changes.push({ ip, stamp: null });
    if (isOver && grants.length === 0) return;
    const decision: Decision = { kind: 'revoked', orders: [order], grants, from };
    batch.drafts.push({ change: null, decide: () => decision });
  }

  #allowReceived(order: Allowance, from: string, now: Moment, { changes, drafts }: Batch): void {
    const { ip } = order.subject;
    const stamp = this.#renew(ip, now);
    if (stamp !== null) changes.push({ ip, stamp });
    drafts.push({
      change: stamp === null ? null : changes.length - 1,
      decide: effect => ({ kind: 'allowed', order, effect, from }),
    });
  }

  #takeLogout(logout: LogoutEvent, now: Moment, { changes, drafts }: Batch): void {
    const ip = this.#sessions?.close(logout) ?? null;
    if (ip !== null && logout.time !== null) {
      const grant = this.#grants.logout(ip, logout.time, now);
      if (grant !== null) changes.push(grant);
    }
    drafts.push({ change: null, decide: () => ({ kind: 'logout', logout, ip }) });
  }

  /** What networks, orders and policy have against a login; null for nothing. */
  #refusal(login: LoginEvent, now: Moment): IgnoreReason | null {
    const { classifier, policy } = this.#rules;
    const verdict = classifier.classify(login.ip);
    if (verdict.kind === 'ignored') return verdict.reason;
    return this.#orders.refuses(login, now) ? 'revoked' : refusalOf(login, policy);
  }

  #judge(login: LoginEvent, now: Moment, batch: Batch): Judgement {
    const refusal = this.#refusal(login, now);
    if (refusal !== null) return { kind: 'ignored', reason: refusal };
    // A line that does not say when it was written may be as old as the log.
    if (login.time === null) return { kind: 'ignored', reason: 'no time stamp' };
    const reason = this.#limit(login, now, batch);
    if (reason !== null) return { kind: 'ignored', reason };
    const result = this.#grants.login(login.ip, login.time, now);
    if (result.kind === 'late') return { kind: 'ignored', reason: 'too old' };
    const change = { ip: login.ip, stamp: result.stamp };
    const moved = result.kind === 'granted' || result.moved;
    return { kind: result.kind, change: moved ? change : null };
  }

  /** Counts a login; why it is refused, or null. */
  #limit(login: LoginEvent, now: Moment, batch: Batch): IgnoreReason | null {
    const { grace, policy } = this.#rules;
    const exceeded = this.#limits.count(login, policy.limits, grace, now);
    const { action } = policy.limits;
    for (const { reason, most, isNews } of exceeded) {
      if (!isNews) continue;
      const decision: Decision = { kind: 'limit exceeded', login, reason, most, action };
      batch.drafts.push({ change: null, decide: () => decision });
    }
    if (action === 'warn') return null;
    for (const { addresses, reason: why } of exceeded)
      for (const ip of addresses) this.#withdraw(ip, { reason: why }, now, batch);
    return exceeded[0]?.reason ?? null;
  }

  /** Not what is allowed by hand: somebody has looked at that. */
  #withdraw(
    ip: IpText,
    why: Origin & { readonly reason: LimitReason },
    now: Moment,
    { changes, drafts }: Batch,
  ): void {
    if (this.#orders.loginOf(ip, now) !== null) return;
    const grant = this.#grants.revoke(ip);
    if (grant === null) return;
    changes.push({ ip, stamp: null });
    drafts.push({ change: null, decide: () => ({ kind: 'withdrawn', grant, ...why }) });
  }

  #expire({ changes, drafts }: Batch, now: Moment): void {
    this.#sessions?.expire(now.steady);
    const { ended, kept } = this.#grants.expire(now, ip => this.#sessions?.holds(ip) ?? false);
    for (const grant of ended) {
      if (!this.#keep(grant.ip, now, { changes, drafts })) this.#end(grant, { changes, drafts });
    }
    for (const grant of kept) {
      changes.push(grant);
      drafts.push({ change: null, decide: () => ({ kind: 'kept', grant }) });
    }
  }

  #end(grant: Grant, { changes, drafts }: Batch): void {
    changes.push({ ip: grant.ip, stamp: null });
    drafts.push({ change: null, decide: () => ({ kind: 'purged', grant }) });
  }

  /** @returns whether an allowance keeps the grant of an address, which then begins anew */
  #keep(ip: IpText, now: Moment, { changes, drafts }: Batch): boolean {
    if (this.#orders.loginOf(ip, now) === null) return false;
    // A reload may have excluded it since.
    if (this.#rules.classifier.classify(ip).kind === 'ignored') return false;
    const stamp = this.#renew(ip, now);
    if (stamp === null) return false;
    const grant = { ip, stamp };
    changes.push(grant);
    drafts.push({ change: null, decide: () => ({ kind: 'kept', grant }) });
    return true;
  }

  /** @returns the stamp of a grant that an allowance makes or keeps; null when there is none */
  #renew(ip: IpText, now: Moment): EpochSeconds | null {
    const time = this.#orders.loginOf(ip, now);
    if (time === null) return null;
    const result = this.#grants.login(ip, time, now);
    return result.kind === 'late' ? null : result.stamp;
  }

  #evict({ changes, drafts }: Batch): void {
    const grants = this.#grants.evict();
    if (grants.length === 0) return;
    for (const { ip } of grants) changes.push({ ip, stamp: null });
    drafts.push({ change: null, decide: () => ({ kind: 'evicted', grants }) });
  }

  async #finish({ changes, drafts }: Batch, now: Moment): Promise<void> {
    const effects = await this.#writer.write(changes, now.steady);
    for (const { change, decide } of drafts) {
      this.#report(decide(change === null ? null : (effects[change] ?? null)));
    }
  }
}

/** The address of an entry that may lead to a grant, as a list. */
function grantable({ entry }: Received): readonly IpText[] {
  if (entry.kind === 'withdrawn') return [];
  if (entry.kind !== 'order') return [entry.ip];
  return entry.order.kind === 'allow' ? [entry.order.subject.ip] : [];
}
