/**
 * The Debian package, built and installed as its user does.
 */
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Overlay } from './overlay.ts';
import { mustRun } from './processes.ts';
import type { Rig } from './rig.ts';

/** What it takes to build one, for `requirePrograms`. */
export const DEB_PROGRAMS = ['dpkg-deb', 'dpkg-shlibdeps', 'strip', 'git'] as const;

/** As the package demands it. */
const NODE_VERSION = '20.19';

/** @returns why the package cannot be installed here, as `skip` of node:test wants it; in CI that is an error */
export function requireNodePackage(): string | false {
  const { stdout } = spawnSync('dpkg', ['--status', 'nodejs'], { encoding: 'utf8' });
  const [, version] = /^Version: (.+)$/m.exec(stdout) ?? [];
  const compare = ['--compare-versions', version ?? '0', 'ge', NODE_VERSION];
  if (spawnSync('dpkg', compare).status === 0) return false;
  const reason = `no package nodejs of ${NODE_VERSION} or later is installed`;
  if (process.env['CI'] === 'true') throw new Error(`cannot test here: ${reason}`);
  return reason;
}

const BUILDER = join(import.meta.dirname, '../../src/packaging/deb/deb.js');

/** @returns the package's file */
export async function buildDeb(rig: Rig, ...args: string[]): Promise<string> {
  const printed = await mustRun(process.execPath, [
    BUILDER,
    '--to',
    await rig.directory(),
    ...args,
  ]);
  return printed.trim();
}

/** @returns what dpkg and the package's scripts have printed */
export async function installDeb(overlay: Overlay, deb: string): Promise<string> {
  // Handed over as text: a machine that boots empties its /tmp.
  const input = await readFile(deb, 'base64');
  const install = 'base64 --decode > /root/new.deb; dpkg --install /root/new.deb 2>&1';
  return overlay.run('sh', ['-euc', install], { input });
}
