/**
 * `popbsmtp purge`: ends what is due when no daemon is there to do it.
 *
 * For a stop hook and a timer (init/), so that a daemon that has died leaves no door open.  What is due, and what an
 * allowance by hand keeps, is decided as the daemon would; so is what becomes of maps that the configuration names no
 * more.  While a daemon owns the map, and where there is no map, there is nothing to do, and that is no error; that
 * another program holds a lock is one.
 * `--all` ends every grant and every allowance, for a removal, and fails loudly when a row is left; `--foreign` the rows
 * that are not popbsmtp's and by which clients may relay, so not those that only refuse.  Neither works while a daemon
 * owns the map: that would go on granting, and has orders of its own in memory.
 * It does not ask what Postfix permits besides, so it works when Postfix does not; an address in mynetworks may relay
 * anyway.
 */
import { systemClock } from '../base/clock.ts';
import { type ErrorCode, EXIT, Failure, failure } from '../base/errors.ts';
import { quantity } from '../base/quantity.ts';
import type { Classifier } from '../classifier/classifier.ts';
import { Core, UNBOUNDED } from '../daemon/core.ts';
import { dueRows } from '../daemon/due-rows.ts';
import { endFormerMaps } from '../daemon/former.ts';
import { classifierFor } from '../daemon/rules.ts';
import { barsOf, configurationOf } from '../daemon/settings.ts';
import type { Decision } from '../grant/decision.ts';
import { type Grace, graceOf } from '../grant/grace.ts';
import { NO_POLICY } from '../grant/policy.ts';
import { type HeldMap, holdMap } from '../map/held-map.ts';
import type { MapSpec, Row } from '../map/map.ts';
import { formatMapSpec, mapExists, readRows } from '../map/map-types.ts';
import type { Trouble } from '../map/mirror.ts';
import { becomeOwner } from '../map/privileges.ts';
import { exampleKeys, grantOf, isEndless } from '../map/row.ts';
import { allOf, type Maps, mapsOf } from '../map/spec.ts';
import { withConfig } from '../options/config.ts';
import { type Settings, settingsOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import { debugLines } from '../report/decisions.ts';
import { say, warn } from '../report/print.ts';
import { shown } from '../report/shown.ts';

/** @throws Failure of the configuration or of the map; with `--all` or `--foreign` also MAP_OWNED, ROWS_LEFT */
export async function purge(values: Values): Promise<number> {
  const settings = settingsOf(withConfig(values), 'purge');
  const grace = graceOf(settings);
  const maps = mapsOf(settings);
  becomeOwner(allOf(maps));
  const classifier = await classifierOf(settings);
  const troubles = await purgeMap(maps, settings, grace, classifier).catch(async error => {
    throw await lockedOut(error, maps.map, grace, classifier);
  });
  const locked = troubles.find(({ failure: { code } }) => LOCKED.has(code));
  if (locked !== undefined) throw await lockedOut(locked.failure, locked.spec, grace, classifier);
  if (settings.foreign) for (const spec of allOf(maps)) await endForeign(spec);
  const place = { ...maps, nowrite: false, configuration: configurationOf(settings) };
  const former = await endFormerMaps(place, warn, { isStart: false });
  if (settings.all) for (const spec of [...allOf(maps), ...former]) await requireNoGrants(spec);
  return EXIT.ok;
}

/** The error, which says of a lock how many rows it keeps open. */
async function lockedOut(
  error: unknown,
  map: MapSpec,
  grace: Grace,
  classifier: Classifier,
): Promise<unknown> {
  if (!(error instanceof Failure) || !LOCKED.has(error.code)) return error;
  const rows = await readRows(map).then(
    async found => {
      const due = (await dueRows(map, found, grace, classifier)).length;
      return quantity(due, 'row that is due is', 'rows that are due are');
    },
    () => 'an unknown number of rows that are due are',
  );
  const { message: reason, hint } = error;
  return failure('PURGE_LOCKED', { rows, map: formatMapSpec(map), reason, hint }, error);
}

const LOCKED: ReadonlySet<ErrorCode> = new Set(['MAP_LOCKED', 'OWNER_LOCKED']);

/** @returns what kept maps that follow the first from losing their rows */
async function purgeMap(
  maps: Maps,
  settings: Settings<'purge'>,
  grace: Grace,
  classifier: Classifier,
): Promise<readonly Trouble[]> {
  const held = await hold(maps, settings);
  if (held === null) return [];
  try {
    await end(held, settings, grace, classifier);
  } finally {
    await held.close();
  }
  return held.troubles?.() ?? [];
}

/** What is to end besides what is due. */
interface What {
  readonly all: boolean;
  readonly foreign: boolean;
}

/** Null when there is no map; also when a daemon owns it, which ends what is due itself, and nothing else. */
async function hold(maps: Maps, { all, foreign }: What): Promise<HeldMap | null> {
  const { map, mirrors } = maps;
  // One that follows a map which is gone would keep its rows: it is made equal to an empty one.
  if (!(await Promise.all(allOf(maps).map(mapExists))).includes(true)) return null;
  try {
    return await holdMap(map, false, warn, mirrors);
  } catch (error) {
    const isOwned = error instanceof Failure && error.code === 'MAP_OWNED';
    if (isOwned && !all && !foreign) return null;
    throw error;
  }
}

/** Looks at what Postfix would see. @throws Failure ROWS_LEFT; of the map */
async function requireNoGrants(spec: MapSpec): Promise<void> {
  if (!(await mapExists(spec))) return;
  const left = (await readRows(spec)).filter(row => grantOf(row) !== null);
  if (left.length > 0) throw rowsLeft(spec, left, '--all');
}

const rowsLeft = (spec: MapSpec, rows: readonly Row[], option: string): Failure =>
  failure('ROWS_LEFT', {
    map: formatMapSpec(spec),
    rows: rows.length,
    keys: exampleKeys(rows),
    option,
  });

/** Where it cannot be read whom to exclude, nobody's allowance lasts on: all that is due ends. */
async function classifierOf(settings: Settings<'purge'>): Promise<Classifier> {
  const networks = {
    mynetworks: { value: 'none', origin: 'purge' },
    postfixConfig: null,
    exclude: settings.exclude,
    ...barsOf(settings, mapsOf(settings)),
  };
  try {
    return await classifierFor(networks, warn);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    warn(error.line);
    const everybody = { value: '0.0.0.0/0 ::/0', origin: 'purge' };
    return classifierFor({ ...networks, exclude: everybody }, warn);
  }
}

/** @throws Failure of the map */
async function end(held: HeldMap, what: What, grace: Grace, classifier: Classifier): Promise<void> {
  const ended: Decision[] = [];
  const core = new Core({
    rules: { classifier, grace, policy: NO_POLICY },
    bounds: UNBOUNDED,
    map: held.map,
    clock: systemClock(),
    report: decision => {
      if (decision.kind === 'purged' || decision.kind === 'withdrawn') ended.push(decision);
    },
    warn,
  });
  // Without orders that can be read, what is allowed by hand ends early, but all that is due ends.
  await core.restore(held, { tolerant: true });
  if (what.all) await core.endAll();
  else await core.enforce();
  const { trouble } = core.pipeline;
  if (trouble !== null) throw trouble;
  for (const decision of ended) for (const line of debugLines(decision, false)) say(line);
}

/** Of one map: those that follow the first have rows of their own. @throws Failure ROWS_LEFT; of the map */
async function endForeign(spec: MapSpec): Promise<void> {
  if (!(await mapExists(spec))) return;
  const { map, close } = await holdMap(spec, false, warn);
  try {
    const rows = (await map.rows()).filter(isEndless);
    for (const { key, value } of rows) say(`purging row ${shown(key)} ${shown(value)}`);
    const effects = await map.remove(rows);
    const left = rows.filter((_, index) => effects[index] !== 'removed');
    if (left.length > 0) throw rowsLeft(map.spec, left, '--foreign');
  } finally {
    await close();
  }
}
