/**
 * The running daemon: sources, pipeline and map put together, with the clock that purges.
 *
 * Promises: whatever is wrong with the settings is found before the map is touched; grants that the map holds
 * from an earlier run go on where they were; what is due is purged at start and then four times a second,
 * whether or not a line arrives; a reload that fails changes nothing.  A stop commits, closes and keeps the rows.
 * Leaves to others: signals and processes (cli/run.ts), how anything is printed (the output).
 */
import { EventEmitter } from 'node:events';
import { canonicalIp } from '../classifier/address.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { Report } from '../decision.ts';
import { GrantTable } from '../grant/grant-table.ts';
import type { Row } from '../map/map.ts';
import { Pipeline, type Rules } from '../pipeline.ts';
import { LogMemory } from '../recogniser/log-memory.ts';
import { sessionsOf } from '../session/session-table.ts';
import type { RuleSettings, RunSettings } from '../settings.ts';
import type { Notice, Receiver, Source } from '../source/source.ts';
import { type HeldMap, holdMap } from './held-map.ts';
import { loadRules, rulesFor } from './rules.ts';
import { checkLogs, makeSource } from './sources.ts';

const PURGE_MS = 250;

export interface Output {
  readonly report: Report;
  notice(notice: Notice): void;
  warn(text: string): void;
}

export interface Daemon {
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
  const watchlog = checkLogs(settings.watchlog);
  const memory = new LogMemory();
  const load = async (changed: RuleSettings): Promise<Rules> =>
    rulesFor(await loadRules(changed, output.warn), () => clock.now().wall, memory);
  const rules = await load(settings);
  const held = await holdMap(settings.map, settings.nowrite, output.warn);
  const grants = new GrantTable(settings.grace, settings.maxGrants);
  restore(grants, held.rows, clock);
  const pipeline = new Pipeline({
    rules,
    grants,
    sessions: sessionsOf(settings),
    map: held.map,
    clock,
    report: output.report,
  });
  await pipeline.purge();
  const running = new RunningDaemon(pipeline, held, load, output);
  running.start(watchlog.map(path => makeSource(path, settings, clock, running.receiver)));
  return running;
}

/** Rows with another key than an address, or another value than a time, are the administrator's. */
function restore(grants: GrantTable, rows: readonly Row[], clock: Clock): void {
  const now = clock.now();
  for (const { key, stamp } of rows) {
    const ip = canonicalIp(key);
    if (stamp !== null && ip === key) grants.restore({ ip, stamp }, now);
  }
}

class RunningDaemon implements Daemon {
  readonly #pipeline: Pipeline;
  readonly #held: HeldMap;
  readonly #load: (settings: RuleSettings) => Promise<Rules>;
  readonly #output: Output;
  readonly #end = new EventEmitter<{ end: []; bug: [unknown] }>();
  readonly ended: Promise<void>;
  #sources: readonly Source[] = [];
  #following = 0;
  #purging: NodeJS.Timeout | null = null;

  constructor(
    pipeline: Pipeline,
    held: HeldMap,
    load: (settings: RuleSettings) => Promise<Rules>,
    output: Output,
  ) {
    this.#pipeline = pipeline;
    this.#held = held;
    this.#load = load;
    this.#output = output;
    this.ended = new Promise((resolve, reject) => {
      this.#end.once('end', resolve);
      this.#end.once('bug', reject);
    });
  }

  get receiver(): Receiver {
    return {
      lines: batch => this.#watch(this.#pipeline.lines(batch)),
      notice: notice => this.#notice(notice),
    };
  }

  start(sources: readonly Source[]): void {
    this.#sources = sources;
    this.#following = sources.length;
    this.#purging = setInterval(() => void this.#watch(this.#pipeline.purge()), PURGE_MS);
    for (const source of sources) source.start();
  }

  async reload(settings: RuleSettings): Promise<void> {
    const rules = await this.#load(settings);
    await this.#pipeline.setRules(rules);
    await this.#pipeline.setGrace(settings.grace);
  }

  async stop(): Promise<void> {
    if (this.#purging !== null) clearInterval(this.#purging);
    await Promise.all(this.#sources.map(source => source.stop()));
    await this.#pipeline.purge();
    await this.#held.close();
  }

  #notice(notice: Notice): void {
    this.#output.notice(notice);
    if (notice.kind !== 'ended') return;
    this.#following--;
    if (this.#following === 0) this.#end.emit('end');
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
