/**
 * Reads pattern files: those that are shipped, and the administrator's own.
 *
 * Promises: all files are active; one of the administrator's takes the place of the shipped one of the same name,
 * extends it or switches it off; the order is that of their names.  The first fault is an error, so that a
 * reload with a bad file changes nothing.  Parsing and checking the shipped ones is a quarter of a start, so the build does it
 * and leaves what comes of it beside the program; that stands for a file only while it has the very text that was parsed.
 */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { serialize } from 'node:v8';
import { errnoOf, failure, reasonOf } from '../base/errors.ts';
import type { Given } from '../base/given.ts';
import { packageRoot } from '../base/package.ts';
import { relaysOf } from '../line/relay.ts';
import { type Files, takeOwnFile } from './own-file.ts';
import { parsedName, readParsed } from './parsed.ts';
import { type PatternFile, parsePatternFile, withElements } from './pattern.ts';
import { Registry } from './registry.ts';
import { ExpressionError } from './scanner.ts';

/** Where the administrator's own patterns are; `explicit` when he named the directory. */
export interface PatternsDirectory {
  readonly directory: string;
  readonly explicit: boolean;
}

/** Where they are, unless told otherwise. */
const USUAL = '/etc/popbsmtp/patterns.d';

/** @param named what the administrator says; null for the usual directory */
export const patternsIn = (named: string | null): PatternsDirectory => ({
  directory: named ?? USUAL,
  explicit: named !== null,
});

const SHIPPED = join(packageRoot(), 'patterns');
const SUFFIX = '.toml';

/** Whose settings make patterns. */
const DOVECOT = 'dovecot';
/** What changes its lines. */
export interface Dovecot {
  /** Texts of login_log_format_elements. */
  readonly elements: Given<readonly string[]> | null;
  /** Its instance_name, a tag. */
  readonly instance: string | null;
}

const USUAL_DOVECOT: Dovecot = { elements: null, instance: null };
/** In the order of 2.2 and 2.3, and of 2.4: what the shipped file describes. */
const DEFAULT_ELEMENTS: readonly string[] = [
  'user=<%u> method=%m rip=%r lip=%l mpid=%e %c session=<%{session}>',
  'user=<%{user}> method=%{mechanism} rip=%{remote_ip} lip=%{local_ip} mpid=%{mail_pid} %{secured} session=<%{session}>',
];

export const PARSED_NAME = parsedName('patterns');

/** What came of the shipped files in the build, by servers. */
type Parsed = ReadonlyMap<string, { readonly text: string; readonly file: PatternFile }>;

/**
 * @param own the administrator's directory; it may be missing unless he named it
 * @param dovecot what its configuration changes of its lines
 * @param relays whose lines are read behind their headers
 * @throws Failure PATTERN_UNREADABLE, PATTERN_SYNTAX, DOVECOT_ELEMENTS, TRUSTED_RELAY
 */
export async function loadPatterns(
  own: PatternsDirectory,
  { elements, instance }: Dovecot = USUAL_DOVECOT,
  relays: Given<readonly string[]> | null = null,
): Promise<Registry> {
  const files: Files = new Map();
  const parsed = (await readParsed<Parsed>(PARSED_NAME)) ?? new Map();
  for (const { path, server, text } of await readFiles(SHIPPED, true)) {
    const known = parsed.get(server);
    files.set(
      server,
      known?.text === text ? { ...known.file, path } : parsePatternFile(path, server, text),
    );
  }
  for (const { path, server, text } of await readFiles(own.directory, own.explicit))
    takeOwnFile(files, path, server, text);
  if (elements !== null) takeElements(files, elements);
  if (instance !== null) takeInstance(files, instance);
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  return new Registry(
    sorted.map(([, file]) => file),
    relays === null ? new Set() : relaysOf(relays),
  );
}

/** @throws Failure DOVECOT_ELEMENTS */
function takeElements(files: Files, { value, origin: where }: Given<readonly string[]>): void {
  for (const setting of value) {
    const text = setting.trim().replace(/\s+/g, ' ');
    const file = files.get(DOVECOT);
    if (file === undefined) {
      const hint = 'take off = true out of dovecot.toml, or the setting away';
      throw failure('DOVECOT_ELEMENTS', { where, problem: 'Dovecot is switched off', hint });
    }
    if (DEFAULT_ELEMENTS.includes(text)) continue;
    try {
      files.set(DOVECOT, withElements(file, text));
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      const { message: problem, hint } = error;
      throw failure('DOVECOT_ELEMENTS', { where, problem, hint }, error);
    }
  }
}

/** As if a file with `extend = true` had named it. */
function takeInstance(files: Files, instance: string): void {
  const file = files.get(DOVECOT);
  if (file === undefined || file.programs.includes(instance)) return;
  files.set(DOVECOT, { ...file, programs: [...file.programs, instance] });
}

/** What the build puts under PARSED_NAME. @throws Failure PATTERN_UNREADABLE, PATTERN_SYNTAX */
export async function parseShipped(): Promise<Buffer> {
  const parsed: Parsed = new Map(
    (await readFiles(SHIPPED, true)).map(({ path, server, text }) => [
      server,
      { text, file: parsePatternFile(path, server, text) },
    ]),
  );
  return serialize(parsed);
}

interface TextFile {
  readonly path: string;
  /** The name without its suffix. */
  readonly server: string;
  readonly text: string;
}

async function readFiles(directory: string, mustExist: boolean): Promise<TextFile[]> {
  const paths = await listFiles(directory, mustExist);
  return Promise.all(
    paths.map(async path => ({
      path,
      server: basename(path, SUFFIX),
      text: await readText(path),
    })),
  );
}

async function listFiles(directory: string, mustExist: boolean): Promise<string[]> {
  try {
    const names = await readdir(directory);
    return names
      .filter(name => name.endsWith(SUFFIX) && !name.startsWith('.'))
      .map(name => join(directory, name));
  } catch (error) {
    if (!mustExist && errnoOf(error) === 'ENOENT') return [];
    throw failure('PATTERN_UNREADABLE', { path: directory, reason: reasonOf(error) }, error);
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw failure('PATTERN_UNREADABLE', { path, reason: reasonOf(error) }, error);
  }
}
