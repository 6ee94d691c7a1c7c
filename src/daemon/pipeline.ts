/**
 * The way from events to map rows: decide, commit, report.
 *
 * Promises: what is handed over is dealt with in that order, one batch after the other; all changes of a batch
 * are one commit; a decision is reported after the commit, so that `written ok` is never said of a row that is not
 * in the map.  Grants that are due end before a login of the same address is looked at.  When the map
 * cannot be written, nothing is forgotten: the rows are written once it can.
 * Leaves to others: what a line says (recogniser/), what is decided (decider.ts), when to purge (daemon.ts), how
 * decisions look (report/).
 */

import type { IpText } from '../base/address.ts';
import { type Clock, epoch, type Moment } from '../base/clock.ts';
import type { Failure } from '../base/errors.ts';
import type { Bar, Verdict } from '../classifier/classifier.ts';
import type { Received } from '../fleet/entry.ts';
import { grantable, Reception } from '../fleet/reception.ts';
import { Batch } from '../grant/batch.ts';
import type { Effect } from '../grant/change.ts';
import type { Decider, DecisionRules } from '../grant/decider.ts';
import type { Decision, Report } from '../grant/decision.ts';
import type { Grant } from '../grant/grant-table.ts';
import type { Order, Revocation, Subject } from '../grant/order.ts';
import type { LookupMap } from '../map/map.ts';
import { type CommitWatch, MapWriter } from '../map/map-writer.ts';
import type { ServerEvent } from '../recogniser/event.ts';

/** What an order by hand to allow an address has led to; the map may refuse it, or be written later (null). */
export type Allowed =
  | Extract<Verdict, { kind: 'ignored' }>
  | Extract<Decision, { kind: 'allowed' }>;

/** What an order to refuse has led to: the rows that it was about, with what happened to each. */
export interface Revoked {
  readonly orders: readonly Revocation[];
  readonly rows: readonly { readonly ip: IpText; readonly effect: Effect | null }[];
}

/** What was taken back, and the rows that it was about. */
export interface Lifted {
  readonly orders: readonly Order[];
  readonly rows: Revoked['rows'];
}

export class Pipeline {
  readonly #decider: Decider;
  readonly #reception: Reception;
  readonly #writer: MapWriter;
  readonly #map: LookupMap;
  readonly #clock: Clock;
  readonly #report: Report;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: {
    readonly decider: Decider;
    readonly map: LookupMap;
    readonly commits?: CommitWatch | undefined;
    readonly clock: Clock;
    readonly report: Report;
  }) {
    const { decider } = parts;
    this.#decider = decider;
    this.#reception = new Reception(decider, () => decider.rules.classifier);
    this.#writer = new MapWriter({
      map: parts.map,
      grants: () => decider.grants.all(),
      report: parts.report,
      shortestGrace: () => decider.rules.grace.shortest,
      commits: parts.commits,
    });
    this.#map = parts.map;
    this.#clock = parts.clock;
    this.#report = parts.report;
    this.#tellGrace();
  }

  /** Takes what was recognised in the lines of one read; resolves when their rows are in the map. */
  events(events: readonly ServerEvent[]): Promise<void> {
    return this.#next(async () => {
      await this.#takeEvents(events);
    });
  }

  /**
   * Takes one event that is in no log.
   *
   * @returns what was decided about it, once its row is in the map
   */
  event(event: ServerEvent): Promise<Decision | null> {
    return this.#next(async () => {
      const decisions = await this.#takeEvents([event]);
      return decisions.find(decision => isAbout(decision, event)) ?? null;
    });
  }

  /**
   * Takes what other hosts of the fleet have decided.
   *
   * @param find the addresses that a user has opened, as far as they are known
   */
  received(entries: readonly Received[], find: (user: string) => readonly IpText[]): Promise<void> {
    return this.#next(async () => {
      await this.#decider.rules.classifier.prepare(entries.flatMap(grantable));
      const batch = new Batch();
      const now = this.#clock.now();
      this.#decider.expire(now, batch);
      for (const entry of entries) this.#reception.take(entry, find, now, batch);
      this.#decider.recordBounds(batch);
      this.#decider.evict(batch);
      await this.#finish(batch, now);
    });
  }

  /** Ends what is due, and writes what could not be written before. */
  purge(): Promise<void> {
    return this.#next(async () => {
      const batch = new Batch();
      const now = this.#clock.now();
      this.#decider.expire(now, batch);
      if (!batch.isEmpty || this.#writer.isDue(now.steady)) await this.#finish(batch, now);
    });
  }

  /** Ends every grant. */
  endAll(): Promise<void> {
    return this.#next(async () => {
      const batch = new Batch();
      this.#decider.endAll(batch);
      await this.#finish(batch, this.#clock.now());
    });
  }

  /** Whether the map has all that was decided; a place in the log may only be noted then. */
  get settled(): boolean {
    return this.trouble === null;
  }

  /** Why an address may not have a row at all; null for no reason. */
  bar(ip: IpText): Bar | null {
    return this.#decider.rules.classifier.bar(ip);
  }

  /** Why the map cannot be written now; null when it has all that was decided. */
  get trouble(): Failure | null {
    return this.#writer.trouble;
  }

  /** How many rows are due, or were revoked, and may still be in the map, since it cannot be written. */
  get overdue(): number {
    return this.#writer.overdue;
  }

  overdueIps(): IpText[] {
    return this.#writer.overdueIps();
  }

  /** Exchanges the rules, between two batches; grants that are live have the new grace periods as well, or end by the new rules. */
  setRules(rules: DecisionRules): Promise<void> {
    return this.#next(async () => {
      this.#decider.setRules(rules);
      this.#tellGrace();
      const batch = new Batch();
      this.#decider.dismiss(batch);
      if (!batch.isEmpty) await this.#finish(batch, this.#clock.now());
    });
  }

  /** Grants an address by hand, for so many seconds, unless a login of it would be ignored. */
  allow(ip: IpText, seconds: number): Promise<Allowed> {
    return this.#next(async () => {
      const { classifier } = this.#decider.rules;
      await classifier.prepare([ip]);
      const verdict = classifier.classify(ip);
      if (verdict.kind === 'ignored') return verdict;
      const now = this.#clock.now();
      const order = this.#decider.orders.allow(ip, seconds, now);
      const stamp = this.#decider.renew(ip, now);
      const changes = stamp === null ? [] : [{ ip, stamp }];
      const [effect = null] = await this.#writer.write(changes, now.steady);
      const allowed = { kind: 'allowed', order, effect } as const;
      this.#report(allowed);
      this.#recordBounds();
      return allowed;
    });
  }

  /**
   * Writes a row that is no grant, for a test, so that it would be due in so many seconds should nobody take it away.
   *
   * @returns what happened to it; null when the map cannot be written now, and nothing will come of it later
   */
  probe(ip: IpText, seconds: number): Promise<Effect | 'granted' | null> {
    return this.#next(async () => {
      const { grants, rules } = this.#decider;
      if (grants.dueOf(ip) !== null) return 'granted';
      const now = this.#clock.now();
      const left = Math.min(0, seconds - rules.grace.of(ip));
      const stamp = epoch(Math.floor(now.wall + left));
      const [effect = null] = await this.#writer.write([{ ip, stamp }], now.steady);
      if (effect === null) await this.#writer.write([{ ip, stamp: null }], now.steady);
      else if (effect !== 'foreign') this.#report({ kind: 'probed', ip, seconds });
      return effect;
    });
  }

  /** Takes the row of a test away, unless a grant has it by now. @returns whether it is gone, or a grant's */
  unprobe(ip: IpText): Promise<boolean> {
    return this.#next(async () => {
      if (this.#decider.grants.dueOf(ip) !== null) return true;
      const { steady } = this.#clock.now();
      const [effect = null] = await this.#writer.write([{ ip, stamp: null }], steady);
      this.#report({ kind: 'probed', ip, seconds: null });
      return effect !== null;
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
      const { orders: known, grants: table } = this.#decider;
      const now = this.#clock.now();
      const ips = find();
      const orders = subjects.map(subject => known.revoke(subject, seconds, now));
      const grants = ips.map(ip => table.revoke(ip)).filter(grant => grant !== null);
      // Also a row that belongs to no grant, should there be one.
      const effects = await this.#writer.write(
        ips.map(ip => ({ ip, stamp: null })),
        now.steady,
      );
      this.#report({ kind: 'revoked', orders, grants });
      this.#recordBounds();
      return { orders, rows: ips.map((ip, index) => ({ ip, effect: effects[index] ?? null })) };
    });
  }

  /** Takes back what was ordered about the subjects, and ends the grants of what was allowed. */
  lift(subjects: readonly Subject[]): Promise<Lifted> {
    return this.#next(async () => {
      const { orders: known } = this.#decider;
      const now = this.#clock.now();
      const orders = subjects.map(one => known.inForce(one, now)).filter(one => one !== null);
      const lifts = subjects.map(subject => known.lift(subject, now));
      const batch = new Batch();
      const ips = orders.flatMap(order => (order.kind === 'allow' ? [order.subject.ip] : []));
      const grants = this.#decider.end(ips, batch);
      const effects = await this.#writer.write(batch.changes, now.steady);
      this.#report({ kind: 'lifted', orders: lifts, ended: orders, grants });
      this.#recordBounds();
      return { orders, rows: grants.map(({ ip }, at) => ({ ip, effect: effects[at] ?? null })) };
    });
  }

  /**
   * Brings the grants in line with the orders: after a start, with a map that may not be.
   *
   * @param refused whose grants end
   * @param corrected those whose rows say something else
   */
  applyOrders(refused: readonly IpText[], corrected: readonly Grant[] = []): Promise<void> {
    return this.#next(async () => {
      const now = this.#clock.now();
      await this.#decider.rules.classifier.prepare(this.#decider.orders.allowed(now));
      const batch = new Batch();
      for (const grant of corrected) batch.change(grant);
      this.#decider.applyOrders(refused, now, batch);
      await this.#finish(batch, now);
    });
  }

  #tellGrace(): void {
    this.#map.setGrace?.(ip => this.#decider.rules.grace.of(ip));
  }

  #recordBounds(): void {
    const batch = new Batch();
    this.#decider.recordBounds(batch);
    for (const decision of batch.decisions([])) this.#report(decision);
  }

  #next<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(step);
    this.#turn = done;
    return done;
  }

  async #takeEvents(events: readonly ServerEvent[]): Promise<readonly Decision[]> {
    if (events.length === 0) return [];
    const logins = events.filter(event => event.event === 'login');
    await this.#decider.rules.classifier.prepare(logins.map(({ ip }) => ip));
    const batch = new Batch();
    for (const event of events) {
      const now = this.#clock.now(event.time ?? undefined);
      this.#decider.expire(now, batch);
      this.#decider.take(event, now, batch);
    }
    this.#decider.evict(batch);
    return this.#finish(batch, this.#clock.now());
  }

  async #finish(batch: Batch, now: Moment): Promise<readonly Decision[]> {
    const effects = await this.#writer.write(batch.changes, now.steady);
    const decisions = batch.decisions(effects);
    for (const decision of decisions) this.#report(decision);
    return decisions;
  }
}

const isAbout = (decision: Decision, event: ServerEvent): boolean =>
  (decision.kind === 'login' && decision.login === event) ||
  (decision.kind === 'logout' && decision.logout === event);
