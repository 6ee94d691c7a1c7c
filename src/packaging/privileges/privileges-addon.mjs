// @ts-check
/**
 * Compiles the addon by which root becomes another account (privileges.c); runs as `postinstall`.
 *
 * Promises: afterwards it is where src/base/privileges-addon.ts loads it from, and was seen to load; or this ends as compile.mjs
 * says.
 * Leaves to others: compiling and keeping it (compile.mjs).
 */
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { faultBy, installAddon, ROOT, textOf } from '../compile.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const SOURCES = ['privileges.c', 'binding.gyp'];
const PRODUCT = 'build/Release/privileges.node';
const PLACE = join(ROOT, PRODUCT);

/** It is not called with an account, since that could not be undone. */
const PROOF = `
const { become } = require(process.argv[1]);
try {
  become();
} catch (error) {
  if (error instanceof TypeError && error.message.startsWith('become: ')) process.exit();
}
console.error('it has no function become');
process.exit(1);`;

installAddon(() => ({
  title: 'privileges addon',
  name: 'privileges',
  place: PLACE,
  recipe: SOURCES.map(name => textOf(join(HERE, name))),
  prepare: directory => {
    mkdirSync(directory);
    for (const name of SOURCES) copyFileSync(join(HERE, name), join(directory, name));
  },
  product: PRODUCT,
  env: {},
  fault: () => faultBy(['--input-type=commonjs', '--eval', PROOF, PLACE]),
}));
