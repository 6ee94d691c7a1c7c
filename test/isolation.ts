/**
 * Runs a program on a machine of its own, as far as programs that log and listen can tell.
 *
 * Promises: it has a loopback network with all ports free, no syslog socket and no `/run` of anybody's, a directory for
 * temporary files and terminals of its own, and sees no process but those that it has started.  When it ends, or this
 * process does in whatever way, the kernel takes down all that it has left: processes, mounts, files.
 * Known limits: needs root and Linux's namespaces; the file system is otherwise the machine's, and so are the clock, the
 * kernel's settings and its control groups.
 */
import { spawnSync } from 'node:child_process';
import { findExecutable } from '../src/postfix/executable.ts';

/**
 * Where an isolated program finds the network of the machine, as nsenter(1) takes it: for what has to be fetched from
 * somewhere else.  Not set where nothing is isolated.
 */
export const OUTER_NETWORK = 'POPBSMTP_TEST_NETWORK';

const PROGRAMS = ['setpriv', 'unshare', 'mount', 'ip'] as const;

/** Gives the mount namespace a `/dev` with the usual devices and nothing else; below the directory `$base`. */
export const MOUNT_DEVICES = `
mkdir "$base/dev"
mount -t tmpfs -o mode=755 tmpfs "$base/dev"
mkdir -m 1777 "$base/dev/shm"
mkdir "$base/dev/pts"
mount -t devpts -o newinstance,mode=620,ptmxmode=666 devpts "$base/dev/pts"
for name in null zero full random urandom tty; do
  : > "$base/dev/$name"
  mount --bind "/dev/$name" "$base/dev/$name"
done
ln -s pts/ptmx "$base/dev/ptmx"
ln -s /proc/self/fd "$base/dev/fd"
mount --rbind "$base/dev" /dev
`;

/** The first process: a shell, which reaps what daemons leave behind, as an init does. */
const SETUP = `
base=$1
shift
mount -t tmpfs -o mode=755 tmpfs "$base"
${MOUNT_DEVICES}
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -m 1777 /run/lock "$base/tmp"
: > "$base/network"
mount --bind /proc/self/ns/net "$base/network"
export TMPDIR="$base/tmp" ${OUTER_NETWORK}="$base/network"
unshare --net sh -euc 'ip link set lo up; exec "$@"' sh "$@" || exit
exit 0
`;

/**
 * @param base an empty directory, in which nothing will be seen from here
 * @returns the command that runs another one isolated, and ends as it does
 */
export const isolated = (
  base: string,
  command: readonly string[],
): [string, ...(readonly string[])] => [
  'setpriv',
  ...['--pdeathsig', 'KILL', 'unshare', '--mount', '--pid', '--ipc', '--uts'],
  ...['--propagation', 'private', '--mount-proc', '--kill-child'],
  ...['sh', '-euc', SETUP, 'sh', base, ...command],
];

/** @returns null when programs can be isolated here, or else the reason why not */
export function whyNotIsolated(base: string): string | null {
  if (process.getuid?.() !== 0) return 'not root';
  const missing = PROGRAMS.filter(name => findExecutable(name, ['/usr/sbin', '/sbin']) === null);
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  const [command, ...args] = isolated(base, ['true']);
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? null : stderr.trim();
}
