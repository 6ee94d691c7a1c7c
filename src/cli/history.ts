/**
 * `popbsmtp history`: what the history holds, oldest first; with --import, fills it from finished logs.
 *
 * Reads the file beside the map, whether or not a daemon runs.
 */
import { addressOf } from '../base/address.ts';
import { EXIT, failure } from '../base/errors.ts';
import { masked } from '../base/excerpt.ts';
import { parseNetworkList } from '../base/network.ts';
import { parseWhen } from '../base/when.ts';
import { hourOf } from '../history/block.ts';
import type { Entry } from '../history/entry.ts';
import { HistoryFile } from '../history/history-file.ts';
import type { MapSpec } from '../map/map.ts';
import { becomeOwner } from '../map/privileges.ts';
import { mapsOf } from '../map/spec.ts';
import { withConfig } from '../options/config.ts';
import { type Settings, settingsOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import { entryJson, entryLine } from '../report/history-rows.ts';
import { print } from '../report/print.ts';
import { shownUsers } from '../report/user-names.ts';
import { beside } from '../state/beside.ts';
import { ipOf } from './by-hand.ts';
import { stopBetweenReads } from './stops.ts';

/** Hours that are read, and sorted, at once. */
const PORTION = 24;

/** @throws Failure of a setting, HISTORY, HISTORY_MISSING; of a log */
export async function history(typed: Values, files: readonly string[]): Promise<number> {
  const values = withConfig(typed);
  const settings = settingsOf(values, 'history');
  const { map } = mapsOf(settings);
  if (settings.import !== files.length > 0) {
    const problem = settings.import
      ? 'name the logs to import'
      : 'logs are read with --import only';
    throw failure('USAGE', { problem, verb: 'history ' });
  }
  becomeOwner([map]);
  if (settings.import) return (await import('./history-import.ts')).importLogs(values, files);
  const matches = await filterOf(settings, map);
  stopBetweenReads();
  const file = await HistoryFile.openForReading(beside(map, 'history'));
  try {
    await printAll(file, settings, matches);
  } finally {
    await file.close();
  }
  return EXIT.ok;
}

type Matches = (entry: Entry) => boolean;

async function filterOf(settings: Settings<'history'>, map: MapSpec): Promise<Matches> {
  const { address, network, user, logUsers } = settings;
  const ip = address === null ? null : ipOf(address.value);
  const networks = network && parseNetworkList(network.value, network.origin);
  const show = await shownUsers({ logUsers, map, nowrite: true });
  const wanted = user === null ? null : show(masked(user))?.toLowerCase();
  return entry => {
    if (ip !== null && entry.ip !== ip) return false;
    if (wanted !== null && entry.user?.toLowerCase() !== wanted) return false;
    if (networks === null) return true;
    return entry.ip !== null && networks.contains(addressOf(entry.ip));
  };
}

async function printAll(
  file: HistoryFile,
  { since, until, json }: Settings<'history'>,
  matches: Matches,
): Promise<void> {
  const now = Date.now() / 1000;
  const from = since === null ? 0 : parseWhen(since, now);
  const to = until === null ? Number.POSITIVE_INFINITY : parseWhen(until, now);
  const span = await file.span();
  if (span === null) return;
  const format = json ? (entry: Entry) => JSON.stringify(entryJson(entry)) : entryLine;
  const last = Math.min(span.last, hourOf(to));
  for (let hour = Math.max(span.first, hourOf(from)); hour <= last; hour += PORTION) {
    const entries: Entry[] = [];
    await file.visit(hour, Math.min(hour + PORTION, last + 1), entry => {
      if (entry.time >= from && entry.time <= to && matches(entry)) entries.push(entry);
    });
    entries.sort((a, b) => a.time - b.time);
    await print(entries.map(entry => `${format(entry)}\n`).join(''));
  }
}
