/**
 * From the Perl pop-before-smtp to popbsmtp: what is there, and what would be done.
 *
 * Promises: looks only, and changes nothing.
 * Leaves to others: doing it (apply.ts), how it looks (report/migration-text.ts).
 */
import type { EpochSeconds } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import { type Failure, failure } from '../base/errors.ts';
import type { RuleSettings } from '../daemon/settings.ts';
import type { MapSpec } from '../map/map.ts';
import { formatMapSpec, MAP_TYPES, mapExists } from '../map/map-types.ts';
import type { Edit } from '../postfix/edit.ts';
import { askPostfix } from './ask-postfix.ts';
import { compareWithFile, refusalOf, type Setting } from './configuration-file.ts';
import { CONFIGURATIONS, kindOf, readFormer } from './former-files.ts';
import type { FormerSettings, Remark } from './former-settings.ts';
import { type Changes, changesFor, type PostfixFacts, typesOf } from './main-cf.ts';
import { type OldRows, rowsOf } from './old-rows.ts';

export interface Request {
  /** Null for the usual places. */
  readonly perlConfig: string | null;
  readonly initScript: string | null;
  /** Null for what those say. */
  readonly oldMap: MapSpec | null;
  /** In seconds; null for what those say. */
  readonly grace: number | null;
  readonly map: MapSpec;
  /** Of popbsmtp, by which an address may have a row. */
  readonly rules: RuleSettings;
  /** The file of popbsmtp's own configuration. */
  readonly configuration: string;
  readonly postfixConfig: string | null;
  readonly now: EpochSeconds;
}

export interface Migration {
  /** The files that were read. */
  readonly read: readonly string[];
  /** Null when it is not known, which is in the way. */
  readonly oldMap: string | null;
  readonly map: string;
  /** Whether the new map is there. */
  readonly mapExists: boolean;
  readonly configuration: string;
  readonly settings: readonly Setting[];
  readonly rows: OldRows;
  readonly edits: readonly Edit[];
  /** The directory of main.cf; null when Postfix could not be asked. */
  readonly postfixDirectory: string | null;
  /** What is not carried over, line by line, and what has to be looked at. */
  readonly remarks: readonly Remark[];
  /** What has to be put right before anything can be done. */
  readonly blockers: readonly Remark[];
}

/** Then nothing is made again, rows neither: whoever runs it once more shall not undo what was ordered since. */
export const isDone = ({ settings, edits, mapExists: isThere }: Migration): boolean =>
  settings.length === 0 && edits.length === 0 && isThere;

/** @throws Failure MIGRATE_NOTHING; MIGRATE_UNREADABLE; of popbsmtp's own configuration */
export async function planMigration(request: Request): Promise<Migration> {
  const { read, reading, unnamed } = readFormer(request);
  const settings = reading.settings(path => kindOf(path) === 'file');
  const postfix = await askPostfix(request.postfixConfig);
  const facts = typeof postfix === 'string' ? null : postfix;
  const remarks = [...reading.remarks];
  const blockers: Remark[] = unnamed === null ? [] : [unnamed];
  if (typeof postfix === 'string') remarks.push({ where: 'main.cf', text: `not read: ${postfix}` });
  const old = oldMapOf(request, settings, facts, blockers);
  if (read.length === 0 && (old === null || !(await mapExists(old)))) throw nothing(old);
  const grace = request.grace ?? settings.grace.value;
  if (grace === null) blockers.push(unknown('grace', settings.grace.from, '--grace DURATION'));
  const map = formatMapSpec(request.map);
  const wanted = [...settingsFor(settings, request, remarks)];
  requireTaken(wanted, blockers);
  const file = compareWithFile(request.configuration, wanted);
  const changes = changesOf(old, map, facts);
  requireType(request.map, facts, blockers);
  return {
    read,
    oldMap: old && formatMapSpec(old),
    map,
    mapExists: await mapExists(request.map),
    configuration: request.configuration,
    settings: file.missing,
    rows: await rowsOf(old, settings, shorter(settings.grace.value, grace), request, remarks),
    edits: changes.edits,
    postfixDirectory: facts?.directory ?? null,
    remarks: [...remarks, ...file.remarks, ...changes.remarks],
    blockers,
  };
}

/** Another one than the Perl program had makes none of its rows last longer. */
const shorter = (theirs: number | null, wanted: number | null): number | null =>
  theirs === null || wanted === null ? wanted : Math.min(theirs, wanted);

function nothing(old: MapSpec | null): Failure {
  return failure('MIGRATE_NOTHING', {
    looked: CONFIGURATIONS.slice(0, 2).join(', '),
    map: old === null ? '' : formatMapSpec(old),
  });
}

const unknown = (what: string, from: string, option: string): Remark => ({
  where: from,
  text: `the value of ${what} cannot be read; give it with ${option}`,
});

/** Of the type that main.cf has it under; the program itself makes a `hash:`. */
function oldMapOf(
  { oldMap, postfixConfig }: Request,
  { dbfile }: FormerSettings,
  facts: PostfixFacts | null,
  blockers: Remark[],
): MapSpec | null {
  if (oldMap !== null) return oldMap;
  if (dbfile.value?.startsWith('/') !== true) {
    blockers.push(unknown('dbfile', dbfile.from, '--old-map TYPE:PATH'));
    return null;
  }
  const types = facts === null ? [] : typesOf(dbfile.value, facts);
  const type = types.find(each => MAP_TYPES.includes(each)) ?? 'hash';
  return { type, path: dbfile.value, ...(postfixConfig !== null && { config: postfixConfig }) };
}

/** What popbsmtp.toml has to say so that it does what the Perl program did. */
function* settingsFor(
  former: FormerSettings,
  { grace, map }: Request,
  remarks: Remark[],
): Generator<Setting> {
  const { value, from } = former.grace;
  const seconds = grace ?? value;
  if (seconds !== null)
    yield { key: 'grace', value: formatDuration(seconds), from: grace === null ? from : '--grace' };
  const { watchlog } = former;
  if (watchlog.value?.startsWith('/') === true && kindOf(watchlog.value) === 'file')
    yield { key: 'watchlog', value: watchlog.value, from: watchlog.from };
  else {
    const problem =
      watchlog.value === null
        ? 'which log it is is not known'
        : `the log ${watchlog.value} is not there`;
    const text = `${problem}: popbsmtp looks for one itself, and in the journal, unless watchlog names it`;
    remarks.push({ where: watchlog.from, text });
  }
  if (formatMapSpec(map) !== USUAL_MAP)
    yield { key: 'map', value: formatMapSpec(map), from: '--map' };
  for (const key of ['nowrite', 'reprocess'] as const)
    if (former[key].value === true) yield { key, value: true, from: former[key].from };
}

const USUAL_MAP = 'lmdb:/var/popbsmtp/pop-before-smtp';

const changesOf = (old: MapSpec | null, map: string, facts: PostfixFacts | null): Changes =>
  old === null || facts === null ? { edits: [], remarks: [] } : changesFor(old.path, map, facts);

/** The daemon would not start with a value that it refuses. */
function requireTaken(wanted: readonly Setting[], blockers: Remark[]): void {
  for (const setting of wanted) {
    const refusal = refusalOf(setting);
    if (refusal !== null) blockers.push({ where: setting.from, text: refusal });
  }
}

/** Postfix would defer all mail over a map of a type that it does not know. */
function requireType({ type }: MapSpec, facts: PostfixFacts | null, blockers: Remark[]): void {
  if (facts === null || facts.types.includes(type)) return;
  const offered = MAP_TYPES.filter(each => facts.types.includes(each)).join(', ');
  blockers.push({
    where: 'main.cf',
    text: `this Postfix knows no maps of type ${type} (Debian: apt-get install postfix-${type}); or give --map with one of: ${offered}`,
  });
}
