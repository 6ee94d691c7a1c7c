/**
 * Loads the compiled part of a package whose other parts are in the bundle.
 *
 * Promises: it is the file that facts.ts names, in the package where Node finds it from here, and no other one: of lmdb the one that
 * was compiled for data format 1 (src/packaging/lmdb/), never the one for format 2 that the package brings.
 * Known limit: no file is named for musl, whose lmdb could be compiled but which fs-native-extensions does not serve.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ADDONS, type AddonName } from './facts.ts';

/** @throws Error when it is missing, or is none for this machine */
export function loadAddon(name: AddonName): unknown {
  const require = createRequire(import.meta.url);
  const file = ADDONS[name](process.arch);
  const places = (require.resolve.paths(name) ?? []).map(place => join(place, name, file));
  const found = places.find(existsSync);
  if (found === undefined) throw new Error(`there is no ${join(name, file)}`);
  return require(found);
}
