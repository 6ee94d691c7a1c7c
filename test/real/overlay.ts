/**
 * A copy of this machine in which packages are installed that cannot stand beside the others.
 *
 * Courier and the rest conflict with Dovecot as packages.  An overlay over `/`, with what is written
 * kept in memory, gives each test its own installed machine; `/dev` is this machine's, so what runs
 * there logs to the same `/dev/log`, and the network is the same.
 *
 * Promises: nothing of it is seen from outside: mounts and processes live in namespaces whose first
 * process reads a pipe from the test.  When the rig closes, or the test dies in whatever way, the
 * pipe ends, and the kernel takes down processes and mounts with it.
 * Known limits: needs root, and `/usr`, `/etc` and `/var` on the root file system; packages come from
 * apt's cache (.ci/run fills it) or else from the archive.
 */
import { spawn } from 'node:child_process';
import { OUTER_NETWORK } from '../isolation.ts';
import { Daemon, mustRun, type RunOptions } from './processes.ts';
import type { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

/** The programs of this machine that an overlay takes, for `requirePrograms`. */
export const OVERLAY_PROGRAMS = ['unshare', 'nsenter', 'mount', 'chroot', 'apt-get'] as const;

export interface Overlay {
  /** Runs a program in there that must succeed, and returns its standard output. */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<string>;
  /** The command line that does so, for a program that has to be talked to. */
  argv(command: string, args: readonly string[]): [string, ...string[]];
  /** Writes a file in there. */
  write(path: string, text: string): Promise<void>;
}

/** Mounts the copy below the directory that is the first argument. */
export const MOUNT_OVERLAY = `
base=$1
mount -t tmpfs -o mode=755,size=2g tmpfs "$base"
mkdir "$base/upper" "$base/work" "$base/root"
mount -t overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" overlay "$base/root"
mount -t proc proc "$base/root/proc"
`;

/** Runs as the first process of the namespaces; ends, and everything with it, at end of input. */
const HOLDER = `
${MOUNT_OVERLAY}
mount --rbind /dev "$base/root/dev"
# Where /dev/log leads to if it is the journal's.
if test -d /run/systemd/journal; then
  mkdir -p "$base/root/run/systemd/journal"
  mount --bind /run/systemd/journal "$base/root/run/systemd/journal"
fi
printf '#!/bin/sh\\nexit 101\\n' > "$base/root/usr/sbin/policy-rc.d"
chmod 755 "$base/root/usr/sbin/policy-rc.d"
echo ready
# Not in its place: the shell reaps what daemons leave behind, as an init does.
cat
`;

async function startHolder(rig: Rig, base: string, enter: readonly string[]): Promise<number> {
  const namespaces = ['--mount', '--pid', '--propagation', 'private', '--kill-child'];
  const [command = '', ...args] = [...enter, 'unshare', ...namespaces, 'sh', '-euc', HOLDER];
  const child = spawn(command, [...args, 'sh', base]);
  const holder = new Daemon(child);
  rig.defer(async () => {
    child.stdin.end();
    await holder.exited();
  });
  await waitFor(
    'the overlay',
    () => {
      if (!holder.running) throw new Error(`no overlay: ${holder.transcript()}`);
      return holder.lines.includes('ready');
    },
    { seen: () => holder.transcript() },
  );
  return holder.pid;
}

/** @param enter the command that runs another one in there */
export function overlayBehind([command, ...enter]: readonly [string, ...string[]]): Overlay {
  // The directory for temporary files of the outside is not there.
  const before = [...enter, 'env', '--unset=TMPDIR'];
  const overlay: Overlay = {
    argv: (program, args) => [command, ...before, program, ...args],
    run: (program, args, options) => mustRun(command, [...before, program, ...args], options),
    write: async (path, text) => {
      await overlay.run('sh', ['-euc', 'cat > "$1"', 'sh', path], { input: text });
    },
  };
  return overlay;
}

/** Has a directory of the outside in there. */
const SHOW = 'mkdir -p "$1"; mount --bind "$2" "$1"';

/**
 * Makes an overlay and installs packages in it, without starting their services.
 *
 * @param enter a command that starts it elsewhere, as in a journal's namespace
 * @param shown where directories of the outside, such as that of a log, are in there
 * @param how `unpacked` for packages whose scripts take minutes; what these do is the caller's, then
 */
export async function startOverlay(
  rig: Rig,
  packages: readonly string[],
  enter: readonly string[] = [],
  shown: ReadonlyMap<string, string> = new Map(),
  how: 'installed' | 'unpacked' = 'installed',
): Promise<Overlay> {
  const base = await rig.directory();
  const holder = await startHolder(rig, base, enter);
  const mounts = `--mount=/proc/${holder}/ns/mnt`;
  for (const [place, directory] of shown)
    await mustRun('nsenter', [mounts, 'sh', '-euc', SHOW, 'sh', `${base}/root${place}`, directory]);
  const inside = [mounts, `--pid=/proc/${holder}/ns/pid_for_children`, 'chroot', `${base}/root`];
  const overlay = overlayBehind(['nsenter', ...inside]);
  if (packages.length === 0) return overlay;
  const { [OUTER_NETWORK]: outer } = process.env;
  const network = outer === undefined ? [] : [`--net=${outer}`];
  const [command, ...args] =
    how === 'installed'
      ? ['apt-get', 'install', '-y', '-q', '--no-install-recommends']
      : ['sh', '-euc', UNPACK, 'sh'];
  await overlayBehind(['nsenter', ...network, ...inside]).run(command, [...args, ...packages], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  });
  return overlay;
}

/** Takes the files of packages, and of what they need, and runs none of their scripts. */
const UNPACK = `
said=$(apt-get install -y -q --download-only --no-install-recommends "$@")
for name in $(printf '%s' "$said" | sed -n '/^The following NEW/,/^[^ ]/s/^  //p'); do
  for file in /var/cache/apt/archives/"$name"_*.deb; do
    dpkg-deb --fsys-tarfile "$file" | tar -x --keep-directory-symlink -C /
  done
done
ldconfig
`;
