/**
 * The systemd journal as a source, read by journalctl.
 *
 * Promises: entries of the tags asked for arrive once and in the journal's order, from the saved cursor on, or
 * else from a minute before a moment; only those that are trusted and whole lines are delivered, and the others are
 * counted and told.  When journalctl ends, for whatever reason, another one goes on where it stopped; that is told
 * once, until it runs again.  While the receiver is busy nothing is read, and journalctl waits.
 * What was written before the host was booted is read first, without following (JournalRun).
 * The cursor moves on once the receiver has dealt with what it names, but waits for the rest of a line that journald
 * has broken.
 * Known limits: an entry comes a quarter to half a second after it was written (seen with systemd 252, where
 * journald gathers changes before it tells of them; a syslog file is faster).  What journald itself drops
 * (RateLimitBurst= in journald.conf(5)) never arrives, but that it has dropped something does (recogniser/stray.ts).  After a cursor that journalctl refuses, or one from the
 * future, everything since the moment comes again, which does no harm.
 */
import { uptime } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EpochSeconds, epoch } from '../base/clock.ts';
import { reasonOf } from '../base/errors.ts';
import { MAX_LINE } from '../line/length.ts';
import { cursorTime, isSameEntry } from './journal-cursor.ts';
import { carriedLine, entryLine, type JournalEntry, parseEntry } from './journal-entry.ts';
import { JOURNAL } from './journal-store.ts';
import { JournalStreams } from './journal-streams.ts';
import {
  isAsked,
  JOURNALCTL,
  Journalctl,
  type JournalPlace,
  type JournalQuestion,
} from './journalctl.ts';
import type { Receiver, Source } from './source.ts';
import { Splitter } from './splitter.ts';
import { Tally } from './tally.ts';

/** What is watched for. */
export interface JournalRules extends JournalQuestion {
  /** Given each entry that is a whole line, in the journal's order; the one that another run has dealt with last comes again. */
  readonly trust: (entry: JournalEntry) => boolean;
  /** Whether the message of an entry is a whole line of a log. */
  readonly isCarried?: (entry: JournalEntry) => boolean;
  /** The tags that may stand in the message, behind the host's name (parseEntry). */
  readonly hostFirst?: ReadonlySet<string>;
}

/** The line that an entry stands for; null when its message was left out. */
export const lineOf = (entry: JournalEntry, { isCarried }: JournalRules): string | null =>
  isCarried?.(entry) === true ? carriedLine(entry) : entryLine(entry);

export interface JournalStart {
  /** The journal's, as `watchlog` has it: the host's if not given. */
  readonly name?: string;
  /** Of the last entry that was dealt with, or null. */
  readonly cursor: string | null;
  /** Nothing before this matters; asked whenever the cursor is of no use. */
  readonly since: () => EpochSeconds;
  /** When the host was booted. */
  readonly booted?: () => EpochSeconds;
}

export interface JournalTimes {
  /** Before journalctl is started again; doubled each time, up to the longest. */
  readonly firstPauseMs: number;
  /** Also how long it must have run to count as running well. */
  readonly longestPauseMs: number;
  /** Between two notices of the same kind of entry. */
  readonly noticeMs: number;
}

const TIMES: JournalTimes = { firstPauseMs: 250, longestPauseMs: 30_000, noticeMs: 60_000 };
/** Different complaints that are told; a corrupt journal has one for each of its files. */
const MAX_WARNINGS = 100;
/** How much earlier than asked to begin without a cursor. */
const MARGIN_SECONDS = 60;

const whenBooted = (): EpochSeconds => epoch(Date.now() / 1000 - uptime());

export class JournalSource implements Source {
  readonly #receiver: Receiver;
  readonly #name: string;
  readonly #since: () => EpochSeconds;
  readonly #booted: () => EpochSeconds;
  readonly #program: string;
  readonly #times: JournalTimes;
  readonly #untrusted: Tally<Pick<JournalEntry, 'uid' | 'transport'>>;
  readonly #unread: Tally<null>;
  readonly #stopping = new AbortController();
  /** Complaints told since journalctl last ran well. */
  readonly #warned = new Set<string>();
  readonly #streams = new JournalStreams();
  #rules: JournalRules;
  /** Of the last entry that has been dealt with. */
  #cursor: string | null;
  #noted: string | null;
  /** The cursor was refused: the next try goes by time, and the one after that by the cursor again. */
  #byTime = false;
  #child: Journalctl | null = null;
  /** `#child` is to be replaced, and its end is no trouble. */
  #replacing = false;
  /** What was written before the host was booted has been read. */
  #hasCaughtUp = false;
  #failed = false;
  #pauseMs: number;
  #done: Promise<void> = Promise.resolve();

  constructor(
    receiver: Receiver,
    rules: JournalRules,
    start: JournalStart,
    program: string = JOURNALCTL,
    times: JournalTimes = TIMES,
  ) {
    const { name = JOURNAL, booted = whenBooted } = start;
    this.#receiver = receiver;
    this.#name = name;
    this.#rules = rules;
    this.#cursor = start.cursor;
    this.#noted = start.cursor;
    this.#since = start.since;
    this.#booted = booted;
    this.#program = program;
    this.#times = times;
    this.#pauseMs = times.firstPauseMs;
    this.#untrusted = new Tally(
      (tag, count, { uid, transport }) =>
        receiver.notice({ kind: 'untrusted', path: name, tag, uid, transport, count }),
      times.noticeMs,
    );
    this.#unread = new Tally(
      (kind, count) =>
        receiver.notice({
          kind: kind === 'too long' ? 'too long' : 'unreadable',
          path: name,
          count,
        }),
      times.noticeMs,
    );
  }

  /** From where another source goes on: the last entry that has been dealt with; null before the first. */
  get cursor(): string | null {
    return this.#noted;
  }

  /** The process id of journalctl, while there is one. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    this.#receiver.notice({ kind: 'opened', path: this.#name, position: 0 });
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#child?.kill();
    await this.#done;
    this.#untrusted.close();
    this.#unread.close();
  }

  /** Goes on, from where it is, with other rules. */
  setRules(rules: JournalRules): void {
    const same = questionOf(rules) === questionOf(this.#rules);
    this.#rules = rules;
    if (same) return;
    this.#replacing = true;
    this.#child?.kill();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#replacing = false;
      const reason = await this.#follow();
      if (signal.aborted) return;
      if (this.#replacing) continue;
      this.#tellFailed(reason);
      await sleep(this.#pauseMs, null, { signal }).catch(() => undefined);
      this.#pauseMs = Math.min(this.#pauseMs * 2, this.#times.longestPauseMs);
    }
  }

  /** One run of journalctl, to its end; tells how that came. */
  async #follow(): Promise<string> {
    const place = this.#place();
    const follow = this.#hasCaughtUp || !this.#isBeforeBoot(place);
    const run = { ...place, follow };
    const before = this.#cursor;
    const well = setTimeout(() => this.#runsWell(), this.#times.longestPauseMs);
    try {
      const child = new Journalctl(this.#program, this.#name, this.#rules, run, text =>
        this.#warn(text),
      );
      this.#child = child;
      await this.#read(child);
      const reason = await child.ended();
      if (!follow && child.status === 0) this.#hasCaughtUp = this.#replacing = true;
      const refused = child.status !== null && child.status !== 0 && this.#cursor === before;
      this.#byTime = refused && 'cursor' in place;
      return reason;
    } catch (error) {
      this.#child?.kill();
      return reasonOf(error);
    } finally {
      clearTimeout(well);
      this.#child = null;
    }
  }

  /**
   * journalctl prints nothing, for as long as that takes, before the time of a cursor that it does not know (seen
   * with systemd 252): after a clock that was wrong for a while, the cursor is no place to wait at.
   */
  #place(): JournalPlace {
    const cursor = this.#cursor;
    const isInFuture = cursor !== null && (cursorTime(cursor) ?? 0) > Date.now() / 1000;
    if (cursor !== null && !this.#byTime && !isInFuture) return { cursor };
    // Earlier than asked: what comes first may be the rest of a line that was broken before.
    return { since: Math.max(0, this.#since() - MARGIN_SECONDS) };
  }

  #isBeforeBoot(place: JournalPlace): boolean {
    const time = 'cursor' in place ? cursorTime(place.cursor) : place.since;
    return time !== null && time < this.#booted();
  }

  async #read(child: Journalctl): Promise<void> {
    const splitter = new Splitter();
    let tooLong = 0;
    for await (const bytes of child.output()) {
      const entries = splitter.push(bytes);
      for (; tooLong < splitter.tooLong; tooLong++) this.#unread.add('too long', null);
      await this.#deliver(entries.filter(text => text !== ''));
    }
  }

  async #deliver(texts: readonly string[]): Promise<void> {
    const lines: string[] = [];
    let cursor = this.#cursor;
    for (const text of texts) {
      const entry = parseEntry(text, this.#rules.hostFirst);
      if (entry === null) {
        this.#unread.add('unreadable', null);
        continue;
      }
      const isTrusted = this.#streams.isWhole(entry) && this.#rules.trust(entry);
      // The place that journalctl was started at, which has been dealt with.
      if (cursor !== null && isSameEntry(entry.cursor, cursor)) continue;
      cursor = entry.cursor;
      lines.push(...this.#linesOf(entry, isTrusted));
    }
    if (this.#stopping.signal.aborted) return;
    if (lines.length > 0) await this.#receiver.lines(lines);
    this.#cursor = cursor;
    this.#noted = this.#streams.broken ?? cursor;
  }

  /** One, or none. */
  #linesOf(entry: JournalEntry, isTrusted: boolean): string[] {
    if (!isTrusted) {
      if (isAsked(this.#rules, entry)) this.#untrusted.add(entry.tag, entry);
      return [];
    }
    const line = lineOf(entry, this.#rules);
    if (line !== null && line.length <= MAX_LINE) return [line];
    this.#unread.add('too long', null);
    return [];
  }

  #runsWell(): void {
    this.#pauseMs = this.#times.firstPauseMs;
    this.#warned.clear();
    if (!this.#failed) return;
    this.#failed = false;
    this.#receiver.notice({ kind: 'opened', path: this.#name, position: 0 });
  }

  #tellFailed(reason: string): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#receiver.notice({ kind: 'failed', path: this.#name, reason });
  }

  #warn(text: string): void {
    if (text === '' || this.#warned.has(text) || this.#warned.size >= MAX_WARNINGS) return;
    this.#warned.add(text);
    this.#receiver.notice({ kind: 'warned', path: this.#name, text });
  }
}

const questionOf = ({ tags, matches, untagged }: JournalQuestion): string =>
  JSON.stringify([tags, matches, untagged]);
