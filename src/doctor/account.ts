/**
 * The account that the daemon runs as, and what it may read: asked of the kernel, not worked out from modes, so that
 * groups and ACLs count.
 *
 * Promises: only root asks for another account; a program that is missing for that is told as `unknown`.
 */
import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from '../errors.ts';
import type { MapSpec } from '../map/map.ts';

export interface Account {
  readonly uid: number;
  readonly gid: number;
  /** The name where it is known, else the number. */
  readonly name: string;
}

const ENVIRONMENT = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C' };
const TIMEOUT_MS = 10_000;

/**
 * Whoever the map's directory belongs to runs the daemon.
 *
 * @returns null unless this process is root's and the directory another account's
 */
export async function daemonAccount({ path }: MapSpec): Promise<Account | null> {
  if (process.geteuid?.() !== 0) return null;
  const directory = statSync(dirname(path), { throwIfNoEntry: false });
  if (directory === undefined || directory.uid === 0) return null;
  const entry = await run('getent', ['passwd', String(directory.uid)]);
  const [name, , , gid] = entry?.stdout.split(':') ?? [];
  return {
    uid: directory.uid,
    gid: gid === undefined ? directory.gid : Number(gid),
    name: name || String(directory.uid),
  };
}

/** Runs a program as the account, with its groups, and tells whether it succeeds. */
export async function succeedsAs(
  { uid, gid }: Account,
  command: readonly string[],
): Promise<'yes' | 'no' | 'unknown'> {
  const who = [`--reuid=${uid}`, `--regid=${gid}`, '--init-groups'];
  const result = await run('setpriv', [...who, '--', ...command]);
  if (result === null) return 'unknown';
  return result.status === 0 ? 'yes' : 'no';
}

export const mayRead = (account: Account, path: string): Promise<'yes' | 'no' | 'unknown'> =>
  succeedsAs(account, ['test', '-r', path]);

/** Null when the program is not there. */
function run(
  program: string,
  args: readonly string[],
): Promise<{ readonly status: number | null; readonly stdout: string } | null> {
  const options = { env: ENVIRONMENT, timeout: TIMEOUT_MS, killSignal: 'SIGKILL' } as const;
  return new Promise(resolve => {
    const child = execFile(program, args, options, (error, stdout) => {
      resolve(errnoOf(error) === 'ENOENT' ? null : { status: child.exitCode, stdout });
    });
  });
}
