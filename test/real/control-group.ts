/**
 * Control groups of the test's own, of the one hierarchy that systemd reads the unit of a process from.
 *
 * Promises: nothing of the machine's own groups is touched; a group goes with the rig, once what runs in it has ended.
 * Known limits: needs root, and a cgroup2 file system that can be written.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

/** @param suffix of its name */
export async function makeControlGroup(rig: Rig, suffix = ''): Promise<string> {
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  const [, root] = /^cgroup2? (\S+) cgroup2 /m.exec(mounts) ?? [];
  if (root === undefined) throw new Error('no cgroup2 file system is mounted');
  // Not named by the pid: that is one of a namespace, and the groups are the machine's.
  const group = join(root, `popbsmtp-test-${randomUUID()}${suffix}`);
  await mkdir(group);
  rig.defer(() => removeControlGroup(group));
  return group;
}

/** The kernel keeps a group for a moment after its last process has ended. */
async function removeControlGroup(group: string): Promise<void> {
  const names = await readdir(group, { recursive: true, withFileTypes: true });
  const groups = names.filter(name => name.isDirectory()).map(at => join(at.parentPath, at.name));
  for (const path of [group, ...groups].sort().reverse()) {
    await waitFor(`${path} to be empty`, () =>
      rmdir(path).then(
        () => true,
        () => false,
      ),
    );
  }
}

/**
 * A group that journald takes for a unit: it skips the slices before it (systemd 252: src/basic/cgroup-util.c, cg_path_get_unit).
 *
 * @param unit such as `postfix.service`
 * @returns the command that runs another one in there
 */
export async function makeUnit(rig: Rig, unit: string): Promise<readonly string[]> {
  const group = join(await makeControlGroup(rig, '.slice'), unit);
  await mkdir(group);
  return ['sh', '-euc', 'echo $$ > "$0/cgroup.procs"; exec "$@"', group];
}
