// @ts-check
/**
 * Compiles an addon at installation and puts it in its place; each addon says by `Addon` what is its own.
 *
 * Promises: afterwards the addon that is loaded was proved; or the process ends with one line that says what is missing, and a
 * status other than 0.  A compiled addon is kept in `.addon/`, under a name that tells all that makes one differ from another,
 * so that the next `npm ci`, which deletes node_modules, only copies it.  It is put in place by renaming; half an addon is
 * never loaded.
 * Needs a C++ compiler, make and Python 3 to compile, and Node's headers: those beside the running Node if they are there, else
 * node-gyp downloads them.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const SELF = fileURLToPath(import.meta.url);
/** The directory of package.json. */
export const ROOT = resolve(dirname(SELF), '../..');
const CACHE = join(ROOT, '.addon');
/** Where an installation of Node has its headers. */
const HEADERS = resolve(realpathSync(process.execPath), '../../include/node');
const PACKAGES =
  'install them (Debian: apt-get install g++ make python3; Fedora: dnf install gcc-c++ make python3) and run npm ci again';

const MAX_JOBS = 4;

/**
 * @typedef {object} Addon
 * @property {string} title what messages call it
 * @property {string} name begins the name of the kept one
 * @property {string} place the file that is loaded
 * @property {readonly unknown[]} recipe what it is made of and how; another recipe makes another addon
 * @property {(directory: string) => void} prepare puts the sources, with a binding.gyp, into a directory that is not there yet
 * @property {string} product what node-gyp makes there
 * @property {Readonly<Record<string, string>>} env what node-gyp is told besides
 * @property {() => string | null} fault what is wrong with the addon in its place, or null
 */

/** What went wrong, in one line. */
class Problem extends Error {}

/** @param {string} specifier @returns {string} the directory of an installed package */
export function packageDirectory(specifier, from = SELF) {
  const require = createRequire(from);
  const candidates = require.resolve.paths(specifier) ?? [];
  const found = candidates.map(path => join(path, specifier)).find(existsSync);
  if (found === undefined) {
    throw new Problem(`the package ${specifier} is not installed; run npm ci in ${ROOT}`);
  }
  return realpathSync(found);
}

/** Whether the C library is glibc, as Node's own report tells; an addon works with one kind only. */
function libc() {
  const report = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (
    process.report.getReport()
  );
  return report.header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
}

/** The name of the kept addon.  @param {Addon} addon */
function cacheName({ name, recipe }) {
  const digest = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 12);
  return `${name}-${process.platform}-${process.arch}-${libc()}-${digest}.node`;
}

/** Copies a file so that nobody ever sees a part of it.  @param {string} from @param {string} to */
function copyAtomically(from, to) {
  const directory = dirname(to);
  mkdirSync(directory, { recursive: true });
  const scratch = mkdtempSync(join(directory, '.new-'));
  try {
    copyFileSync(from, join(scratch, 'addon'));
    renameSync(join(scratch, 'addon'), to);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** @param {readonly string[]} names @returns {boolean} whether one of the programs is on the PATH */
function hasProgram(...names) {
  const directories = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  return names.some(name =>
    directories.some(directory => {
      try {
        accessSync(resolve(directory, name), constants.X_OK);
        return true;
      } catch {
        return false;
      }
    }),
  );
}

/** @param {string} title */
function requireToolchain(title) {
  const { CC, CXX, PYTHON } = process.env;
  const missing = [
    ...(CXX !== undefined || hasProgram('g++') ? [] : ['a C++ compiler (g++)']),
    ...(CC !== undefined || hasProgram('cc', 'gcc') ? [] : ['a C compiler (gcc)']),
    ...(hasProgram('make') ? [] : ['make']),
    ...(PYTHON !== undefined || hasProgram('python3', 'python') ? [] : ['python3']),
  ];
  if (missing.length === 0) return;
  throw new Problem(
    `the ${title} must be compiled, and this is missing: ${missing.join(', ')}; ${PACKAGES}`,
  );
}

/**
 * Runs node-gyp and keeps its output for the case of failure.
 *
 * @param {string} directory where binding.gyp is
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string>>} env
 * @param {string} problem what to say when it fails
 */
function nodeGyp(directory, args, env, problem) {
  const program = join(packageDirectory('node-gyp'), 'bin/node-gyp.js');
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [program, ...args], {
    cwd: directory,
    encoding: 'utf8',
    maxBuffer: Infinity,
    env: { ...process.env, ...env },
  });
  if (status === 0) return;
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}\n`);
  throw new Problem(problem);
}

/**
 * Finds the headers of the running Node beside it, or lets node-gyp fetch them.
 *
 * @param {string} directory where binding.gyp is
 * @param {Addon} addon
 * @returns {string[]} what to tell node-gyp about them
 */
function findHeaders(directory, { title, env }) {
  if (existsSync(join(HEADERS, 'node.h'))) return [`--nodedir=${resolve(HEADERS, '../..')}`];
  // npm hands on a nodedir of the user's, and node-gyp then needs no other headers.
  if (process.env['npm_config_nodedir'] === undefined) {
    nodeGyp(
      directory,
      ['install', '--ensure'],
      env,
      `the ${title} must be compiled, and Node's headers are not in ${HEADERS} and could not be downloaded; install them there (Debian's own Node: apt-get install libnode-dev) or let npm ci reach nodejs.org`,
    );
  }
  return [];
}

/** @param {Addon} addon @param {string} directory in which it is made @returns {string} the addon */
function compile(addon, directory) {
  const { title, env } = addon;
  requireToolchain(title);
  mkdirSync(dirname(directory), { recursive: true });
  addon.prepare(directory);
  const headers = findHeaders(directory, addon);
  const jobs = Math.min(availableParallelism(), MAX_JOBS);
  nodeGyp(
    directory,
    ['rebuild', '--release', `--jobs=${jobs}`, ...headers],
    env,
    `the ${title} could not be compiled (see above); look whether the compiler, make and Python 3 are complete: ${PACKAGES}`,
  );
  return join(directory, addon.product);
}

/** @param {Addon} addon @returns {string} what was done */
function install(addon) {
  const kept = join(CACHE, cacheName(addon));
  const { title, place } = addon;
  if (existsSync(kept)) {
    copyAtomically(kept, place);
    if (addon.fault() === null) return 'taken from .addon/';
  }
  const start = performance.now();
  const scratch = join(CACHE, 'build');
  rmSync(scratch, { recursive: true, force: true });
  try {
    const made = compile(addon, join(scratch, addon.name));
    copyAtomically(made, place);
    const found = addon.fault();
    if (found !== null) {
      rmSync(place);
      throw new Problem(`the ${title} was compiled but is of no use: ${found}; report this`);
    }
    renameSync(made, kept);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return `compiled in ${Math.round((performance.now() - start) / 1000)} s and kept in .addon/`;
}

/** @param {() => Addon} describe @returns {void} with a line of what was done, or of what is wrong, and the exit status */
export function installAddon(describe) {
  try {
    const addon = describe();
    process.stdout.write(`${addon.title}: ${install(addon)}\n`);
  } catch (error) {
    process.stderr.write(`popbsmtp: ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}

/**
 * Asks a child of this process, since a broken addon may take its process down.
 *
 * @param {readonly string[]} args of Node
 * @returns {string | null} the last line that it says when it fails, or null
 */
export function faultBy(args) {
  const { status, signal, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status === 0) return null;
  return stderr.trim().split('\n').at(-1) || `it ended with ${signal ?? status}`;
}

/** @param {string} path @returns {string} */
export const textOf = path => readFileSync(path, 'utf8');
