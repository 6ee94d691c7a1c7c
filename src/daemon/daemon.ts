/**
 * The running daemon: sources, pipeline and map put together, with the clock that purges.
 *
 * Promises: whatever is wrong with the settings is found before the map is touched; grants that the map holds
 * from an earlier run go on where they were, and the logs are read on from where that run had got to; what is due is
 * purged at start and then when it is due, a quarter of a second late at most, whether or not a line arrives; a reload that fails changes
 * nothing.  A stop commits, notes the places, closes and keeps the rows.
 * Leaves to others: signals and processes (cli/run.ts), how anything is printed (the output).
 */
import { EventEmitter } from 'node:events';
import { every } from '../base/beat.ts';
import { epoch, systemClock } from '../base/clock.ts';
import { version } from '../base/package.ts';
import type { ConfigurationState } from '../control/configuration-state.ts';
import { Counters } from '../control/counters.ts';
import { type Status, statusOf } from '../control/status.ts';
import { checkSecrets } from '../fleet/dial.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Decision } from '../grant/decision.ts';
import type { History } from '../history/history.ts';
import { SendingLimits, sendingOf } from '../history/sending.ts';
import { type HeldMap, holdMap } from '../map/held-map.ts';
import { formatMapSpec } from '../map/map-types.ts';
import { requireOwnFiles } from '../map/redirection.ts';
import { allOf } from '../map/spec.ts';
import { loadMailRecogniser } from '../mta/load.ts';
import type { MailRecogniser } from '../mta/mail-recogniser.ts';
import type { Registry } from '../recogniser/registry.ts';
import type { Notes } from '../state/checkpoint.ts';
import { CheckpointKeeper } from './checkpoint-keeper.ts';
import { Control } from './control.ts';
import { Core } from './core.ts';
import { warnOfEndlessRows } from './endless-rows.ts';
import { endFormerMaps } from './former.ts';
import { historyOf, mailTags, startHistory, stopHistory, tellExceeding } from './history.ts';
import { Intake } from './intake.ts';
import type { LoadedConfiguration } from './loaded-configuration.ts';
import { logChange } from './log-change.ts';
import { joinFleet } from './membership.ts';
import { MinutesKeeper } from './minutes-keeper.ts';
import { counted, type Output } from './output.ts';
import type { Pipeline } from './pipeline.ts';
import { PurgeTimer } from './purge-timer.ts';
import { type LoadedRules, loadRules } from './rules.ts';
import type { RuleSettings, RunSettings, StartSettings } from './settings.ts';
import { positionOf } from './source-position.ts';
import { checkLogs, type MailTags, type SourceHandle, type WatchedLog, watch } from './sources.ts';
import type { Supervised } from './systemd.ts';

const BEAT_MS = 1000;
const MINUTE_MS = 60_000;

export interface Daemon extends Supervised {
  /** Resolves when every source has come to its end (standard input); rejects when there is a bug in us. */
  readonly ended: Promise<void>;
  /** @throws Failure of any setting that is wrong, with the old state still in force */
  reload(settings: RuleSettings): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts everything; the logs are being followed when it resolves.
 *
 * @param configuration what the settings came from, for who asks over the control socket; null where nobody shall
 * @throws Failure of any setting, of the logs or of the map
 */
export async function startDaemon(
  settings: RunSettings,
  output: Output,
  configuration: LoadedConfiguration | null = null,
): Promise<Daemon> {
  if (settings.fleet !== null) checkSecrets(settings.fleet);
  const loaded = await loadRules(settings, output.warn);
  const mail = keepsHistory(settings) ? await loadMailRecogniser() : null;
  const logs = await checkLogs(settings, loaded.registry, output.notice);
  const { map, nowrite, mirrors } = settings;
  // Of a mirror as well: Postfix could read rows in its other file that nothing would ever end.
  await requireOwnFiles(allOf(settings));
  const held = await holdMap(map, nowrite, output.warn, mirrors);
  const parts = { settings, logs, loaded, held, mail, output, configuration };
  const running = new RunningDaemon(parts);
  try {
    await endFormerMaps(settings, output.warn);
    await running.start(loaded.registry);
  } catch (error) {
    await held.close();
    throw error;
  }
  return running;
}

/** Not in a dry run. */
const keepsHistory = ({ history, nowrite }: RunSettings): boolean => history !== null && !nowrite;

interface DaemonParts {
  readonly settings: RunSettings;
  readonly logs: readonly WatchedLog[];
  readonly loaded: LoadedRules;
  readonly held: HeldMap;
  readonly mail: MailRecogniser | null;
  readonly output: Output;
  readonly configuration: LoadedConfiguration | null;
}

class RunningDaemon implements Daemon {
  readonly ended: Promise<void>;
  readonly following: Promise<void>;
  readonly #settings: StartSettings;
  readonly #logs: readonly WatchedLog[];
  readonly #held: HeldMap;
  readonly #clock = systemClock();
  readonly #counters: Counters;
  /** As it was started: an upgrade may have put another one in its place. */
  readonly #version = version();
  /** What is told is counted on its way. */
  readonly #output: Output;
  readonly #configuration: LoadedConfiguration | null;
  /** Postfix's own mynetworks that are in force; null where they are not asked for. */
  #mynetworks: string | null;
  #registry: Registry;
  readonly #core: Core;
  readonly #pipeline: Pipeline;
  /** Null in a dry run. */
  readonly #checkpoint: CheckpointKeeper | null;
  readonly #intake: Intake;
  readonly #mail: MailTags | null;
  readonly #sending: SendingLimits;
  /** Null where none is kept. */
  readonly #history: History | null;
  readonly #bugs = new EventEmitter<{ bug: [unknown] }>();
  readonly #timers: (() => void)[] = [];
  readonly #purgeTimer: PurgeTimer;
  readonly #minutes: MinutesKeeper;
  #control: Control | null = null;
  /** Null for a host that is alone. */
  #fleet: Fleet | null = null;
  #watched: readonly SourceHandle[] = [];

  constructor({ settings, logs, loaded, held, mail, output, configuration }: DaemonParts) {
    const clock = this.#clock;
    this.#settings = settings;
    this.#logs = logs;
    this.#held = held;
    this.#configuration = configuration;
    this.#mynetworks = loaded.classifier.asked;
    this.#registry = loaded.registry;
    this.#counters = new Counters(() => clock.now());
    this.#output = counted(output, this.#counters);
    const { warn } = this.#output;
    const { map, nowrite } = settings;
    this.#minutes = new MinutesKeeper({
      minutes: this.#counters.minutes,
      map,
      nowrite,
      clock,
      warn,
    });
    this.#core = new Core({
      rules: loaded,
      bounds: settings,
      map: held.map,
      commits: this.#counters,
      clock,
      report: decision => this.#decided(decision),
      warn,
    });
    this.#pipeline = this.#core.pipeline;
    const purge = (): void => void this.#watch(this.#pipeline.purge());
    this.#purgeTimer = new PurgeTimer(this.#core.grants, clock, purge, BEAT_MS);
    this.#sending = new SendingLimits(sendingOf(settings));
    this.#mail = mail && mailTags(mail, settings.syslogNames);
    this.#history =
      mail &&
      historyOf(settings, {
        ...{ mail, core: this.#core, output: this.#output, sending: this.#sending },
        counters: this.#counters,
        exceeded: exceeding => {
          const report = (decision: Decision): void => this.#decided(decision);
          void this.#watch(tellExceeding(exceeding, { core: this.#core, report, warn }));
        },
      });
    this.#intake = new Intake({
      names: logs.map(({ name }) => name),
      rules: loaded,
      pipeline: this.#pipeline,
      counters: this.#counters,
      output: this.#output,
      now: () => clock.now(),
      zone: settings.watchlogZone,
      watch: step => this.#watch(step),
      room: async () => this.#fleet?.room(),
      history: this.#history,
      isQuoted: settings.logUsers === 'plain',
    });
    this.#checkpoint = settings.nowrite
      ? null
      : new CheckpointKeeper({
          map: held.map,
          core: this.#core,
          memory: this.#intake.memory,
          warn,
        });
    this.following = this.#intake.following;
    this.ended = new Promise((resolve, reject) => {
      void this.#intake.ended.then(resolve);
      this.#bugs.once('bug', reject);
    });
  }

  async start(registry: Registry): Promise<void> {
    this.#minutes.recall();
    const { places, memory, sessions } = this.#recall();
    this.#intake.memory.restore(memory);
    // Open sessions before the first purge: they may keep what is due.
    await this.#core.restore(this.#held, { sessions });
    const mirrors = this.#settings.nowrite ? [] : this.#settings.mirrors;
    await warnOfEndlessRows(this.#core.endlessRows, mirrors, this.#output.warn);
    if (!this.#settings.nowrite) await this.#core.noteRoster();
    await this.#core.enforce();
    if (this.#history !== null) await startHistory(this.#history);
    const watching = {
      settings: this.#settings,
      registry,
      since: () => epoch(this.#clock.now().wall - this.#core.grace.longest),
      places,
      mail: this.#mail,
      logs: this.#logs,
      receiverOf: (name: string, file?: string) => this.#intake.receiverOf(name, file),
    };
    this.#watched = this.#logs.map(log => watch(log, watching));
    this.#fleet = joinFleet(this.#settings, places, {
      core: this.#core,
      output: this.#output,
      watch: step => this.#watch(step),
    });
    this.#checkpoint?.keep(this.#watched, this.#fleet);
    this.#timers.push(every(BEAT_MS, () => this.#beat()));
    this.#timers.push(every(MINUTE_MS, () => void this.#watch(this.#minutes.save())));
    this.#control = await Control.open(this.#settings, {
      core: this.#core,
      sentBy: ip => this.#history?.ledger.sentBy(ip) ?? null,
      status: () => this.#status(),
      configuration: () => this.#configurationState(),
      heard: () => this.#counters.present(),
      report: decision => this.#decided(decision),
      hashedUser: this.#output.hashedUser ?? (() => null),
      warn: this.#output.warn,
    });
    this.#fleet?.start();
    for (const { source } of this.#watched) source.start();
  }

  /** What the last run has noted. */
  #recall(): Notes {
    const notes = this.#settings.reprocess ? null : this.#checkpoint?.read();
    return notes ?? { places: {}, memory: null, sessions: null };
  }

  async reload(settings: RuleSettings): Promise<void> {
    await requireOwnFiles(allOf(this.#settings));
    const loaded = await loadRules(settings, this.#output.warn);
    await this.#pipeline.setRules(loaded);
    this.#sending.settings = sendingOf(settings);
    this.#intake.setRules(loaded);
    this.#mynetworks = loaded.classifier.asked;
    this.#registry = loaded.registry;
    for (const watched of this.#watched) watched.setRegistry(loaded.registry);
  }

  progress(): Promise<void> {
    return this.#pipeline.purge();
  }

  async stop(): Promise<void> {
    for (const end of this.#timers) end();
    this.#purgeTimer.stop();
    await this.#control?.close();
    await Promise.all(this.#watched.map(({ source }) => source.stop()));
    await this.#fleet?.stop();
    await this.#pipeline.purge();
    if (!this.#settings.nowrite) await this.#core.saveRoster();
    if (this.#history !== null) await stopHistory(this.#history, this.#output.warn);
    await this.#minutes.save();
    this.#checkpoint?.noteAtStop();
    await this.#held.close();
  }

  #decided(decision: Decision): void {
    this.#output.report(decision);
    this.#history?.report(decision);
    this.#fleet?.report(decision);
  }

  async #configurationState(): Promise<ConfigurationState | null> {
    const state = await this.#configuration?.state(this.#mynetworks);
    if (state === undefined) return null;
    const change = await logChange(this.#settings, this.#logs, this.#registry);
    return change === null ? state : { ...state, changes: [...state.changes, change] };
  }

  #status(): Status {
    return statusOf(this.#counters, {
      version: this.#version,
      map: formatMapSpec(this.#settings.map),
      grace: this.#core.grace.standard,
      grants: this.#core.grants.size,
      sessions: this.#core.sessions?.size ?? null,
      settled: this.#pipeline.settled,
      trouble: this.#pipeline.trouble?.line ?? null,
      overdue: this.#pipeline.overdue,
      fleet: this.#fleet?.status() ?? null,
      places: this.#watched.map(positionOf),
      uptime: this.#clock.now().steady - this.#counters.started.steady,
    });
  }

  #beat(): void {
    this.#purgeTimer.beat();
    this.#keepBooks();
  }

  #keepBooks(): void {
    this.#counters.grants(this.#core.grants.size);
    if (this.#checkpoint !== null) {
      const steps = [this.#core.noteRoster(), this.#history?.commit()];
      this.#checkpoint.note(this.#watch(Promise.all(steps).then(() => undefined)));
    }
    this.#intake.tellSilences();
  }

  /** A step that fails is a bug of ours: the pipeline deals with all that can go wrong outside. */
  async #watch(step: Promise<void>): Promise<void> {
    try {
      await step;
    } catch (error) {
      this.#bugs.emit('bug', error);
    }
  }
}
