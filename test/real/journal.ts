/**
 * A systemd journal of the test's own: journald, started by hand, in a mount namespace.
 *
 * Promises: nothing of it is seen from outside: `/run` and `/dev` are its own (the devices are the machine's, but
 * `/dev/log` is not), so it needs no systemd as process 1, and takes the place of no other syslog daemon.  What is
 * to log into it is started through `enter`.  journald ends with the rig, or when the test dies, and the namespace
 * with the last process in it.
 * Known limits: needs root; nothing in there runs in a unit, so entries have no _SYSTEMD_UNIT.
 */
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MOUNT_DEVICES } from '../isolation.ts';
import { mustRun, type RunOptions, runProgram, startDaemon } from './processes.ts';
import { findProgram } from './programs.ts';
import type { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

/** What it takes, for `requirePrograms`. */
export const JOURNAL_PROGRAMS = [
  'systemd-journald',
  'journalctl',
  'systemd-cat',
  'logger',
  'setpriv',
  'unshare',
  'nsenter',
  'mount',
] as const;

export interface JournalOptions {
  /** A directory, seen from outside as well, that the journal of this namespace is kept in. */
  readonly namespace?: { readonly name: string; readonly directory: string };
}

export interface Journal {
  /** The command that runs another one in there. */
  readonly enter: readonly [string, ...string[]];
  /** Runs a program in there that must succeed, and returns its standard output. */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<string>;
  /**
   * Makes a script that becomes a program in there, under the same process id.
   *
   * @param before a command that runs it, such as setpriv
   * @returns the script's path; its name is the program's
   */
  entrance(program: string, before?: readonly string[]): Promise<string>;
}

const SETUP = `
base=$1
${MOUNT_DEVICES}
ln -s /run/systemd/journal/dev-log /dev/log
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/systemd/journal /run/log
test ! -d /var/log/journal || mount -t tmpfs tmpfs /var/log/journal
if test -n "$3"; then
  # Where it is kept in the end, whether or not the machine keeps its own there.
  mount -t tmpfs tmpfs /var/log
  own=/var/log/journal/$(cat /etc/machine-id).$3
  mkdir -p "$own" "/run/systemd/journald@$3.conf.d"
  mount --bind "$4" "$own"
  # Else it ends when it is idle, to be started again by systemd (systemd-journald.service(8)).
  printf '[Journal]\nMaxRetentionSec=1day\n' > "/run/systemd/journald@$3.conf.d/test.conf"
fi
echo mounted
exec "$2"
`;

/** Starts journald, and one more for a namespace; they are stopped when the rig closes. */
export async function startJournal(rig: Rig, { namespace }: JournalOptions = {}): Promise<Journal> {
  const base = await rig.directory();
  const journald = findProgram('systemd-journald') ?? 'systemd-journald';
  const mounts = ['unshare', '--mount', '--propagation', 'private'];
  const daemon = startDaemon(rig, 'setpriv', [
    ...['--pdeathsig', 'TERM', ...mounts],
    ...['sh', '-euc', SETUP, 'sh', base, journald],
    ...[namespace?.name ?? '', namespace?.directory ?? ''],
  ]);
  const enter = ['nsenter', `--mount=/proc/${daemon.pid}/ns/mnt`] as const;
  const [nsenter, ...inside] = enter;
  const journal: Journal = {
    enter,
    run: (command, args, options) => mustRun(nsenter, [...inside, command, ...args], options),
    entrance: async (program, before = []) => {
      const path = join(await rig.directory(), program);
      const command = [...enter, ...before, findProgram(program) ?? program];
      await writeFile(path, `#!/bin/sh\nexec ${command.join(' ')} "$@"\n`);
      await chmod(path, 0o755);
      return path;
    },
  };
  // Before that, `enter` would lead to the machine's own journal.
  await daemon.waitForLine(/^mounted$/);
  const ownEntries = ['--no-pager', '--quiet', '--identifier=systemd-journald'];
  let found = '';
  await waitFor(
    'journald',
    async () => {
      if (!daemon.running) throw new Error(`no journald: ${daemon.transcript()}`);
      const { stdout, stderr } = await runProgram(nsenter, [
        ...inside,
        'journalctl',
        ...ownEntries,
      ]);
      found = `${stdout}${stderr}`;
      // Its first entry, whatever else is logged meanwhile.
      return stdout.includes('Journal started');
    },
    { seen: () => `${found}${daemon.transcript()}` },
  );
  if (namespace !== undefined)
    startDaemon(rig, 'setpriv', [
      ...['--pdeathsig', 'TERM', nsenter, ...inside, journald, namespace.name],
    ]);
  return journal;
}
