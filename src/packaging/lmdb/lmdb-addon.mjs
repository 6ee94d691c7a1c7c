// @ts-check
/**
 * Gives the installed `lmdb` package an addon that writes what Postfix reads; runs as `postinstall`.
 *
 * The package's prebuilt addon writes LMDB data format 2.  Postfix links liblmdb 0.9, which reads only
 * format 1, and with the wrong one it defers all mail.  The package carries the sources of both.
 *
 * Promises: afterwards `import 'lmdb'` loads an addon of format 1 without LMDB's own locking (why:
 * nolock.h), which was proved by writing a fresh file with it; or this ends with one line that says
 * what is missing, and a status other than 0.  A compiled addon is kept in `.addon/`, so that the next
 * `npm ci`, which deletes node_modules, only copies it.  It uses nothing but Node-API, so it outlives
 * updates of Node.  It is put in place by renaming; half an addon is never loaded.
 * Needs a C++ compiler, make and Python 3 to compile, and Node's headers: those beside the running
 * Node if they are there, else node-gyp downloads them.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const SELF = fileURLToPath(import.meta.url);
const ROOT = resolve(dirname(SELF), '../../..');
const CACHE = join(ROOT, '.addon');
const PROOF = join(dirname(SELF), 'lmdb-proof.mjs');
const HEADER = join(dirname(SELF), 'nolock.h');
/** Where an installation of Node has its headers. */
const HEADERS = resolve(realpathSync(process.execPath), '../../include/node');
const PACKAGES =
  'install them (Debian: apt-get install g++ make python3; Fedora: dnf install gcc-c++ make python3) and run npm ci again';

/** What the package's binding.gyp reads; without V8's own interface, Node-API is all that is left. */
const SETTINGS = { LMDB_DATA_V1: 'true', ENABLE_V8_FUNCTIONS: 'false' };
/** Relative to the directory that make runs in: a path with a blank would not survive make. */
const INCLUDE = '-include ../nolock.h';

const MAX_JOBS = 4;

/** What went wrong, in one line. */
class Problem extends Error {}

/** @param {string} specifier @returns {string} the directory of an installed package */
function packageDirectory(specifier, from = SELF) {
  const require = createRequire(from);
  const candidates = require.resolve.paths(specifier) ?? [];
  const found = candidates.map(path => join(path, specifier)).find(existsSync);
  if (found === undefined) {
    throw new Problem(`the package ${specifier} is not installed; run npm ci in ${ROOT}`);
  }
  return realpathSync(found);
}

/** @param {string} directory @returns {string} */
function versionOf(directory) {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')).version;
}

/** Whether the C library is glibc, as Node's own report tells; an addon works with one kind only. */
function libc() {
  const report = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (
    process.report.getReport()
  );
  return report.header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
}

/** The name of the kept addon: all that makes one differ from another.  @param {string} lmdb */
function cacheName(lmdb) {
  const recipe = JSON.stringify([SETTINGS, INCLUDE, readFileSync(HEADER, 'utf8')]);
  const digest = createHash('sha256').update(recipe).digest('hex').slice(0, 12);
  return `lmdb-${versionOf(lmdb)}-${process.platform}-${process.arch}-${libc()}-${digest}.node`;
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

function requireToolchain() {
  const { CC, CXX, PYTHON } = process.env;
  const missing = [
    ...(CXX !== undefined || hasProgram('g++') ? [] : ['a C++ compiler (g++)']),
    ...(CC !== undefined || hasProgram('cc', 'gcc') ? [] : ['a C compiler (gcc)']),
    ...(hasProgram('make') ? [] : ['make']),
    ...(PYTHON !== undefined || hasProgram('python3', 'python') ? [] : ['python3']),
  ];
  if (missing.length === 0) return;
  throw new Problem(
    `the lmdb addon must be compiled, and this is missing: ${missing.join(', ')}; ${PACKAGES}`,
  );
}

/**
 * Runs node-gyp and keeps its output for the case of failure.
 *
 * @param {string} directory where binding.gyp is
 * @param {readonly string[]} args
 * @param {string} problem what to say when it fails
 */
function nodeGyp(directory, args, problem) {
  const program = join(packageDirectory('node-gyp'), 'bin/node-gyp.js');
  const { CXXFLAGS = '', NODE_PATH = '' } = process.env;
  // binding.gyp asks Node for this package from the copy, which may lie outside lmdb's own tree.
  const headers = dirname(packageDirectory('node-addon-api', join(packageDirectory('lmdb'), 'x')));
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [program, ...args], {
    cwd: directory,
    encoding: 'utf8',
    maxBuffer: Infinity,
    env: {
      ...process.env,
      ...SETTINGS,
      CXXFLAGS: `${CXXFLAGS} ${INCLUDE}`,
      NODE_PATH: `${headers}${delimiter}${NODE_PATH}`,
    },
  });
  if (status === 0) return;
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}\n`);
  throw new Problem(problem);
}

/**
 * Finds the headers of the running Node beside it, or lets node-gyp fetch them.
 *
 * @param {string} directory where binding.gyp is
 * @returns {string[]} what to tell node-gyp about them
 */
function findHeaders(directory) {
  if (existsSync(join(HEADERS, 'node.h'))) return [`--nodedir=${resolve(HEADERS, '../..')}`];
  // npm hands on a nodedir of the user's, and node-gyp then needs no other headers.
  if (process.env['npm_config_nodedir'] === undefined) {
    nodeGyp(
      directory,
      ['install', '--ensure'],
      `the lmdb addon must be compiled, and Node's headers are not in ${HEADERS} and could not be downloaded; install them there (Debian's own Node: apt-get install libnode-dev) or let npm ci reach nodejs.org`,
    );
  }
  return [];
}

/**
 * Compiles a copy of the package in a scratch directory.
 *
 * @param {string} lmdb
 * @param {string} scratch
 * @returns {string} the addon
 */
function compile(lmdb, scratch) {
  requireToolchain();
  const copy = join(scratch, 'lmdb');
  cpSync(lmdb, copy, { recursive: true, filter: source => source !== join(lmdb, 'build') });
  copyFileSync(HEADER, join(copy, 'nolock.h'));
  const headers = findHeaders(copy);
  const jobs = Math.min(availableParallelism(), MAX_JOBS);
  nodeGyp(
    copy,
    ['rebuild', '--release', `--jobs=${jobs}`, ...headers],
    `the lmdb addon could not be compiled (see above); look whether the compiler, make and Python 3 are complete: ${PACKAGES}`,
  );
  return join(copy, 'build/Release/lmdb.node');
}

/** @returns {string | null} what is wrong with the addon that the package loads, or null */
function fault() {
  // Made here, since a broken addon may take the child down before it can clean up.
  const directory = mkdtempSync(join(tmpdir(), 'popbsmtp-addon-'));
  try {
    const args = [PROOF, join(directory, 'fresh.lmdb')];
    const { status, signal, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (status === 0) return null;
    return stderr.trim().split('\n').at(-1) || `it ended with ${signal ?? status}`;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** @returns {string} what was done */
function install() {
  const lmdb = packageDirectory('lmdb');
  const kept = join(CACHE, cacheName(lmdb));
  const place = join(lmdb, 'build/Release/lmdb.node');
  if (existsSync(kept)) {
    copyAtomically(kept, place);
    if (fault() === null) return 'taken from .addon/';
  }
  const start = performance.now();
  const scratch = join(CACHE, 'build');
  rmSync(scratch, { recursive: true, force: true });
  try {
    const addon = compile(lmdb, scratch);
    copyAtomically(addon, place);
    const found = fault();
    if (found !== null) {
      rmSync(place);
      throw new Problem(`the lmdb addon was compiled but is of no use: ${found}; report this`);
    }
    renameSync(addon, kept);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return `compiled in ${Math.round((performance.now() - start) / 1000)} s and kept in .addon/`;
}

try {
  process.stdout.write(`lmdb addon of data format 1: ${install()}\n`);
} catch (error) {
  process.stderr.write(`popbsmtp: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
