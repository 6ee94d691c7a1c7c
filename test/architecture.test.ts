/**
 * The tree of the sources: the rooms stand in the order in which data passes through them, and imports run down it only.
 *
 * Promises: the order is listed here and nowhere else.  What is checked is the text of the sources: `import`, `export … from` and
 * `import('…')`, whether for values or for types, since a type says as much about who knows whom.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

/** Each may import those before it. */
const ORDER = [
  'base',
  'state',
  'postfix',
  'line',
  'source',
  'recogniser',
  'mta',
  'classifier',
  'grant',
  'map',
  'fleet',
  'control',
  'history',
  'options',
  'daemon',
  'doctor',
  'migrate',
  'report',
  'cli',
  'main.ts',
] as const;

/** Beside the tree: they make something of the program, and nothing in it knows them. */
const ASIDE: ReadonlyMap<string, readonly string[]> = new Map([
  ['packaging', ['base', 'state', 'options', 'recogniser', 'mta']],
  ['types', []],
]);

/** Rooms whose work depends on nothing but what they are given. */
const PURE: ReadonlySet<string> = new Set([
  'line',
  'recogniser',
  'mta',
  'classifier',
  'grant',
  'history',
]);

/** Files of the pure rooms that fetch what the others work with. */
const LOADERS: ReadonlySet<string> = new Set([
  'recogniser/load.ts',
  'recogniser/parsed.ts',
  'mta/load.ts',
  'history/disk-space.ts',
  'history/history-file.ts',
  'history/history-store.ts',
  'classifier/classifier.ts',
  'classifier/own-addresses.ts',
  'classifier/table.ts',
]);

/** What a pure room neither imports nor reaches through what it imports. */
const IMPURE =
  /^(?:node:(?:fs|child_process|http|os|process|timers|worker_threads)(?:\/|$)|winston)/;

/** Clocks, wherever they come from. */
const CLOCK = /\b(?:Date\.now|performance\.now|new Date)\(\s*\)|\b(?:systemClock|logClock)\b/;

/** Tests of no room of the sources: what they are about is the whole. */
const WHOLE: ReadonlySet<string> = new Set(['real', 'faults', 'bench']);

const PROJECT = join(import.meta.dirname, '../..');
const SRC = join(PROJECT, 'src');

const namesBelow = (directory: string, end: string): string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith(end));

interface Import {
  /** A package, or a file below src. */
  readonly of: string;
  /** Only types, which are gone when it runs. */
  readonly typeOnly: boolean;
  /** When it is needed, and not at the start. */
  readonly late: boolean;
}

const IMPORT =
  /^(?:import|export)\s+(type\s)?(?:[^;'"]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'/gm;

function importsOf(file: string, text: string): Import[] {
  return Array.from(text.matchAll(IMPORT), ([, type, named = '', loaded]): Import => {
    const written = loaded ?? named;
    const of = written.startsWith('.') ? normalize(join(dirname(file), written)) : written;
    return { of, typeOnly: type !== undefined, late: loaded !== undefined };
  });
}

const FILES: ReadonlyMap<string, readonly Import[]> = new Map(
  namesBelow(SRC, '.ts').map(file => [
    file,
    importsOf(file, readFileSync(join(SRC, file), 'utf8')),
  ]),
);

const roomOf = (file: string): string => file.split('/')[0] ?? file;
const isOurs = ({ of }: Import): boolean => of.endsWith('.ts');

const rooms = new Set([...FILES.keys()].map(roomOf));

function mayImport(from: string, to: string): boolean {
  if (from === to) return true;
  const aside = ASIDE.get(from);
  if (aside !== undefined) return aside.includes(to);
  const places: readonly string[] = ORDER;
  return places.includes(to) && places.indexOf(to) < places.indexOf(from);
}

test('every room has its place, and every place is a room', () => {
  assert.deepEqual([...rooms].sort(), [...ORDER, ...ASIDE.keys()].sort());
});

test('the imports are seen', () => {
  const main = FILES.get('main.ts') ?? [];
  assert.ok(main.some(({ of, typeOnly }) => of === 'options/commands.ts' && typeOnly));
  assert.ok(main.some(({ of, typeOnly }) => of === 'base/errors.ts' && !typeOnly));
  assert.ok(main.some(({ of }) => of === 'cli/run.ts'));
  const named = [...FILES.values()].flat().filter(isOurs);
  assert.deepEqual(
    named.filter(({ of }) => !FILES.has(of)),
    [],
  );
});

test('imports run down the tree', () => {
  const upwards = [...FILES].flatMap(([file, imports]) =>
    imports
      .filter(isOurs)
      .filter(({ of }) => !mayImport(roomOf(file), roomOf(of)))
      .map(({ of }) => `${file} imports ${of}`),
  );
  assert.deepEqual(upwards, []);
});

/** A way from a file through what it imports back to it; null when there is none. */
function circleOf(start: string): readonly string[] | null {
  const seen = new Set<string>();
  const walk = (way: readonly string[]): readonly string[] | null => {
    for (const { of, late } of valuesOf(way.at(-1) ?? start)) {
      if (late) continue;
      if (of === start) return [...way, of];
      if (seen.has(of)) continue;
      seen.add(of);
      const found = walk([...way, of]);
      if (found !== null) return found;
    }
    return null;
  };
  return walk([start]);
}

const valuesOf = (file: string): readonly Import[] =>
  (FILES.get(file) ?? []).filter(found => isOurs(found) && !found.typeOnly);

test('no file waits for itself to be loaded', () => {
  const circles = [...FILES.keys()].map(circleOf).filter(circle => circle !== null);
  assert.deepEqual(circles, []);
});

test('the pure rooms touch neither files nor processes, nor the log', () => {
  const pure = [...FILES.keys()].filter(file => PURE.has(roomOf(file)) && !LOADERS.has(file));
  const touching = pure.flatMap(file =>
    packagesReached(file)
      .filter(([, name]) => IMPURE.test(name))
      .map(([through, name]) => `${file} reaches ${name} through ${through}`),
  );
  assert.deepEqual(touching, []);
});

/** The packages that a file loads, itself or through others of ours. */
function packagesReached(start: string): readonly (readonly [through: string, name: string])[] {
  const files = new Set([start]);
  // A set that grows is walked to its new end.
  for (const file of files) for (const { of } of valuesOf(file)) files.add(of);
  return [...files].flatMap(file =>
    (FILES.get(file) ?? [])
      .filter(found => !isOurs(found) && !found.typeOnly)
      .map(({ of }) => [file, of] as const),
  );
}

test('the pure rooms have no clock of their own', () => {
  const found = [...FILES.keys()].filter(
    file =>
      PURE.has(roomOf(file)) &&
      !LOADERS.has(file) &&
      CLOCK.test(readFileSync(join(SRC, file), 'utf8')),
  );
  assert.deepEqual(found, []);
});

test('the tests mirror the sources', () => {
  const strangers = namesBelow(join(PROJECT, 'test'), '.test.ts')
    .map(dirname)
    .filter(room => room !== '.' && !WHOLE.has(roomOf(room)) && !existsSync(join(SRC, room)));
  assert.deepEqual(strangers, []);
});
