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
import { type Clock, type Moment, systemClock } from '../base/clock.ts';
import { version } from '../base/package.ts';
import { type Status, statusOf } from '../control/status.ts';
import { TimedMap } from '../control/timed-map.ts';
import { readSecrets } from '../fleet/connection.ts';
import type { FleetSettings } from '../fleet/engine.ts';
import { Fleet } from '../fleet/fleet.ts';
import type { Grace } from '../grant/grace.ts';
import { GrantTable } from '../grant/grant-table.ts';
import { type SessionTable, sessionsOf } from '../grant/session-table.ts';
import { type HeldMap, holdMap } from '../map/held-map.ts';
import { formatMapSpec } from '../map/map-types.ts';
import { Drift } from '../recogniser/drift.ts';
import { LogMemory } from '../recogniser/log-memory.ts';
import type { Notice, Receiver } from '../source/source.ts';
import type { Places } from '../state/checkpoint.ts';
import { Bookkeeping } from './bookkeeping.ts';
import { Bookmarks } from './bookmarks.ts';
import { Control } from './control.ts';
import { fleetFor } from './membership.ts';
import { NoteKeeper } from './note-keeper.ts';
import type { Output } from './output.ts';
import { Pipeline, type Rules } from './pipeline.ts';
import { type LoadedRules, loadRules, rulesFor } from './rules.ts';
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
  readonly #bookkeeping: Bookkeeping;
  /** As it was started: an upgrade may have put another one in its place. */
  readonly #version = version();
  readonly #output: Output;
  readonly #memory = new LogMemory();
  readonly #drift: Drift;
  readonly #grants: GrantTable;
  readonly #pipeline: Pipeline;
  /** Null when sessions keep nothing. */
  readonly #sessions: SessionTable | null;
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
    this.#bookkeeping = new Bookkeeping(settings.map, settings.grace, clock, output);
    this.#output = this.#bookkeeping.output;
    this.#grace = settings.grace;
    const { warn } = this.#output;
    this.#silences = new Silences(() => clock.now().steady, warn);
    this.#drift = new Drift(warn, settings.logUsers === 'plain');
    this.#bookmarks = settings.nowrite
      ? null
      : new Bookmarks(held.map, () => this.#grace.toString(), warn);
    this.#sessions = sessionsOf(settings);
    this.#grants = new GrantTable(ip => settings.grace.of(ip), settings.maxGrants);
    this.#pipeline = new Pipeline({
      rules: this.#rulesFor(loaded),
      grants: this.#grants,
      sessions: this.#sessions,
      map: new TimedMap(held.map, this.#bookkeeping.counters),
      clock,
      report: decision => {
        this.#output.report(decision);
        this.#fleet?.report(decision);
      },
      orders: this.#bookkeeping.orders,
    });
    this.following = new Promise(resolve => this.#end.once('following', resolve));
    this.ended = new Promise((resolve, reject) => {
      this.#end.once('end', resolve);
      this.#end.once('bug', reject);
    });
  }

  async start(names: readonly string[]): Promise<void> {
    this.#bookkeeping.readOrders();
    const now = this.#clock.now();
    await this.#held.map.eachGrant(grant => this.#grants.restore(grant, now));
    // Open sessions before the first purge: they may keep what is due.
    const places = this.#recall();
    if (!this.#settings.nowrite) {
      await this.#bookkeeping.takeRoster(ip => this.#grants.dueOf(ip) !== null);
    }
    await this.#pipeline.purge();
    await this.#pipeline.obey(this.#bookkeeping.refused());
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
      pipeline: this.#pipeline,
      grants: this.#grants,
      orders: this.#bookkeeping.orders,
      file: this.#bookkeeping.ordersFile,
      roster: this.#bookkeeping.roster,
      clock: this.#clock,
      status: () => this.#status(),
      warn: this.#output.warn,
    });
    this.#fleet?.start();
    for (const { source } of this.#watched) source.start();
    if (names.length === 0) this.#end.emit('following');
  }

  /** Takes over what the last run has noted; where it had got to. */
  #recall(): Places {
    const notes = this.#settings.reprocess ? null : (this.#bookmarks?.read() ?? null);
    if (notes === null) return {};
    this.#memory.restore(notes.memory);
    this.#sessions?.restore(notes.sessions, this.#clock.now().steady);
    return notes.places;
  }

  async reload(settings: RuleSettings): Promise<void> {
    const loaded = await loadRules(settings, this.#output.warn);
    await this.#pipeline.setRules(this.#rulesFor(loaded));
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
    if (!this.#settings.nowrite) await this.#bookkeeping.leaveRoster();
    this.#notes?.noteAtStop(this.#sessions?.save(this.#clock.now().steady) ?? null);
    await this.#held.close();
  }

  #rulesFor(loaded: LoadedRules): Rules {
    const now = (): Moment => this.#clock.now();
    return rulesFor(loaded, () => now().wall, this.#memory, {
      recognised: ({ program }) => {
        if (program !== null) this.#drift.recognised(program);
      },
      unrecognised: line => this.#drift.unrecognised(line, now().steady),
    });
  }

  #receiverFor(name: string): Receiver {
    this.#silences.watch(name);
    return {
      lines: batch => {
        this.#silences.heard(name);
        this.#bookkeeping.counters.lines(name, batch.length);
        this.#output.lines?.(batch);
        return this.#watch(this.#pipeline.lines(batch));
      },
      notice: notice => {
        this.#notice(notice);
        if (this.#unheard.delete(name) && this.#unheard.size === 0) this.#end.emit('following');
      },
    };
  }

  #notice(notice: Notice): void {
    this.#output.notice(notice);
    if (notice.kind !== 'ended') return;
    this.#following--;
    if (this.#following === 0) this.#end.emit('end');
  }

  #status(): Status {
    const { counters } = this.#bookkeeping;
    return statusOf(counters, {
      version: this.#version,
      map: formatMapSpec(this.#settings.map),
      grace: this.#grace.standard,
      grants: this.#grants.size,
      sessions: this.#sessions?.size ?? null,
      settled: this.#pipeline.settled,
      fleet: this.#fleet?.status() ?? null,
      places: this.#watched.map(positionOf),
      uptime: this.#clock.now().steady - counters.started.steady,
    });
  }

  #joinFleet(places: Places): Fleet | null {
    const { fleet, nowrite } = this.#settings;
    // A dry run changes nothing elsewhere either.
    if (fleet === null || (nowrite && fleet.role === 'publish')) return null;
    const settings: FleetSettings = nowrite ? { ...fleet, role: 'subscribe' } : fleet;
    return fleetFor(settings, places[Fleet.placeName(fleet)], {
      clock: this.#clock,
      grants: this.#grants,
      pipeline: this.#pipeline,
      bookkeeping: this.#bookkeeping,
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
