/**
 * A machine of the test's own with a real systemd as its first process, on an overlay over `/`.
 *
 * Promises: services run in there as on any host, in control groups, namespaces and sandboxes that systemd makes; the
 * network is its own, with loopback alone.  Nothing that is enabled on this machine is started; /proc/sys is read-only,
 * so that no setting of the kernel is touched.  When the rig closes, or the test dies in whatever way, the kernel takes
 * down all of it.
 * Known limits: needs root, and a cgroup2 file system that can be written.
 */
import { readFile } from 'node:fs/promises';
import { makeControlGroup } from './control-group.ts';
import { MOUNT_OVERLAY, OVERLAY_PROGRAMS, type Overlay, overlayBehind } from './overlay.ts';
import { type Daemon, startDaemon } from './processes.ts';
import type { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

/** What it takes, for `requirePrograms`. */
export const MACHINE_PROGRAMS = [
  ...OVERLAY_PROGRAMS,
  'systemd',
  'systemctl',
  'setpriv',
  'pivot_root',
] as const;

const START = `
echo $$ > "$2/cgroup.procs"
exec unshare --mount --pid --cgroup --net --ipc --uts --propagation private --kill-child \\
  sh -euc "$3" sh "$1"
`;

/** Becomes systemd; the units that are masked would change the kernel that we share, or fail. */
const BOOT = `
${MOUNT_OVERLAY}
cd "$base/root"
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/shm dev/pts dev/hugepages
mount -t devpts devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
for name in null zero full random urandom tty; do
  : > "dev/$name"
  mount --bind "/dev/$name" "dev/$name"
done
: > dev/console
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
rm -rf etc/systemd/system/*.wants usr/sbin/policy-rc.d
mkdir -p run/systemd/system
for unit in systemd-sysctl.service systemd-modules-load.service systemd-remount-fs.service \\
  systemd-update-utmp.service sys-kernel-debug.mount sys-kernel-tracing.mount \\
  sys-fs-fuse-connections.mount dev-hugepages.mount; do
  ln -s /dev/null "run/systemd/system/$unit"
done
mkdir .old
pivot_root . .old
umount -l .old
export container=test
exec /lib/systemd/systemd --unit=basic.target --log-target=console --show-status=false
`;

/** The pid of systemd, once it is there. */
function firstProcess({ pid }: Daemon): Promise<number> {
  return waitFor('the first process', async () => {
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
    return Number(children) || undefined;
  });
}

/** Boots it; it goes with the rig. */
export async function startMachine(rig: Rig): Promise<Overlay> {
  const base = await rig.directory();
  const group = await makeControlGroup(rig);
  const holder = startDaemon(rig, 'setpriv', [
    ...['--pdeathsig', 'KILL', 'sh', '-euc', START, 'sh', base, group, BOOT],
  ]);
  rig.defer(() => holder.signal('SIGKILL'));
  const first = await firstProcess(holder);
  const namespaces = ['--mount', '--pid', '--net', '--ipc', '--uts', '--cgroup', '--root', '--wd'];
  const machine = overlayBehind(['nsenter', `--target=${first}`, ...namespaces]);
  await waitFor(
    'the machine to have booted',
    async () => {
      if (!holder.running) throw new Error(`no machine: ${holder.transcript()}`);
      const state = await machine.run('systemctl', ['is-system-running']).catch(() => '');
      return state.startsWith('running');
    },
    { seen: () => machine.run('cat', ['/dev/console']) },
  );
  return machine;
}
