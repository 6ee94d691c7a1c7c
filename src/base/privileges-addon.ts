/**
 * Loads the addon of our own by which root becomes another account (src/packaging/privileges/privileges.c).
 *
 * Promises: it is loaded only when it is called for, from the program's own directory: the sources, what npm installs and the
 * Debian package have it in the same place.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { failure, reasonOf } from './errors.ts';
import { packageRoot } from './package.ts';

/** Below the directory of package.json; src/packaging/privileges/privileges-addon.mjs puts it there. */
export const PRIVILEGES_ADDON = 'build/Release/privileges.node';

export interface PrivilegesAddon {
  /**
   * This process, with all its threads, becomes the account for good, with the account's groups; with `gid` alone where the number
   * has no name.
   *
   * @throws Error with the name of the C library's function that failed, and why; the process has to end then
   */
  become(uid: number, gid: number): void;
  /**
   * The same, but that this thread, and the programs that it starts, keep CAP_NET_ADMIN, should the process have it.
   *
   * @throws as `become` does
   */
  becomeNetAdmin(uid: number, gid: number): void;
}

/** @throws Failure PRIVILEGES_MISSING */
export function loadPrivileges(directory = packageRoot()): PrivilegesAddon {
  try {
    return createRequire(import.meta.url)(join(directory, PRIVILEGES_ADDON));
  } catch (error) {
    // Node's message goes on with the files that asked for it.
    const [reason = ''] = reasonOf(error).split('\n');
    throw failure('PRIVILEGES_MISSING', { reason, directory }, error);
  }
}
