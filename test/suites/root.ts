/**
 * The root of another suite of Debian, with all that the tests need: made by debootstrap, and kept.
 *
 * Promises: a root that was made to the end and not longer ago than `KEPT` is used again; one that was interrupted, or made for
 * other packages, is made anew.  Nothing of it runs afterwards, and no service is started while it is made.
 * Leaves to others: running anything in it (suites.ts), which must not write into it.
 * Known limits: needs root, debootstrap, some 1.5 GB for a suite, and Debian's archive as this machine's apt knows it.
 */
import { createHash } from 'node:crypto';
import { chmod, cp, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun } from '../real/processes.ts';
import type { Alternatives, Packages } from './packages.ts';

/** A suite moves on: forky with each day, a released one with its corrections. */
const KEPT_MS = 30 * 24 * 3600 * 1000;

/** What debootstrap of Debian 12 says of the newer ones, which it does not know by name. */
const SCRIPT = '/usr/share/debootstrap/scripts/sid';

/** Node comes with the suite; the rest is for apt. */
const FIRST: readonly Alternatives[] = [['nodejs'], ['ca-certificates']];

/** Debian's archive, as this machine fetches it. */
async function mirror(): Promise<string> {
  const format = ['--format', '$(SITE)', 'Origin: Debian', 'Created-By: Packages'];
  const sites = await mustRun('apt-get', ['indextargets', ...format]);
  const site = sites.split('\n').find(line => line !== '' && !line.includes('security'));
  if (site === undefined) throw new Error('apt has no list of Debian: run apt-get update first');
  return site;
}

/** Runs a program in the root, with the devices and processes that installation scripts expect. */
const inside = (root: string, argv: readonly string[]): Promise<string> =>
  mustRun(
    'unshare',
    [
      ...['--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private', 'sh', '-euc'],
      'mount -t proc proc "$0/proc"; mount --rbind /dev "$0/dev"; exec chroot "$0" "$@"',
      root,
      ...argv,
    ],
    { env: { DEBIAN_FRONTEND: 'noninteractive' } },
  );

/** The first of each that the suite has, with a candidate to install. */
async function chosen(root: string, wanted: readonly Alternatives[]): Promise<readonly string[]> {
  const policy = await inside(root, ['apt-cache', 'policy', ...new Set(wanted.flat())]);
  const known = new Set(
    [...policy.matchAll(/^(\S+):\n {2}Installed: .*\n {2}Candidate: (?!\(none\))/gm)].map(
      ([, name]) => name,
    ),
  );
  return wanted.map(alternatives => {
    const found = alternatives.find(name => known.has(name));
    if (found === undefined) throw new Error(`${root}: no package ${alternatives.join(' or ')}`);
    return found;
  });
}

async function make(suite: string, root: string, packages: Packages): Promise<void> {
  await mustRun('debootstrap', ['--variant=minbase', suite, root, await mirror(), SCRIPT]);
  const policy = join(root, 'usr/sbin/policy-rc.d');
  await writeFile(policy, '#!/bin/sh\nexit 101\n');
  await chmod(policy, 0o755);
  await cp('/etc/resolv.conf', join(root, 'etc/resolv.conf'), { dereference: true });
  // A mirror may be behind; what it has is signed all the same.
  await inside(root, ['apt-get', '-o', 'Acquire::Check-Valid-Until=false', 'update', '-q']);
  const install = ['apt-get', 'install', '-y', '-q', '--no-install-recommends'];
  await inside(root, [...install, ...(await chosen(root, [...FIRST, ...packages.install]))]);
  for (const set of packages.fetch)
    await inside(root, [...install, '--download-only', ...(await chosen(root, set))]);
}

const ageOf = async (path: string): Promise<number> => {
  const made = await stat(path).catch(() => null);
  return made === null ? Number.POSITIVE_INFINITY : Date.now() - made.mtimeMs;
};

/**
 * @param cache the directory in which roots are kept
 * @returns the root's directory, which is there and complete
 * @throws Error when a program fails, with what it said
 */
export async function rootOf(suite: string, cache: string, packages: Packages): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(packages)).digest('hex').slice(0, 12);
  const root = join(cache, `${suite}-${hash}`);
  // The mark is the last thing that is made, beside the root, in which the age of a directory says nothing.
  const mark = `${root}.made`;
  if ((await ageOf(mark)) <= KEPT_MS) return root;
  await mkdir(cache, { recursive: true });
  for (const name of await readdir(cache))
    if (name.startsWith(`${suite}-`)) await rm(join(cache, name), { recursive: true, force: true });
  const part = `${root}.part`;
  await make(suite, part, packages);
  await rename(part, root);
  await writeFile(mark, '');
  return root;
}
