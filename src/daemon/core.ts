/**
 * The core: who may relay, put together once for everybody who decides it: the daemon, a replay, the commands without a
 * daemon, and, as far as it goes without a map (`deciderFor`), the preview of `explain`.
 *
 * Promises: what an earlier run has left is taken over before anything is decided: orders, the grants that the map holds,
 * open sessions, and who is behind the grants.  Orders that cannot be read are an error, since they may refuse somebody,
 * unless the caller would rather end too much (`purge`); a roster that cannot be read costs only names.  The roster is
 * noted as it changes, so that after a crash as well it is known whose the grants are, and which of them are this host's own.
 * Leaves to others: who owns the map (map/), what is read and when (daemon.ts), how decisions look (the report).
 */
import { type Clock, epoch } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import { Decider, type DecisionRules } from '../grant/decider.ts';
import type { Report } from '../grant/decision.ts';
import type { Grace } from '../grant/grace.ts';
import { type Grant, GrantTable } from '../grant/grant-table.ts';
import { History } from '../grant/history.ts';
import { Orders } from '../grant/orders.ts';
import { Roster } from '../grant/roster.ts';
import { type SessionTable, sessionsOf } from '../grant/session-table.ts';
import { meetMap } from '../map/first-contact.ts';
import type { HeldMap } from '../map/held-map.ts';
import type { LookupMap, Row } from '../map/map.ts';
import type { CommitWatch } from '../map/map-writer.ts';
import { isEndless } from '../map/row.ts';
import { beside } from '../state/beside.ts';
import { ListFile } from '../state/list-file.ts';
import { ordersFile, type StateFile } from '../state/state-file.ts';
import { Pipeline } from './pipeline.ts';

/** How much there may be of what is kept in memory. */
export interface Bounds {
  /** The most grants that there may be at once. */
  readonly maxGrants: number;
  /** Seconds for which an open session keeps its grant at most; null when it keeps nothing. */
  readonly sessionLimit: number | null;
}

/** For who sees no log: no session is known, and all that the map holds counts. */
export const UNBOUNDED: Bounds = { maxGrants: Number.POSITIVE_INFINITY, sessionLimit: null };

/** What decides, with nothing in it yet. */
export function deciderFor(rules: DecisionRules, bounds: Bounds): Decider {
  const grace = (): Grace => decider.rules.grace;
  const decider: Decider = new Decider({
    rules,
    grants: new GrantTable(ip => grace().of(ip), bounds.maxGrants),
    sessions: sessionsOf(bounds),
    orders: new Orders(grace),
  });
  return decider;
}

export interface CoreParts {
  readonly rules: DecisionRules;
  readonly bounds: Bounds;
  /** Held by the caller. */
  readonly map: LookupMap;
  /** Told how each commit went. */
  readonly commits?: CommitWatch;
  /** Whether somebody will ask what happened to an address; so when not given. */
  readonly hasHistory?: boolean;
  readonly clock: Clock;
  /** Told each decision, with who was behind a grant that has ended. */
  readonly report: Report;
  readonly warn: (text: string) => void;
}

/** What an earlier run has left, and how to take it. */
export interface Legacy {
  /** As a checkpoint has them (session-table.ts); none without. */
  readonly sessions?: unknown;
  /** Orders that cannot be read are a warning, and what they allow ends early. */
  readonly tolerant?: boolean;
}

export class Core {
  readonly clock: Clock;
  readonly roster = new Roster();
  readonly history = new History();
  readonly pipeline: Pipeline;
  /** The rows that `restore` has found, by which clients may relay, and which nothing ends. */
  endlessRows: readonly Row[] = [];
  readonly #decider: Decider;
  readonly #report: Report;
  readonly #warn: (text: string) => void;
  readonly #ordersFile: StateFile;
  readonly #rosterFile: ListFile;
  /** Whether it has been told that the roster cannot be noted. */
  #isRosterTrouble = false;
  /** The orders that were saved last. */
  #savedOrders = '';
  /** Grants whose rows say something else. */
  readonly #corrected: Grant[] = [];

  constructor({ rules, bounds, map, commits, hasHistory, clock, report, warn }: CoreParts) {
    const decider = deciderFor(rules, bounds);
    this.clock = clock;
    this.#decider = decider;
    this.#warn = warn;
    this.#ordersFile = ordersFile(map.spec);
    this.#rosterFile = new ListFile(beside(map.spec, 'roster'));
    this.#report = decision => {
      const told = this.roster.withHolder(decision);
      this.roster.report(decision);
      if (hasHistory !== false) this.history.report(told, () => clock.now().wall);
      report(told);
    };
    this.pipeline = new Pipeline({ decider, map, commits, clock, report: this.#report });
  }

  get grants(): GrantTable {
    return this.#decider.grants;
  }

  get orders(): Orders {
    return this.#decider.orders;
  }

  /** Null when sessions keep nothing. */
  get sessions(): SessionTable | null {
    return this.#decider.sessions;
  }

  /** The grace periods that count now. */
  get grace(): Grace {
    return this.#decider.rules.grace;
  }

  /**
   * Takes over what an earlier run, or a command, has left; to be called once, first.
   *
   * @param held the same map
   * @throws Failure STATE_UNREADABLE unless `tolerant`; of the map
   */
  async restore(held: HeldMap, { sessions = null, tolerant = false }: Legacy = {}): Promise<void> {
    if (tolerant) await this.#tolerate(() => this.#readOrders());
    else this.#readOrders();
    const now = this.clock.now();
    const others: Row[] = [];
    await held.map.eachGrant(
      row => {
        const grant = this.grants.restore(row, now);
        // A step of the clock may leave rows from the future behind: each start would count them anew.
        if (grant.stamp < row.stamp) this.#corrected.push(grant);
      },
      row => others.push(row),
      count => this.grants.expect(count),
    );
    const met = await meetMap(held, others, epoch(Math.floor(now.wall)), this.#warn);
    for (const grant of met) this.grants.restore(grant, now);
    const adopted = new Set<string>(met.map(({ ip }) => ip));
    this.endlessRows = others.filter(row => isEndless(row) && !adopted.has(row.key));
    this.sessions?.restore(sessions, now);
    await this.#tolerate(() =>
      this.roster.restore(this.#rosterFile.read(), ip => this.grants.dueOf(ip) !== null),
    );
    for (const { ip, user } of this.roster.named()) this.grants.attribute(ip, user);
  }

  /** Ends what is due, and what the orders have ended, should the map not know it yet; and grants what they allow. */
  async enforce(): Promise<void> {
    await this.pipeline.purge();
    const refused = this.orders.refused(user => this.roster.ofUser(user).ips, this.clock.now());
    await this.pipeline.applyOrders(refused, this.#corrected.splice(0));
  }

  /**
   * Ends every grant, and forgets every allowance; what is refused stays refused.
   *
   * @throws Failure STATE_UNWRITABLE
   */
  async endAll(): Promise<void> {
    const isNews = this.orders.forgetAllowances();
    await this.pipeline.endAll();
    await this.dropRoster();
    if (isNews) await this.saveOrders();
  }

  /**
   * Those that are saved already are not saved again: what other hosts repeat costs no disk.
   *
   * @throws Failure STATE_UNWRITABLE
   */
  async saveOrders(): Promise<void> {
    const orders = this.orders.save(this.clock.now());
    const text = JSON.stringify(orders);
    if (text === this.#savedOrders) return;
    await this.#ordersFile.write(orders);
    this.#savedOrders = text;
  }

  /** Notes what has changed of who is behind the grants; resolves when that would outlive the process, or cannot, which is told once. */
  async noteRoster(): Promise<void> {
    const { roster } = this;
    try {
      await this.#rosterFile.append(roster.changes(), roster.saved(), roster.size);
      this.#isRosterTrouble = false;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (!this.#isRosterTrouble) this.#warn(error.line);
      this.#isRosterTrouble = true;
    }
  }

  /** Leaves who is behind the grants to the next run. */
  async saveRoster(): Promise<void> {
    await this.#tolerate(() => this.#rosterFile.write(this.roster.saved()));
  }

  /** Takes the roster away that `restore` has read. */
  async dropRoster(): Promise<void> {
    await this.#tolerate(() => this.#rosterFile.remove());
  }

  #readOrders(): void {
    const now = this.clock.now();
    this.orders.restore(this.#ordersFile.read(), now);
    const orders = this.orders.list(now);
    if (orders.length > 0) this.#report({ kind: 'in force', orders });
  }

  async #tolerate(step: () => void | Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#warn(error.line);
    }
  }
}
