/**
 * `popbsmtp history --import`: finished logs through the whole daemon, on their own clock, into the history.
 *
 * Promises: the map is not touched, and no grant comes of it; a log that was imported before, or that the daemon has read, adds nothing
 * again; a daemon may run meanwhile.
 * Known limit: a grant that is older than the first line of the logs is not known, nor what was relayed by it.
 */
import { type EpochSeconds, logClock } from '../base/clock.ts';
import { EXIT } from '../base/errors.ts';
import { quantity } from '../base/quantity.ts';
import { Core, UNBOUNDED } from '../daemon/core.ts';
import { liveIn } from '../daemon/history.ts';
import { type LoadedRules, loadRules, recogniserFor } from '../daemon/rules.ts';
import { rulesOf } from '../daemon/settings.ts';
import { BLOCK_BYTES, BlockWriter, blockKey, firstSerial, HOUR, hourOf } from '../history/block.ts';
import type { Entry } from '../history/entry.ts';
import { History, type Sink } from '../history/history.ts';
import { HistoryFile } from '../history/history-file.ts';
import { missingOf } from '../history/merge.ts';
import { mostRefusals } from '../history/refusals.ts';
import { parseSize } from '../history/size.ts';
import { StampReader } from '../line/stamp.ts';
import { MemoryMap } from '../map/memory-map.ts';
import { mapsOf } from '../map/spec.ts';
import { loadMailRecogniser } from '../mta/load.ts';
import { settingsOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import type { ServerEvent } from '../recogniser/event.ts';
import { LogMemory } from '../recogniser/log-memory.ts';
import { warn } from '../report/print.ts';
import { progressMeter } from '../report/progress-meter.ts';
import { shownUsers } from '../report/user-names.ts';
import { type FinishedLog, openFinishedLog } from '../source/finished-log.ts';
import { beside } from '../state/beside.ts';

/** Hours for which entries of an older one may still come. */
const LATE = 2;

/** @throws Failure of a setting, of a log, HISTORY */
export async function importLogs(values: Values, paths: readonly string[]): Promise<number> {
  const settings = settingsOf(values, 'history');
  const maps = mapsOf(settings);
  const rules = await loadRules({ ...rulesOf(values, maps), refuseOwn: false }, warn);
  const logs = paths.map(openFinishedLog);
  const show = await shownUsers({ ...settings, ...maps, nowrite: false });
  const path = beside(maps.map, 'history');
  const most = parseSize(settings.historySize);
  const file = await HistoryFile.open(path, { most, warn });
  try {
    const sink = new ImportSink(file);
    const map = new MemoryMap(maps.map, []);
    const importer = await Importer.load({ rules, map, sink, show, refusals: mostRefusals(most) });
    const meter = progressMeter(logs, false);
    for (const log of logs) await importer.read(log, () => meter?.update());
    meter?.clear();
    await importer.finish();
    process.stderr.write(
      `${quantity(importer.lines, 'line')}; ${quantity(sink.added, 'new entry', 'new entries')} in ${path}\n`,
    );
  } finally {
    await file.close();
  }
  return EXIT.ok;
}

interface ImporterParts {
  readonly rules: LoadedRules;
  readonly map: MemoryMap;
  readonly sink: ImportSink;
  readonly show: (user: string | null) => string | null;
  /** Kept of an hour. */
  readonly refusals: number;
}

class Importer {
  lines = 0;
  readonly #rules: LoadedRules;
  readonly #core: Core;
  readonly #history: History;
  readonly #clock = logClock();
  readonly #sink: ImportSink;

  static async load(parts: ImporterParts): Promise<Importer> {
    return new Importer(parts, await loadMailRecogniser());
  }

  private constructor(
    { rules, map, sink, show, refusals }: ImporterParts,
    mail: Awaited<ReturnType<typeof loadMailRecogniser>>,
  ) {
    this.#rules = rules;
    this.#sink = sink;
    this.#core = new Core({
      rules,
      bounds: UNBOUNDED,
      map,
      clock: this.#clock,
      report: decision => this.#history.report(decision),
      warn,
    });
    this.#history = new History({
      mail,
      sink: () => sink,
      live: liveIn(this.#core),
      kept: show,
      refusals,
      hadGrant: ip => this.#core.history.of(ip).end !== null,
      now: () => this.#clock.now().wall,
      endOf: ({ ip, stamp }) => Math.min(this.#clock.now().wall, stamp + this.#core.grace.of(ip)),
    });
  }

  async read(log: FinishedLog, progress: () => void): Promise<void> {
    let mailTime: EpochSeconds | null = null;
    let isMail = false;
    const stamps = new StampReader(() => log.modified);
    const recogniser = recogniserFor(this.#rules, stamps, new LogMemory(), {
      unrecognised: () => undefined,
      stranger: line => {
        mailTime = recogniser.timeOf(line);
        isMail = this.#history.line(line, mailTime);
      },
    });
    const reading = recogniser.reading();
    // Under whatever name the mail server logs.
    reading.sieve.sampling?.admitAll();
    for await (const batch of log.batches(reading)) {
      const events: ServerEvent[] = [];
      for (let index = 0; index < batch.size; index++) {
        isMail = false;
        const event = recogniser.recogniseIn(batch, index);
        if (event !== null) events.push(event);
        // In the order of the lines: whoever has a grant then is asked when all before has been decided.
        if (isMail) await this.#settle(events.splice(0), mailTime);
      }
      await this.#settle(events, null);
      await this.#sink.commit(this.#clock.now().wall);
      progress();
    }
    this.lines += log.lines();
  }

  async finish(): Promise<void> {
    await this.#core.pipeline.purge();
    await this.#sink.close();
  }

  async #settle(events: readonly ServerEvent[], time: EpochSeconds | null): Promise<void> {
    if (events.length > 0) await this.#core.pipeline.events(events);
    if (time !== null) this.#clock.now(time);
    await this.#core.pipeline.purge();
    this.#history.settle();
  }
}

/** Keeps entries by hours until no more of an hour come, and adds those that the history has not. */
class ImportSink implements Sink {
  added = 0;
  readonly #file: HistoryFile;
  readonly #hours = new Map<number, Entry[]>();
  #serial = firstSerial(Date.now() / 1000);

  constructor(file: HistoryFile) {
    this.#file = file;
  }

  add(entry: Entry): void {
    const hour = hourOf(entry.time);
    const entries = this.#hours.get(hour);
    if (entries === undefined) this.#hours.set(hour, [entry]);
    else entries.push(entry);
  }

  /** Messages that are in the queue at the end of old logs are no business of the daemon's. */
  note(): void {}

  async commit(now: number): Promise<void> {
    for (const [hour, entries] of this.#hours)
      if ((hour + 1 + LATE) * HOUR <= now) await this.#write(hour, entries);
  }

  async close(): Promise<void> {
    for (const [hour, entries] of this.#hours) await this.#write(hour, entries);
  }

  async #write(hour: number, entries: readonly Entry[]): Promise<void> {
    this.#hours.delete(hour);
    const known: Entry[] = [];
    await this.#file.visit(hour, hour + 1, entry => known.push(entry));
    const missing = missingOf(entries, known);
    this.added += missing.length;
    const blocks = [];
    let writer = new BlockWriter(hour);
    for (const entry of missing) {
      if (writer.length >= BLOCK_BYTES) {
        blocks.push(writer.stored(blockKey(hour, this.#serial++)));
        writer = new BlockWriter(hour);
      }
      writer.add(entry);
    }
    if (missing.length > 0) blocks.push(writer.stored(blockKey(hour, this.#serial++)));
    await this.#file.write({ blocks, messages: new Map() });
  }
}
