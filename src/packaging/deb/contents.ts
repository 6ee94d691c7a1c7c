/**
 * What is in the package, and where: one table, from the project's files to those of the mail host.
 *
 * Promises: a file that is missing in the project is an error.
 * Leaves to others: manual pages, completions and the configuration file, which are made from the table of options
 * (deb.ts).
 */
import { chmodSync, cpSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { PRIVILEGES_ADDON } from '../../base/privileges-addon.ts';
import { ADDONS, BUNDLE, COMPILED } from '../bundle/facts.ts';

/** Where the program itself is. */
export const HOME = 'usr/lib/popbsmtp';
export const DOC = 'usr/share/doc/popbsmtp';
const UNITS = 'usr/lib/systemd/system';

/** From the project to the mail host; a directory goes with all that is in it. */
const FILES: readonly (readonly [string, string])[] = [
  ['patterns', `${HOME}/patterns`],
  [PRIVILEGES_ADDON, `${HOME}/${PRIVILEGES_ADDON}`],
  ['init/popbsmtp.service', `${UNITS}/popbsmtp.service`],
  ['init/popbsmtp-purge.service', `${UNITS}/popbsmtp-purge.service`],
  ['init/popbsmtp-purge.timer', `${UNITS}/popbsmtp-purge.timer`],
  ['init/popbsmtp.sysusers', 'usr/lib/sysusers.d/popbsmtp.conf'],
  ['init/popbsmtp.tmpfiles', 'usr/lib/tmpfiles.d/popbsmtp.conf'],
  ['init/popbsmtp.logrotate', 'etc/logrotate.d/popbsmtp'],
  ['init/popbsmtp.sysv', `${DOC}/examples/popbsmtp.sysv`],
  ['init/popbsmtp.openrc', `${DOC}/examples/popbsmtp.openrc`],
  ['init/popbsmtp-network.conf', `${DOC}/examples/popbsmtp-network.conf`],
  ['init/popbsmtp-nft.conf', `${DOC}/examples/popbsmtp-nft.conf`],
  ['init/popbsmtp-dashboard.json', `${DOC}/examples/popbsmtp-dashboard.json`],
  ['init/popbsmtp-alerts.yml', `${DOC}/examples/popbsmtp-alerts.yml`],
  ['init/Containerfile', `${DOC}/examples/Containerfile`],
  ['README.md', `${DOC}/README.md`],
  ['init/debian/lintian-overrides', 'usr/share/lintian/overrides/popbsmtp'],
];

/** What dpkg keeps as the administrator has changed it. */
export const CONFFILES = ['etc/popbsmtp/popbsmtp.toml', 'etc/logrotate.d/popbsmtp'] as const;

/** The program, and what runs it by name. */
export const MAIN = `${HOME}/${BUNDLE}/main.js`;

const EXECUTABLES = [MAIN, `${DOC}/examples/popbsmtp.sysv`, `${DOC}/examples/popbsmtp.openrc`];
const DIRECTORIES = ['etc/popbsmtp/patterns.d', 'usr/bin'];

function copy(from: string, to: string, without: readonly string[] = []): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true, filter: path => !without.includes(basename(path)) });
}

/** Puts all files but those with a text of their own (metadata.ts) below `root`. */
export function copyContents(project: string, root: string): void {
  for (const directory of DIRECTORIES) mkdirSync(join(root, directory), { recursive: true });
  // It is of the Node of this machine; postinst has that of the mail host make one.
  copy(join(project, BUNDLE), join(root, HOME, BUNDLE), [COMPILED]);
  for (const [name, fileFor] of Object.entries(ADDONS)) {
    const addon = join('node_modules', name, fileFor(process.arch));
    copy(join(project, addon), join(root, HOME, addon));
  }
  for (const [from, to] of FILES) copy(join(project, from), join(root, to));
}

/** All files below the directory, sorted. */
export function filesBelow(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .sort();
}

/**
 * Modes do not depend on the umask of whoever builds.
 *
 * @param executables besides the program's own
 */
export function setModes(root: string, executables: readonly string[]): void {
  chmodSync(root, 0o755);
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    // A mode set on a symbolic link would be its target's.
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = relative(root, path);
    const runs = EXECUTABLES.includes(name) || executables.includes(name);
    chmodSync(path, entry.isDirectory() || runs ? 0o755 : 0o644);
  }
}
