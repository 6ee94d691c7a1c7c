/**
 * What the daemon has done since it started, in numbers: for `status` and for Prometheus.
 *
 * A new number takes a row of `TOTALS` and whoever counts it: state and metrics are made from the rows.
 *
 * Fed by the decisions, by the sources and by the map.  Counting a login is a few additions; nothing here grows with users
 * or addresses: the keys are servers, which the pattern files or a login by command name, reasons and sources.
 * Promises: pure, with the time passed in; numbers only ever grow.
 */
import type { EpochSeconds, Moment } from '../base/clock.ts';
import type { Decision } from '../grant/decision.ts';
import { Minutes } from './minutes.ts';

/** What the administrator was told to be wrong. */
export interface Problem {
  readonly time: EpochSeconds;
  readonly text: string;
}

const MOST_PROBLEMS = 5;

/** Beyond these, which no host has, they are counted together: a login by command may name any. */
const MOST_SERVERS = 100;
const OTHER = 'other';

/** Upper bounds of the histogram of commits, in seconds; a commit takes some 0.1 ms. */
export const COMMIT_BOUNDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
] as const;

/** What a single number counts, as Prometheus is told. */
export interface Total {
  /** Several may be one metric, told apart by a label of this name. */
  readonly metric: `popbsmtp_${string}_total`;
  readonly label?: string;
  readonly help: string;
}

const ENDED = {
  metric: 'popbsmtp_grants_ended_total',
  label: 'how',
  help: 'Grants that have ended: purged on time, evicted for want of room, revoked by hand, withdrawn by a limit or the networks.',
} as const;

/** The single numbers, by the names that they have in `status`. */
export const TOTALS = {
  granted: { metric: 'popbsmtp_grants_total', help: 'Grants made by logins.' },
  refreshed: { metric: 'popbsmtp_refreshes_total', help: 'Logins that prolonged a grant.' },
  logouts: { metric: 'popbsmtp_logouts_total', help: 'Logouts recognised.' },
  purged: ENDED,
  kept: {
    metric: 'popbsmtp_grants_kept_total',
    help: 'Grants that were due and were kept by an open session or an order by hand.',
  },
  evicted: ENDED,
  allowed: { metric: 'popbsmtp_allowed_total', help: 'Addresses allowed by hand.' },
  revoked: ENDED,
  withdrawn: ENDED,
  limitsExceeded: {
    metric: 'popbsmtp_limits_exceeded_total',
    help: 'Addresses with too many users, users with too many addresses, grants with too much that was sent: each once in a grace period.',
  },
  tornLines: {
    metric: 'popbsmtp_torn_lines_total',
    help: "Lines that a server's logger may have torn off longer ones, so that no login comes of them.",
  },
  passedOver: {
    metric: 'popbsmtp_logins_passed_over_total',
    help: 'Torn lines that read like logins.',
  },
  historyErrors: {
    metric: 'popbsmtp_history_errors_total',
    help: 'Commits to the history that have failed; what they were to keep waits.',
  },
  warnings: {
    metric: 'popbsmtp_warnings_total',
    help: 'Warnings and errors told in the log.',
  },
} as const satisfies Readonly<Record<string, Total>>;

export type Totals = Record<keyof typeof TOTALS, number>;

const isTotal = (name: string): name is keyof Totals => Object.hasOwn(TOTALS, name);

export const TOTAL_NAMES: readonly (keyof Totals)[] = Object.keys(TOTALS).filter(isTotal);

// The keys are the table's own: the compiler cannot follow a loop there.
export const noTotals = (): Totals =>
  Object.fromEntries(TOTAL_NAMES.map(name => [name, 0])) as Totals;

export interface CommitCount {
  count: number;
  errors: number;
  /** Changes of rows. */
  rows: number;
  /** How long all of them took together. */
  seconds: number;
  /** Commits that took at most each of the bounds and longer than the one before; the rest is in none. */
  readonly buckets: number[];
}

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
  /** Messages that grants have relayed, and their recipients, by the server of the login. */
  readonly relayedMessages = new Map<string, number>();
  readonly relayedRecipients = new Map<string, number>();
  readonly totals = noTotals();
  readonly commits: CommitCount = {
    count: 0,
    errors: 0,
    rows: 0,
    seconds: 0,
    buckets: COMMIT_BOUNDS.map(() => 0),
  };
  lastLogin: EpochSeconds | null = null;
  /** The latest first. */
  problems: readonly Problem[] = [];
  readonly minutes: Minutes;
  readonly #clock: () => Moment;
  /** When lines last came: a look at the clock for each login would double what counting it costs. */
  #now: Moment;

  constructor(clock: () => Moment) {
    this.#clock = clock;
    this.started = clock();
    this.#now = this.started;
    this.minutes = new Minutes(this.started);
  }

  /** Takes note of what a grant has relayed. */
  relayed(
    server: string | null,
    { messages, recipients }: { readonly messages: number; readonly recipients: number },
  ): void {
    // A grant by hand has no server.
    add(this.relayedMessages, server ?? OTHER, messages);
    add(this.relayedRecipients, server ?? OTHER, recipients);
  }

  historyFailed(): void {
    this.totals.historyErrors++;
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
    this.minutes.moveOn(this.#now);
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
      case 'identified':
      case 'probed':
      case 'order bounded':
      case 'map recovered':
        return;
      default:
        // A new kind has to say here what it counts as.
        decision satisfies never;
    }
  }

  /** A line may be a piece of a longer one (torn-lines.ts). @param isLogin whether it reads like a login, which was passed over */
  torn(isLogin: boolean): void {
    this.totals.tornLines++;
    if (isLogin) this.totals.passedOver++;
  }

  /** @param seconds how long it took, with the wait for the lock */
  committed(seconds: number, rows: number): void {
    const { commits } = this;
    commits.count++;
    commits.rows += rows;
    commits.seconds += seconds;
    const index = COMMIT_BOUNDS.findIndex(bound => seconds <= bound);
    if (index >= 0) commits.buckets[index] = (commits.buckets[index] ?? 0) + 1;
  }

  commitFailed(): void {
    this.commits.errors++;
  }

  /** Takes note of what the administrator was told to be wrong. */
  problem(text: string): void {
    this.totals.warnings++;
    this.problems = [{ time: this.#clock().wall, text }, ...this.problems].slice(0, MOST_PROBLEMS);
  }

  /** There are so many grants now. */
  grants(count: number): void {
    this.minutes.moveOn(this.#clock());
    this.minutes.grants(count);
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
    this.minutes.login();
  }
}

function add(counts: Map<string, number>, name: string, more: number): void {
  counts.set(name, (counts.get(name) ?? 0) + more);
}
