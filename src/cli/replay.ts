/**
 * `popbsmtp replay`: the whole daemon over finished logs, on their own clock.
 *
 * Grants and purges of the past are played in memory, so that replaying an old log never opens the relay
 * to what was allowed once; at the end the map is made to hold just what would be valid at the log's last
 * time stamp, without those whom an order by hand refuses now; a dry run shows what the log alone says.  Rows of the
 * administrator's stay.
 */
import { type EpochSeconds, logClock, type Moment, systemClock } from '../base/clock.ts';
import { EXIT } from '../base/errors.ts';
import { quantity } from '../base/quantity.ts';
import { Core } from '../daemon/core.ts';
import { type LoadedRules, loadRules, recogniserFor } from '../daemon/rules.ts';
import { type ReplaySettings, replaySettings } from '../daemon/settings.ts';
import type { Decision } from '../grant/decision.ts';
import { Orders } from '../grant/orders.ts';
import { formatCtime, StampReader } from '../line/stamp.ts';
import { holdMap } from '../map/held-map.ts';
import type { LookupMap } from '../map/map.ts';
import { MemoryMap } from '../map/memory-map.ts';
import { becomeOwner } from '../map/privileges.ts';
import { difference } from '../map/row.ts';
import { allOf } from '../map/spec.ts';
import { withConfig } from '../options/config.ts';
import type { Values } from '../options/values.ts';
import type { ServerEvent } from '../recogniser/event.ts';
import { LogMemory } from '../recogniser/log-memory.ts';
import type { Registry } from '../recogniser/registry.ts';
import { Advice } from '../report/advice.ts';
import { debugLines, decisionJson, withShownUser } from '../report/decisions.ts';
import { IgnoredTable } from '../report/ignored-table.ts';
import { type Log, openLog } from '../report/log.ts';
import { print } from '../report/print.ts';
import { type ProgressMeter, progressMeter } from '../report/progress-meter.ts';
import { type ShowUser, shownUsers } from '../report/user-names.ts';
import type { FinishedLog } from '../source/finished-log.ts';
import { ordersFile } from '../state/state-file.ts';
import { openFinished } from './finished.ts';
import { collectEarly } from './heap.ts';

/** @throws Failure of any setting, of a log or of the map */
export async function replay(values: Values, files: readonly string[]): Promise<number> {
  collectEarly();
  const settings = replaySettings(withConfig(values));
  let loaded: LoadedRules | null = null;
  const registry = (): Registry => {
    if (loaded === null) throw new TypeError('a log is read before the patterns are');
    return loaded.registry;
  };
  const logs = await openFinished(files, registry, settings);
  becomeOwner(allOf(settings));
  // Decisions and summary go elsewhere; the log has only what is wrong.
  const log = openLog({ ...settings, debug: true });
  const warn = (text: string): void => log.write({ level: 'warn', text });
  // The log may be another machine's, of another time: what this one's addresses are says nothing about it.
  const rules = await loadRules({ ...settings, refuseOwn: false }, warn);
  loaded = rules;
  const refused = settings.nowrite ? null : refusedNow(settings);
  const show = await shownUsers(settings);
  const held = await holdMap(settings.map, settings.nowrite, warn, settings.mirrors);
  try {
    const rows = await held.map.rows();
    const memory = new MemoryMap(
      settings.map,
      rows.filter(({ stamp }) => stamp === null),
    );
    const player = new Player({ settings, rules, map: memory, show, log });
    const meter = progressMeter(logs, settings.json || settings.debug);
    try {
      for (const finished of logs) await player.play(finished, meter);
    } finally {
      meter?.clear();
    }
    await player.finish(refused);
    held.map.setGrace?.(ip => rules.grace.of(ip));
    await held.map.commit(difference(rows, await memory.rows()));
  } finally {
    await held.close();
    await log.close();
  }
  return EXIT.ok;
}

/** Whom orders refuse now. */
interface Refused {
  readonly orders: Orders;
  readonly now: Moment;
}

/** @throws Failure STATE_UNREADABLE */
function refusedNow({ map, grace }: ReplaySettings): Refused {
  const now = systemClock().now();
  const orders = new Orders(() => grace);
  orders.restore(ordersFile(map).read(), now);
  return { orders, now };
}

class Player {
  readonly #settings: ReplaySettings;
  readonly #rules: LoadedRules;
  readonly #core: Core;
  readonly #clock = logClock();
  readonly #log: Log;
  readonly #advice = new Advice();
  readonly #counts = { lines: 0, granted: 0, refreshed: 0, ignored: 0, purged: 0 };
  readonly #ignored = new IgnoredTable();
  #text = '';

  constructor(parts: {
    readonly settings: ReplaySettings;
    readonly rules: LoadedRules;
    readonly map: LookupMap;
    readonly show: ShowUser;
    readonly log: Log;
  }) {
    const { settings, rules, map, show, log } = parts;
    this.#settings = settings;
    this.#rules = rules;
    this.#log = log;
    this.#core = new Core({
      rules,
      bounds: settings,
      map,
      hasHistory: false,
      clock: this.#clock,
      report: decision => this.#report(withShownUser(decision, show)),
      warn: text => log.write({ level: 'warn', text }),
    });
  }

  async play(log: FinishedLog, meter: ProgressMeter | null): Promise<void> {
    const stamps = new StampReader(() => log.modified, this.#settings.watchlogZone);
    const recogniser = recogniserFor(this.#rules, stamps, new LogMemory());
    let end: EpochSeconds | null = null;
    for await (const batch of log.batches(recogniser.reading())) {
      const events: ServerEvent[] = [];
      for (let index = 0; index < batch.size; index++) {
        const event = recogniser.recogniseIn(batch, index);
        if (event !== null) events.push(event);
      }
      await this.#core.pipeline.events(events);
      await this.#print();
      meter?.update();
      end = recogniser.timeOf(batch.last()) ?? end;
    }
    this.#counts.lines += log.lines();
    if (end !== null) this.#clock.now(end);
  }

  /** Ends what would have ended by the last time stamp, and says what happened. */
  async finish(refused: Refused | null): Promise<void> {
    await this.#core.pipeline.purge();
    if (refused !== null) await this.#refuse(refused);
    await this.#print();
    const { lines, granted, refreshed, ignored, purged } = this.#counts;
    const { wall } = this.#clock.now();
    const when = wall === 0 ? 'at the end' : `at ${formatCtime(wall)}`;
    process.stderr.write(
      `${quantity(lines, 'line')}; logins: ${granted} granted, ${refreshed} refreshed, ${ignored} ignored; ` +
        `${purged} purged; ${quantity(this.#core.grants.size, 'grant')} ${when}\n${this.#ignored.text()}`,
    );
  }

  async #refuse({ orders, now }: Refused): Promise<void> {
    const { pipeline, roster } = this.#core;
    await pipeline.applyOrders(orders.refused(user => roster.ofUser(user).ips, now));
  }

  #report(decision: Decision): void {
    const advised = this.#advice.on(decision);
    if (advised !== null) this.#log.write(advised);
    if (decision.kind === 'login') this.#count(decision);
    if (decision.kind === 'purged' || decision.kind === 'withdrawn') this.#counts.purged++;
    const { json, debug, nowrite } = this.#settings;
    if (json) {
      const object = decisionJson(decision);
      if (object !== null) this.#text += `${JSON.stringify(object)}\n`;
    } else if (debug) {
      for (const line of debugLines(decision, nowrite)) this.#text += `${line}\n`;
    }
  }

  #count({ login, outcome }: Extract<Decision, { kind: 'login' }>): void {
    this.#counts[outcome.kind]++;
    if (outcome.kind === 'ignored') this.#ignored.count(outcome.reason, login.user);
  }

  async #print(): Promise<void> {
    const text = this.#text;
    this.#text = '';
    await print(text);
  }
}
