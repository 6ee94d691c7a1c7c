/**
 * The running daemon: sources, pipeline and map put together, with the clock that purges.
 *
 * Promises: whatever is wrong with the settings is found before the map is touched; grants that the map holds
 * from an earlier run go on where they were, and the logs are read on from where that run had got to; what is due is
 * purged at start and then four times a second, whether or not a line arrives; a reload that fails changes
 * nothing.  A stop commits, notes the places, closes and keeps the rows.
 * Leaves to others: signals and processes (cli/run.ts), how anything is printed (the output).
 */
import { EventEmitter } from 'node:events';
import { type Clock, type EpochSeconds, type Moment, systemClock } from '../base/clock.ts';
import { version } from '../base/package.ts';
import { Counters } from '../control/counters.ts';
import { type Status, statusOf } from '../control/status.ts';
import { TimedMap } from '../control/timed-map.ts';
import { readSecrets } from '../fleet/connection.ts';
import type { FleetSettings } from '../fleet/engine.ts';
import { Fleet } from '../fleet/fleet.ts';
import type { Grace } from '../grant/grace.ts';
import { type HeldMap, holdMap } from '../map/held-map.ts';
import { formatMapSpec } from '../map/map-types.ts';
import { exampleKeys } from '../map/row.ts';
import { Drift } from '../recogniser/drift.ts';
import type { ServerEvent } from '../recogniser/event.ts';
import { LogMemory } from '../recogniser/log-memory.ts';
import type { Recogniser } from '../recogniser/recogniser.ts';
import { TornWatch } from '../recogniser/torn-watch.ts';
import type { Notice, Receiver } from '../source/source.ts';
import type { Notes } from '../state/checkpoint.ts';
import { Bookmarks } from './bookmarks.ts';
import { Control } from './control.ts';
import { Core } from './core.ts';
import { endFormerMaps } from './former.ts';
import { fleetFor } from './membership.ts';
import { NoteKeeper } from './note-keeper.ts';
import { counted, type Output } from './output.ts';
import type { Pipeline } from './pipeline.ts';
import { type LoadedRules, loadRules, recogniserFor } from './rules.ts';
import type { RuleSettings, RunSettings } from './settings.ts';
import { Silences } from './silence.ts';
import { positionOf } from './source-position.ts';
import { checkLogs, type Watched, watch } from './sources.ts';
import type { Attended } from './systemd.ts';

const PURGE_MS = 250;
const BOOKMARK_MS = 1000;

export interface Daemon extends Attended {
  /** Resolves when every source has come to its end (standard input); rejects when there is a bug in us. */
  readonly ended: Promise<void>;
  /** @throws Failure of any setting that is wrong, with the old state still in force */
  reload(settings: RuleSettings): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts everything; the logs are being followed when it resolves.
 *
 * @throws Failure of any setting, of the logs or of the map
 */
export async function startDaemon(settings: RunSettings, output: Output): Promise<Daemon> {
  const clock = systemClock();
  const names = await checkLogs(settings);
  if (settings.fleet !== null) readSecrets(settings.fleet);
  const loaded = await loadRules(settings, output.warn);
  const { map, nowrite, mirrors } = settings;
  const held = await holdMap(map, nowrite, output.warn, mirrors);
  const running = new RunningDaemon(settings, loaded, held, clock, output);
  try {
    await endFormerMaps(settings, output.warn);
    await running.start(names);
  } catch (error) {
    await held.close();
    throw error;
  }
  return running;
}

class RunningDaemon implements Daemon {
  readonly ended: Promise<void>;
  readonly following: Promise<void>;
  readonly #settings: RunSettings;
  readonly #loaded: LoadedRules;
  readonly #held: HeldMap;
  readonly #clock: Clock;
  readonly #counters: Counters;
  /** As it was started: an upgrade may have put another one in its place. */
  readonly #version = version();
  /** What is told is counted on its way. */
  readonly #output: Output;
  readonly #memory = new LogMemory();
  readonly #drift: Drift;
  readonly #core: Core;
  readonly #tornWatch: TornWatch;
  readonly #pipeline: Pipeline;
  /** Null in a dry run. */
  readonly #bookmarks: Bookmarks | null;
  readonly #silences: Silences;
  readonly #end = new EventEmitter<{ following: []; end: []; bug: [unknown] }>();
  /** The logs of which nothing has been heard yet, not even that they are not there. */
  readonly #unheard = new Set<string>();
  readonly #timers: NodeJS.Timeout[] = [];
  #control: Control | null = null;
  /** Null for a host that is alone. */
  #fleet: Fleet | null = null;
  /** Null in a dry run. */
  #notes: NoteKeeper | null = null;
  #watched: readonly Watched[] = [];
  #recogniser: Recogniser;
  #grace: Grace;
  #following = 0;

  constructor(
    settings: RunSettings,
    loaded: LoadedRules,
    held: HeldMap,
    clock: Clock,
    output: Output,
  ) {
    this.#settings = settings;
    this.#loaded = loaded;
    this.#held = held;
    this.#clock = clock;
    this.#counters = new Counters(() => clock.now());
    this.#output = counted(output, this.#counters);
    this.#grace = settings.grace;
    const { warn } = this.#output;
    this.#silences = new Silences(() => clock.now().steady, warn);
    this.#drift = new Drift(warn, settings.logUsers === 'plain');
    this.#tornWatch = new TornWatch(warn);
    this.#bookmarks = settings.nowrite
      ? null
      : new Bookmarks(held.map, () => this.#grace.toString(), warn);
    this.#recogniser = this.#recogniserFor(loaded);
    this.#core = new Core({
      rules: loaded,
      bounds: settings,
      map: new TimedMap(held.map, this.#counters),
      clock,
      report: decision => {
        this.#output.report(decision);
        this.#fleet?.report(decision);
      },
      warn,
    });
    this.#pipeline = this.#core.pipeline;
    this.following = new Promise(resolve => this.#end.once('following', resolve));
    this.ended = new Promise((resolve, reject) => {
      this.#end.once('end', resolve);
      this.#end.once('bug', reject);
    });
  }

  async start(names: readonly string[]): Promise<void> {
    const { places, memory, sessions } = this.#recall();
    this.#memory.restore(memory);
    // Open sessions before the first purge: they may keep what is due.
    await this.#core.restore(this.#held, { sessions });
    this.#warnOfEndlessRows();
    if (!this.#settings.nowrite) await this.#core.dropRoster();
    await this.#core.enforce();
    const watching = {
      settings: this.#settings,
      registry: this.#loaded.registry,
      clock: this.#clock,
      places,
    };
    this.#watched = names.map(name => watch(name, this.#receiverFor(name), watching));
    this.#fleet = this.#joinFleet(places);
    this.#notes =
      this.#bookmarks &&
      new NoteKeeper({
        bookmarks: this.#bookmarks,
        watched: this.#watched,
        memory: this.#memory,
        fleet: this.#fleet,
        isSettled: () => this.#pipeline.settled,
      });
    this.#following = names.length;
    for (const name of names) this.#unheard.add(name);
    this.#timers.push(setInterval(() => void this.#watch(this.#pipeline.purge()), PURGE_MS));
    this.#timers.push(setInterval(() => this.#keepBooks(), BOOKMARK_MS));
    this.#control = await Control.open(this.#settings, {
      core: this.#core,
      status: () => this.#status(),
      heard: () => this.#counters.present(),
      warn: this.#output.warn,
    });
    this.#fleet?.start();
    for (const { source } of this.#watched) source.start();
    if (names.length === 0) this.#end.emit('following');
  }

  /** Rows that nothing ends are told at each start. */
  #warnOfEndlessRows(): void {
    const rows = this.#core.endlessRows;
    if (rows.length === 0) return;
    this.#output.warn(
      `rows of the map that are not popbsmtp's let clients relay, and nothing ends that: ${rows.length} ` +
        `(${exampleKeys(rows)}); "popbsmtp list" shows them, "popbsmtp purge --foreign" ends them`,
    );
  }

  /** What the last run has noted. */
  #recall(): Notes {
    const notes = this.#settings.reprocess ? null : this.#bookmarks?.read();
    return notes ?? { places: {}, memory: null, sessions: null };
  }

  async reload(settings: RuleSettings): Promise<void> {
    const loaded = await loadRules(settings, this.#output.warn);
    await this.#pipeline.setRules(loaded);
    this.#recogniser = this.#recogniserFor(loaded);
    this.#grace = settings.grace;
    for (const watched of this.#watched) watched.setRegistry(loaded.registry);
  }

  progress(): Promise<void> {
    return this.#pipeline.purge();
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#control?.close();
    await Promise.all(this.#watched.map(({ source }) => source.stop()));
    await this.#fleet?.stop();
    await this.#pipeline.purge();
    if (!this.#settings.nowrite) await this.#core.saveRoster();
    this.#notes?.noteAtStop(this.#core.sessions?.save(this.#clock.now().steady) ?? null);
    await this.#held.close();
  }

  #recogniserFor(loaded: LoadedRules): Recogniser {
    const now = (): Moment => this.#clock.now();
    return recogniserFor(loaded, () => now().wall, this.#memory, {
      recognised: ({ program }) => {
        if (program !== null) this.#drift.recognised(program);
      },
      unrecognised: line => this.#drift.unrecognised(line, now().steady),
      torn: (line, isLogin) => {
        this.#counters.torn(isLogin);
        this.#tornWatch.torn(line, isLogin, now().steady);
      },
    });
  }

  #receiverFor(name: string): Receiver {
    this.#silences.watch(name);
    return {
      lines: (batch, writtenBy = null) => {
        this.#silences.heard(name);
        this.#counters.lines(name, batch.length);
        this.#output.lines?.(batch);
        return this.#watch(this.#take(batch, writtenBy));
      },
      notice: notice => {
        this.#notice(notice);
        if (this.#unheard.delete(name) && this.#unheard.size === 0) this.#end.emit('following');
      },
    };
  }

  /** Resolves when the rows that lines lead to are in the map. */
  async #take(lines: readonly string[], writtenBy: EpochSeconds | null): Promise<void> {
    this.#recogniser.writtenBy(writtenBy);
    const events: ServerEvent[] = [];
    for (const line of lines) {
      const event = this.#recogniser.recognise(line);
      if (event !== null) events.push(event);
    }
    await this.#pipeline.events(events);
  }

  #notice(notice: Notice): void {
    this.#output.notice(notice);
    if (notice.kind !== 'ended') return;
    this.#following--;
    if (this.#following === 0) this.#end.emit('end');
  }

  #status(): Status {
    return statusOf(this.#counters, {
      version: this.#version,
      map: formatMapSpec(this.#settings.map),
      grace: this.#grace.standard,
      grants: this.#core.grants.size,
      sessions: this.#core.sessions?.size ?? null,
      settled: this.#pipeline.settled,
      overdue: this.#pipeline.overdue,
      fleet: this.#fleet?.status() ?? null,
      places: this.#watched.map(positionOf),
      uptime: this.#clock.now().steady - this.#counters.started.steady,
    });
  }

  #joinFleet(places: Notes['places']): Fleet | null {
    const { fleet, nowrite } = this.#settings;
    // A dry run changes nothing elsewhere either.
    if (fleet === null || (nowrite && fleet.role === 'publish')) return null;
    const settings: FleetSettings = nowrite ? { ...fleet, role: 'subscribe' } : fleet;
    return fleetFor(settings, places[Fleet.placeName(fleet)], {
      core: this.#core,
      output: this.#output,
      nowrite,
      grace: () => this.#grace.longest,
      watch: step => this.#watch(step),
    });
  }

  #keepBooks(): void {
    this.#notes?.note();
    this.#silences.tell();
  }

  /** A step that fails is a bug of ours: the pipeline deals with all that can go wrong outside. */
  async #watch(step: Promise<void>): Promise<void> {
    try {
      await step;
    } catch (error) {
      this.#end.emit('bug', error);
    }
  }
}
