/**
 * What receives the sources' lines: recognises them, hands what they tell to the pipeline, and watches over them.
 *
 * Promises: a batch is dealt with when the rows that it leads to are in the map.  Lines that no pattern knows any more, logins
 * of no known server, lines that are torn, stamps of another time zone, and a log that has fallen silent are told.  It is known when all logs are being followed, or known not to be
 * there, and when all have ended.
 * Leaves to others: what a line says (recogniser/), what is decided (the pipeline), which sources there are (sources.ts).
 */
import { EventEmitter } from 'node:events';
import type { EpochSeconds, Moment } from '../base/clock.ts';
import type { Counters } from '../control/counters.ts';
import type { History } from '../history/history.ts';
import { Pieces } from '../line/pieces.ts';
import { parseLine } from '../line/prefix.ts';
import { hashOf, Sampling } from '../line/sampling.ts';
import { StampReader } from '../line/stamp.ts';
import type { Zone } from '../line/zone.ts';
import { Drift } from '../recogniser/drift.ts';
import type { ServerEvent } from '../recogniser/event.ts';
import { LogMemory } from '../recogniser/log-memory.ts';
import type { Recogniser } from '../recogniser/recogniser.ts';
import { strayOf } from '../recogniser/stray.ts';
import { StrayWatch } from '../recogniser/stray-watch.ts';
import { TornWatch } from '../recogniser/torn-watch.ts';
import { ZoneWatch } from '../recogniser/zone-watch.ts';
import type { Notice, Receiver } from '../source/source.ts';
import type { Output } from './output.ts';
import type { Pipeline } from './pipeline.ts';
import { type LoadedRules, recogniserFor } from './rules.ts';
import { Silences } from './silence.ts';

interface IntakeParts {
  /** Of the logs. */
  readonly names: readonly string[];
  readonly rules: LoadedRules;
  readonly pipeline: Pick<Pipeline, 'events'>;
  readonly counters: Counters;
  readonly now: () => Moment;
  /** Of stamps that do not tell theirs. */
  readonly zone: Zone;
  readonly output: Pick<Output, 'notice' | 'warn'>;
  /** A step that fails is a bug of ours. */
  readonly watch: (step: Promise<void>) => Promise<void>;
  /** Resolves when there is room for what the lines lead to elsewhere, before which no more are read; at once without. */
  readonly room?: () => Promise<void>;
  /** Takes the mail server's lines; null where nothing is kept of them. */
  readonly history?: Pick<History, 'line' | 'settle'> | null;
  /** Whether lines, which name users, may be quoted. */
  readonly isQuoted: boolean;
}

export class Intake {
  /** What the recogniser keeps in mind of the lines before. */
  readonly memory = new LogMemory();
  /** Resolves when something has been heard of every log, if only that it is not there. */
  readonly following: Promise<void>;
  /** Resolves when every log has come to its end (standard input). */
  readonly ended: Promise<void>;
  readonly #parts: IntakeParts;
  readonly #drift: Drift;
  readonly #tornWatch: TornWatch;
  readonly #sampling = new Sampling();
  readonly #strayWatch: StrayWatch;
  readonly #zoneWatch: ZoneWatch;
  readonly #silences: Silences;
  readonly #events = new EventEmitter<{ following: []; end: [] }>();
  readonly #sourcesToOpen: Set<string>;
  /** The log whose lines are being recognised, if they have just been written. */
  #fresh: string | null = null;
  /** How many have not ended. */
  #open: number;
  #rules: LoadedRules;
  #recogniser: Recogniser;

  constructor(parts: IntakeParts) {
    const { names, output } = parts;
    this.#parts = parts;
    this.#drift = new Drift(output.warn, parts.isQuoted);
    this.#tornWatch = new TornWatch(output.warn);
    this.#strayWatch = new StrayWatch(output.warn, parts.isQuoted);
    this.#zoneWatch = new ZoneWatch(parts.zone, output.warn);
    this.#silences = new Silences(() => parts.now().steady, output.warn);
    this.#rules = parts.rules;
    this.#recogniser = this.#recogniserFor(parts.rules);
    this.#sourcesToOpen = new Set(names);
    this.#open = names.length;
    this.following = new Promise(resolve => {
      if (names.length === 0) resolve();
      else this.#events.once('following', resolve);
    });
    this.ended = new Promise(resolve => this.#events.once('end', resolve));
  }

  /** Exchanges the patterns, between two batches. */
  setRules(rules: LoadedRules): void {
    this.#rules = rules;
    this.#recogniser = this.#recogniserFor(rules);
  }

  /**
   * To be asked for once for each file, before it is read.
   *
   * @param file of several that the log consists of; what it tells is not heard as the log's
   */
  receiverOf(name: string, file: string = name): Receiver {
    const { counters, watch } = this.#parts;
    this.#silences.watch(name);
    const pieces = new Pieces();
    return {
      lines: (batch, writtenBy = null) => {
        this.#silences.heard(name);
        counters.lines(name, batch.length);
        const whole = batch.map(line => pieces.whole(line));
        return watch(this.#take(file, whole, writtenBy));
      },
      strangers: lines => this.#lookAt(lines),
      notice: notice => this.#notice(file, notice),
    };
  }

  /** Warns of the logs that have fallen silent. */
  tellSilences(): void {
    this.#silences.tell();
  }

  #recogniserFor(rules: LoadedRules): Recogniser {
    const { counters, now, zone, history = null } = this.#parts;
    const stamps = new StampReader(() => now().wall, zone);
    const recogniser = recogniserFor(rules, stamps, this.memory, {
      recognised: ({ program, time }) => {
        if (program !== null) this.#drift.recognised(program);
        // Where a line is old, nobody knows when it was written.
        if (this.#fresh !== null && time !== null)
          this.#zoneWatch.login(this.#fresh, time, now().wall);
      },
      unrecognised: line => this.#drift.unrecognised(line, now().steady),
      stranger: line => {
        if (history?.line(line, recogniser.timeOf(line)) === true) return;
        if (line.program !== null && !this.#sampling.takes(hashOf(line.program))) return;
        const stray = strayOf(line, rules.registry);
        if (stray !== null) this.#strayWatch.found(stray);
      },
      torn: (line, isLogin) => {
        counters.torn(isLogin);
        this.#tornWatch.torn(line, isLogin, now().steady);
      },
    });
    return recogniser;
  }

  #notice(name: string, notice: Notice): void {
    this.#parts.output.notice(notice);
    if (notice.kind === 'ended' && --this.#open === 0) this.#events.emit('end');
    if (this.#sourcesToOpen.delete(name) && this.#sourcesToOpen.size === 0)
      this.#events.emit('following');
  }

  /** Nothing comes of these but a word. */
  #lookAt(lines: readonly string[]): void {
    const { registry } = this.#rules;
    const stamps = new StampReader(() => this.#parts.now().wall, this.#parts.zone);
    for (const text of lines) {
      const stray = strayOf(parseLine(text, stamps, registry), registry);
      if (stray !== null) this.#strayWatch.found(stray);
    }
  }

  async #take(
    name: string,
    lines: readonly string[],
    writtenBy: EpochSeconds | null,
  ): Promise<void> {
    this.#fresh = writtenBy === null ? name : null;
    this.#recogniser.writtenBy(writtenBy);
    const events: ServerEvent[] = [];
    for (const line of lines) {
      const event = this.#recogniser.recognise(line);
      if (event !== null) events.push(event);
    }
    await this.#parts.pipeline.events(events);
    this.#parts.history?.settle();
    await this.#parts.room?.();
  }
}
