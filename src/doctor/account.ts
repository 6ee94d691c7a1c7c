/**
 * The account that the daemon runs as, and what it may read: asked of the kernel, not worked out from modes, so that
 * groups and ACLs count.
 *
 * Promises: only root asks for another account; a program that is missing for that is told as `unknown`.
 */
import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from '../base/errors.ts';
import type { MapSpec } from '../map/map.ts';
import { ownerOf } from '../map/owner.ts';
import { seen } from './map-state.ts';

export interface Account {
  readonly uid: number;
  readonly gid: number;
  /** Those that the running daemon has; null for those of the account. */
  readonly groups: readonly number[] | null;
  /** The name where it is known, else the number. */
  readonly name: string;
}

const ENVIRONMENT = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C' };
const TIMEOUT_MS = 10_000;

/**
 * The account of the daemon that has the map; where none runs, the one that the map's directory belongs to.
 *
 * @returns null unless this process is root's and that is another account
 */
export async function daemonAccount(spec: MapSpec): Promise<Account | null> {
  if (process.geteuid?.() !== 0) return null;
  const account = (await runningAccount(spec)) ?? (await owningAccount(spec));
  return account === null || account.uid === 0 ? null : account;
}

/** Whether this process can do at least what the daemon can. */
export function isDaemonsAccount({ path }: MapSpec): boolean {
  const uid = process.geteuid?.();
  return uid === 0 || seen(dirname(path), statSync)?.uid === uid;
}

async function runningAccount(spec: MapSpec): Promise<Account | null> {
  const pid = await ownerOf(spec);
  if (typeof pid !== 'number') return null;
  const ids = readIds(pid);
  return ids && { ...ids, name: (await nameAndGroup(ids.uid)).name };
}

function readIds(pid: number): Omit<Account, 'name'> | null {
  try {
    return parseIds(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    // It has ended meanwhile, or lives in another pid namespace.
    return null;
  }
}

/** @param status of a process, as proc_pid_status(5) describes it */
export function parseIds(status: string): Omit<Account, 'name'> | null {
  const numbersOf = (name: string): number[] | null => {
    const [, values] = new RegExp(`^${name}:(.*)$`, 'm').exec(status) ?? [];
    return values === undefined ? null : values.trim().split(/\s+/).filter(Boolean).map(Number);
  };
  // Real, effective, saved, and that of file systems.
  const [uid, gid] = ['Uid', 'Gid'].map(name => numbersOf(name)?.[1]);
  const groups = numbersOf('Groups');
  return uid === undefined || gid === undefined || groups === null ? null : { uid, gid, groups };
}

async function owningAccount({ path }: MapSpec): Promise<Account | null> {
  const directory = seen(dirname(path), statSync);
  if (directory === null) return null;
  const { uid } = directory;
  const { name, gid } = await nameAndGroup(uid);
  return { uid, gid: gid ?? directory.gid, groups: null, name };
}

/** The number of an account of this machine; null where there is none, or no getent(1) to ask. */
export async function uidOf(name: string): Promise<number | null> {
  const entry = await run('getent', ['passwd', name]);
  const [, , uid] = entry?.stdout.split(':') ?? [];
  return uid === undefined ? null : Number(uid);
}

/** The name of a group where it is known, else its number. */
export async function groupName(gid: number): Promise<string> {
  const entry = await run('getent', ['group', String(gid)]);
  return entry?.stdout.split(':')[0] || String(gid);
}

async function nameAndGroup(uid: number): Promise<{ name: string; gid: number | null }> {
  const entry = await run('getent', ['passwd', String(uid)]);
  const [name, , , gid] = entry?.stdout.split(':') ?? [];
  return { name: name || String(uid), gid: gid === undefined ? null : Number(gid) };
}

/** Runs a program as the account, with its groups, and tells whether it succeeds. */
async function succeedsAs(
  { uid, gid, groups }: Account,
  command: readonly string[],
): Promise<'yes' | 'no' | 'unknown'> {
  const result = await run('setpriv', [
    `--reuid=${uid}`,
    `--regid=${gid}`,
    groups === null ? '--init-groups' : `--groups=${[gid, ...groups].join()}`,
    '--',
    ...command,
  ]);
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
