/**
 * What the daemon has done since it started, in numbers: for `status` and for Prometheus.
 *
 * Fed by the decisions, by the sources and by the map.  Counting a login is a few additions; nothing here grows with users
 * or addresses: the keys are servers, which the pattern files or a login by command name, reasons and sources.
 * Promises: pure, with the time passed in; numbers only ever grow.
 */
import type { EpochSeconds, Moment } from '../base/clock.ts';
import type { Decision } from '../grant/decision.ts';

/** Minutes of logins that are kept, the present one included. */
export const MINUTES = 60;

/** Beyond these, which no host has, they are counted together: a login by command may name any. */
const MOST_SERVERS = 100;
const OTHER = 'other';

/** Upper bounds of the histogram of commits, in seconds; a commit takes some 0.1 ms. */
export const COMMIT_BOUNDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
] as const;

/** A source in numbers. */
export interface SourceCount {
  lines: number;
  /** When lines last came, in wall time; null before the first. */
  lastLine: EpochSeconds | null;
}

export class Counters {
  readonly started: Moment;
  readonly sources = new Map<string, SourceCount>();
  readonly logins = new Map<string, number>();
  readonly ignored = new Map<string, number>();
  readonly totals = {
    granted: 0,
    refreshed: 0,
    logouts: 0,
    purged: 0,
    kept: 0,
    evicted: 0,
    allowed: 0,
    revoked: 0,
    withdrawn: 0,
    limitsExceeded: 0,
    tornLines: 0,
    passedOver: 0,
    rowsChanged: 0,
    commits: 0,
    commitErrors: 0,
    commitSeconds: 0,
    warnings: 0,
  };
  /** Commits that took at most each of the bounds and longer than the one before; the rest is in none. */
  readonly commitBuckets: number[] = COMMIT_BOUNDS.map(() => 0);
  lastLogin: EpochSeconds | null = null;
  lastProblem: { readonly time: EpochSeconds; readonly text: string } | null = null;
  readonly #clock: () => Moment;
  /** When lines last came: a look at the clock for each login would double what counting it costs. */
  #now: Moment;
  /** Logins of each minute of the steady clock, at the minute's number modulo their number. */
  readonly #minutes: number[] = Array.from({ length: MINUTES }, () => 0);
  #minute: number;

  constructor(clock: () => Moment) {
    this.#clock = clock;
    this.started = clock();
    this.#now = this.started;
    this.#minute = minuteOf(this.started);
  }

  /** Takes note of lines; the logins among them, which follow, came now. */
  lines(source: string, count: number): void {
    if (count === 0) return;
    this.present();
    let entry = this.sources.get(source);
    if (entry === undefined) {
      entry = { lines: 0, lastLine: null };
      this.sources.set(source, entry);
    }
    entry.lines += count;
    entry.lastLine = this.#now.wall;
  }

  /** What is reported next happens now. */
  present(): void {
    this.#now = this.#clock();
    this.#moveOn(minuteOf(this.#now));
  }

  report(decision: Decision): void {
    const { totals } = this;
    switch (decision.kind) {
      case 'login':
        this.#login(decision);
        return;
      case 'logout':
        totals.logouts++;
        return;
      case 'evicted':
      case 'revoked':
        totals[decision.kind] += decision.grants.length;
        return;
      case 'lifted':
        totals.revoked += decision.grants.length;
        return;
      case 'limit exceeded':
        totals.limitsExceeded++;
        return;
      case 'purged':
      case 'withdrawn':
      case 'kept':
      case 'allowed':
        totals[decision.kind]++;
        return;
      case 'map failed':
        this.problem(decision.line);
        return;
      case 'in force':
      case 'order bounded':
      case 'map recovered':
        return;
    }
  }

  /** A line may be a piece of a longer one (torn-lines.ts). @param isLogin whether it reads like a login, which was passed over */
  torn(isLogin: boolean): void {
    this.totals.tornLines++;
    if (isLogin) this.totals.passedOver++;
  }

  /** @param seconds how long it took, with the wait for the lock */
  committed(seconds: number, rows: number): void {
    this.totals.commits++;
    this.totals.rowsChanged += rows;
    this.totals.commitSeconds += seconds;
    const index = COMMIT_BOUNDS.findIndex(bound => seconds <= bound);
    if (index >= 0) this.commitBuckets[index] = (this.commitBuckets[index] ?? 0) + 1;
  }

  commitFailed(): void {
    this.totals.commitErrors++;
  }

  /** Takes note of what the administrator was told to be wrong. */
  problem(text: string): void {
    this.totals.warnings++;
    this.lastProblem = { time: this.#clock().wall, text };
  }

  /** Logins of each of the last minutes, the present one last. */
  byMinute(): number[] {
    this.#moveOn(minuteOf(this.#clock()));
    return Array.from(
      { length: MINUTES },
      (_, index) => this.#minutes[(this.#minute + 1 + index) % MINUTES] ?? 0,
    );
  }

  #login({ login, outcome, from }: Extract<Decision, { kind: 'login' }>): void {
    if (outcome.kind === 'ignored') {
      this.ignored.set(outcome.reason, (this.ignored.get(outcome.reason) ?? 0) + 1);
    } else this.totals[outcome.kind]++;
    // The host whose log it was in counts it among its own.
    if (from !== undefined) return;
    const isFull = this.logins.size >= MOST_SERVERS && !this.logins.has(login.server);
    const server = isFull ? OTHER : login.server;
    this.logins.set(server, (this.logins.get(server) ?? 0) + 1);
    this.lastLogin = this.#now.wall;
    const slot = this.#minute % MINUTES;
    this.#minutes[slot] = (this.#minutes[slot] ?? 0) + 1;
  }

  /** Empties the minutes that have begun since. */
  #moveOn(minute: number): void {
    const passed = Math.min(minute - this.#minute, MINUTES);
    for (let back = 0; back < passed; back++) this.#minutes[(minute - back) % MINUTES] = 0;
    this.#minute = Math.max(this.#minute, minute);
  }
}

const minuteOf = ({ steady }: Moment): number => Math.floor(steady / 60);
