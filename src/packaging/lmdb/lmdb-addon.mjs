// @ts-check
/**
 * Gives the installed `lmdb` package an addon that writes what Postfix reads; runs as `postinstall`.
 *
 * The package's prebuilt addon writes LMDB data format 2.  Postfix links liblmdb 0.9, which reads only
 * format 1, and with the wrong one it defers all mail.  The package carries the sources of both.
 *
 * Promises: afterwards `import 'lmdb'` loads an addon of format 1 without LMDB's own locking (why:
 * nolock.h), which was proved by writing a fresh file with it; or this ends as compile.mjs says.
 * It uses nothing but Node-API, so it outlives updates of Node.
 * Leaves to others: compiling and keeping it (compile.mjs).
 */
import { copyFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { faultBy, installAddon, packageDirectory, textOf } from '../compile.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const PROOF = join(HERE, 'lmdb-proof.mjs');
const HEADER = join(HERE, 'nolock.h');
const PRODUCT = 'build/Release/lmdb.node';

/** What the package's binding.gyp reads; without V8's own interface, Node-API is all that is left. */
const SETTINGS = { LMDB_DATA_V1: 'true', ENABLE_V8_FUNCTIONS: 'false' };
/** Relative to the directory that make runs in: a path with a blank would not survive make. */
const INCLUDE = '-include ../nolock.h';

/** @returns {string | null} what is wrong with the addon that the package loads, or null */
function fault() {
  // Made here, since a broken addon may take the child down before it can clean up.
  const directory = mkdtempSync(join(tmpdir(), 'popbsmtp-addon-'));
  try {
    return faultBy([PROOF, join(directory, 'fresh.lmdb')]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

installAddon(() => {
  const lmdb = packageDirectory('lmdb');
  const { version } = JSON.parse(textOf(join(lmdb, 'package.json')));
  const { CXXFLAGS = '', NODE_PATH = '' } = process.env;
  return {
    title: 'lmdb addon of data format 1',
    name: `lmdb-${version}`,
    place: join(lmdb, PRODUCT),
    recipe: [SETTINGS, INCLUDE, textOf(HEADER)],
    prepare: directory => {
      cpSync(lmdb, directory, { recursive: true, filter: from => from !== join(lmdb, 'build') });
      copyFileSync(HEADER, join(directory, 'nolock.h'));
    },
    product: PRODUCT,
    env: {
      ...SETTINGS,
      CXXFLAGS: `${CXXFLAGS} ${INCLUDE}`,
      // binding.gyp asks Node for this package from the copy, which may lie outside lmdb's own tree.
      NODE_PATH: `${dirname(packageDirectory('node-addon-api', join(lmdb, 'x')))}${delimiter}${NODE_PATH}`,
    },
    fault,
  };
});
