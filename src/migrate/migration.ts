/**
 * From the Perl pop-before-smtp to popbsmtp: what is there, and what would be done.
 *
 * Its rows tell no time.  A row was there when the old map was written last, so it ends a grace period after that, or has ended: what is
 * carried over is open no longer than the Perl program would have had it, however often the migration is run.
 * Promises: looks only, and changes nothing.
 * Leaves to others: doing it (apply.ts), how it looks (report/migration-text.ts).
 */
import { readFileSync, statSync } from 'node:fs';
import { canonicalIp, type IpText } from '../base/address.ts';
import { type EpochSeconds, epoch } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import { Failure, failure, reasonOf } from '../base/errors.ts';
import { noun, quantity } from '../base/quantity.ts';
import { classifierFor } from '../daemon/rules.ts';
import type { RuleSettings } from '../daemon/settings.ts';
import type { MapSpec, Row } from '../map/map.ts';
import { formatMapSpec, MAP_TYPES, mapExists, mapPath, readRows } from '../map/map-types.ts';
import { exampleKeys } from '../map/row.ts';
import { askPostfix } from './ask-postfix.ts';
import { compareWithFile, type Setting } from './configuration-file.ts';
import {
  configOf,
  FORMER_PROGRAM,
  FormerReading,
  type FormerSettings,
  type Remark,
} from './former-settings.ts';
import { type Changes, changesFor, type Edit, type PostfixFacts, typesOf } from './main-cf.ts';
import { readPerl } from './perl-reader.ts';
import { type CommandLine, type PathKind, readStarts } from './shell-reader.ts';

/** Where the program and its packages look for the configuration. */
const CONFIGURATIONS = [
  '/etc/pop-before-smtp-conf.pl',
  '/etc/pop-before-smtp.conf',
  '/usr/local/etc/pop-before-smtp-conf.pl',
  '/usr/pkg/etc/pop-before-smtp-conf.pl',
];

/** What starts it: its own scripts, and those of packages. */
const START_SCRIPTS = [
  '/etc/init.d/pop-before-smtp',
  '/etc/init.d/pop-before.smtp',
  '/etc/rc.d/init.d/pop-before-smtp',
  '/etc/systemd/system/pop-before-smtp.service',
  '/usr/lib/systemd/system/pop-before-smtp.service',
];

export interface Request {
  /** Null for the places above. */
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

/** The rows of the old map. */
export interface OldRows {
  readonly carried: readonly IpText[];
  /** When they end; null when there are none. */
  readonly until: EpochSeconds | null;
}

export interface Migration {
  /** The files that were read. */
  readonly read: readonly string[];
  readonly oldMap: string;
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

/** @throws Failure MIGRATE_NOTHING; CONFIG_UNREADABLE for a file that was named; of popbsmtp's own configuration */
export async function planMigration(request: Request): Promise<Migration> {
  const { read, reading } = readFormer(request);
  const settings = reading.settings(path => kindOf(path) === 'file');
  const postfix = await askPostfix(request.postfixConfig);
  const facts = typeof postfix === 'string' ? null : postfix;
  const remarks = [...reading.remarks];
  const blockers: Remark[] = [];
  if (typeof postfix === 'string') remarks.push({ where: 'main.cf', text: `not read: ${postfix}` });
  const old = oldMapOf(request, settings, facts, blockers);
  if (read.length === 0 && (old === null || !mapExists(old))) throw nothing(old);
  const grace = request.grace ?? settings.grace.value;
  if (grace === null) blockers.push(unknown('grace', settings.grace.from, '--grace DURATION'));
  const map = formatMapSpec(request.map);
  const wanted = [...settingsFor(settings, request, remarks)];
  const file = compareWithFile(request.configuration, wanted);
  const changes = changesOf(old, map, facts);
  requireType(request.map, facts, blockers);
  return {
    read,
    oldMap: old === null ? 'not known' : formatMapSpec(old),
    map,
    mapExists: mapExists(request.map),
    configuration: request.configuration,
    settings: file.missing,
    rows: await rowsOf(old, settings, grace, request, remarks),
    edits: changes.edits,
    postfixDirectory: facts?.directory ?? null,
    remarks: [...remarks, ...file.remarks, ...changes.remarks],
    blockers,
  };
}

function nothing(old: MapSpec | null): Failure {
  return failure('MIGRATE_NOTHING', {
    looked: [...CONFIGURATIONS, ...START_SCRIPTS].slice(0, 3).join(', '),
    map: old === null ? '' : formatMapSpec(old),
  });
}

const unknown = (what: string, from: string, option: string): Remark => ({
  where: from,
  text: `the value of ${what} cannot be read; give it with ${option}`,
});

function kindOf(path: string): PathKind {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return 'directory';
  return found?.isFile() === true ? 'file' : null;
}

/** The start script may name the configuration, and what it says besides counts more. */
function readFormer({ perlConfig, initScript }: Request): {
  readonly read: readonly string[];
  readonly reading: FormerReading;
} {
  const reading = new FormerReading();
  const script = initScript ?? START_SCRIPTS.find(path => kindOf(path) === 'file') ?? null;
  const starts = script === null ? [] : startsIn(script);
  const [start] = starts;
  const named = start === undefined ? null : configOf(start);
  const file = perlConfig ?? named ?? CONFIGURATIONS.find(path => kindOf(path) === 'file') ?? null;
  if (file !== null) reading.addFile(file, readPerl(textOf(file)));
  if (script !== null) addStarts(reading, script, starts);
  return { read: [file, script].filter(path => path !== null), reading };
}

const startsIn = (script: string): readonly CommandLine[] =>
  readStarts(textOf(script), FORMER_PROGRAM, kindOf);

function addStarts(reading: FormerReading, script: string, starts: readonly CommandLine[]): void {
  const [first, ...others] = starts;
  if (first === undefined)
    reading.remarks.push({
      where: script,
      text: `does not start ${FORMER_PROGRAM} in a way that is understood`,
    });
  else reading.addCommandLine(script, first);
  for (const { line } of others)
    reading.remarks.push({
      where: `${script}:${line}`,
      text: 'starts it once more; only the first start was looked at',
    });
}

/** @throws Failure CONFIG_UNREADABLE */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw failure('CONFIG_UNREADABLE', { file: path, reason: reasonOf(error) }, error);
  }
}

/** Of the type that main.cf has it under; the program itself makes a `hash:`. */
function oldMapOf(
  { oldMap, postfixConfig }: Request,
  { dbfile }: FormerSettings,
  facts: PostfixFacts | null,
  blockers: Remark[],
): MapSpec | null {
  if (oldMap !== null) return oldMap;
  if (dbfile.value === null) {
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
  if (watchlog.value !== null && kindOf(watchlog.value) === 'file')
    yield { key: 'watchlog', value: watchlog.value, from: watchlog.from };
  else
    remarks.push({
      where: watchlog.from,
      text: `the log ${watchlog.value ?? ''} is not there: popbsmtp looks for one itself, and in the journal`,
    });
  if (formatMapSpec(map) !== USUAL_MAP)
    yield { key: 'map', value: formatMapSpec(map), from: '--map' };
  if (former.nowrite) yield { key: 'nowrite', value: true, from: 'its --nowrite' };
  if (former.reprocess) yield { key: 'reprocess', value: true, from: 'its --reprocess' };
}

const USUAL_MAP = 'lmdb:/var/popbsmtp/pop-before-smtp';

const changesOf = (old: MapSpec | null, map: string, facts: PostfixFacts | null): Changes =>
  old === null || facts === null ? { edits: [], remarks: [] } : changesFor(old.path, map, facts);

/** Postfix would defer all mail over a map of a type that it does not know. */
function requireType({ type }: MapSpec, facts: PostfixFacts | null, blockers: Remark[]): void {
  if (facts === null || facts.types.includes(type)) return;
  const offered = MAP_TYPES.filter(each => facts.types.includes(each)).join(', ');
  blockers.push({
    where: 'main.cf',
    text: `this Postfix knows no maps of type ${type} (Debian: apt-get install postfix-${type}); or give --map with one of: ${offered}`,
  });
}

async function rowsOf(
  old: MapSpec | null,
  { dbvalue }: FormerSettings,
  grace: number | null,
  { rules, now }: Request,
  remarks: Remark[],
): Promise<OldRows> {
  if (old === null || !mapExists(old)) {
    if (old !== null) remarks.push({ where: formatMapSpec(old), text: 'there is no such map' });
    return NO_ROWS;
  }
  const where = formatMapSpec(old);
  try {
    const rows = await readRows(old);
    const written = Math.min(statSync(mapPath(old)).mtimeMs / 1000, now);
    const until = epoch(Math.floor(written + (grace ?? 0)));
    const found = sorted(rows, { where, value: dbvalue.value, until, now }, remarks);
    return { ...found, carried: await grantable(found.carried, rules, where, remarks) };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    remarks.push({ where, text: `its rows are not carried over: ${error.message}` });
    return NO_ROWS;
  }
}

const NO_ROWS: OldRows = { carried: [], until: null };

interface About {
  readonly where: string;
  /** Of the rows of the Perl program; null when it is not known. */
  readonly value: string | null;
  readonly until: EpochSeconds;
  readonly now: EpochSeconds;
}

function sorted(
  rows: readonly Row[],
  { where, value, until, now }: About,
  remarks: Remark[],
): OldRows {
  const theirs = rows.filter(row => row.value === value && canonicalIp(row.key) !== null);
  const others = rows.filter(row => !theirs.includes(row));
  if (others.length > 0)
    remarks.push({
      where,
      text: `${quantity(others.length, 'row is', 'rows are')} not the Perl program's, would have no end, and so ${noun(others.length, 'is', 'are')} not carried over: ${exampleKeys(others)}`,
    });
  if (theirs.length === 0) return NO_ROWS;
  if (until <= now) {
    remarks.push({
      where,
      text: `${quantity(theirs.length, 'row is', 'rows are')} past the end, and not carried over: it was last written a grace period ago, or longer`,
    });
    return NO_ROWS;
  }
  const carried = [...new Set(theirs.map(({ key }) => canonicalIp(key)).filter(ip => ip !== null))];
  return { carried, until };
}

/** Those that a login could open as well. */
async function grantable(
  ips: readonly IpText[],
  rules: RuleSettings,
  where: string,
  remarks: Remark[],
): Promise<readonly IpText[]> {
  if (ips.length === 0) return ips;
  const mynetworks = { value: 'none', origin: 'migrate' };
  const classifier = await classifierFor({ ...rules, mynetworks }, text =>
    remarks.push({ where: 'popbsmtp', text }),
  );
  return ips.filter(ip => {
    const verdict = classifier.classify(ip);
    if (verdict.kind === 'grantable') return true;
    remarks.push({ where, text: `${ip} is not carried over: ${verdict.reason}` });
    return false;
  });
}
