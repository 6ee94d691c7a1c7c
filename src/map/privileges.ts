/**
 * Whoever starts a command as root works as the account that the map belongs to.
 *
 * That account may put any link or directory in the place of what it owns, at any moment; what root then reads, writes
 * or gives away by such a name is not what it seems.  So before anything there is opened, root becomes that account,
 * for good: it can do there no more than the account itself.
 * Promises: of the directories on the way to the map, links included, the innermost decides, or, where that is root's,
 * the first that is not; where all of them are root's, nothing changes.  The groups are those of the account.
 * Leaves to others: what only root can read (the configuration, a finished log) is read, or opened, before.
 * Known limits: where Node refuses to change accounts (see `startAs`), the command is started again as the account, and reads as that what
 * root would have read before; a directory of root's that everybody may write in is taken for root's; the doctor tells of such.
 */
import { spawnSync } from 'node:child_process';
import { lstatSync, type Stats, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { EXIT, errnoOf, failure, reasonOf } from '../base/errors.ts';
import type { MapSpec } from './map.ts';

interface Ids {
  readonly uid: number;
  readonly gid: number;
}

const ROOT = 0;

/**
 * Becomes the account of the directories that the maps are in; does nothing unless this process is root.
 *
 * @throws Failure PRIVILEGES, also when they are of several accounts
 */
export function becomeOwner(maps: readonly MapSpec[]): void {
  if (process.geteuid?.() !== ROOT) return;
  const owners = maps
    .map(({ path }) => ownerOfDirectory(dirname(path)))
    .filter(found => found !== null);
  const [owner] = owners;
  if (owner === undefined) return;
  const other = owners.find(({ uid }) => uid !== owner.uid);
  if (other !== undefined) {
    throw failure('PRIVILEGES', {
      uid: owner.uid,
      reason: `the directory of another map belongs to ${other.uid}`,
    });
  }
  try {
    become(owner);
  } catch (error) {
    if (errnoOf(error) === REFUSED && process.send === undefined) startAs(owner);
    throw failure('PRIVILEGES', { uid: owner.uid, reason: reasonOf(error) }, error);
  }
}

/** Null where all is root's, or nothing is there. */
export function ownerOfDirectory(directory: string): Ids | null {
  const way = [...downTo(directory)].flatMap(statesOf);
  const [last] = statesOf(directory).slice(-1);
  if (last === undefined) return null;
  const decides = last.uid === ROOT ? way.find(({ uid }) => uid !== ROOT) : last;
  return decides === undefined ? null : { uid: decides.uid, gid: decides.gid };
}

function* downTo(directory: string): Generator<string> {
  const above = dirname(directory);
  if (above !== directory) yield* downTo(above);
  yield directory;
}

/** Of the name itself, should it be a link, and of what it leads to; none of what is not there. */
function statesOf(path: string): Stats[] {
  return [lstatSync, statSync].flatMap(look => look(path, { throwIfNoEntry: false }) ?? []);
}

function become({ uid, gid }: Ids): void {
  // The C library asks whatever knows the accounts (NSS), but only for the account that one is.
  process.seteuid?.(uid);
  const account = accountOrNull();
  process.seteuid?.(ROOT);
  if (account === null) process.setgroups?.([gid]);
  else process.initgroups?.(account.username, account.gid);
  process.setgid?.(account?.gid ?? gid);
  process.setuid?.(uid);
  if (process.getuid?.() !== uid || process.geteuid?.() !== uid) throw new Error('it stays root');
}

/** Null for a number without a name. */
function accountOrNull(): { readonly username: string; readonly gid: number } | null {
  try {
    return userInfo();
  } catch {
    return null;
  }
}

/** Node's word for a state in which it does not do it (errors.html). */
const REFUSED = 'ERR_INVALID_STATE';

/**
 * Starts this command again as the account, and ends with its status.
 *
 * A Node that is linked to a libuv of its own distribution does not change accounts from libuv 1.45 on, since that may use io_uring
 * (node_credentials.cc; seen with Debian 13's 20.19.2: "seteuid() disabled: io_uring may be enabled").
 * It returns only where it cannot be started.
 */
function startAs({ uid, gid }: Ids): void {
  const entry = spawnSync('getent', ['passwd', String(uid)], { encoding: 'utf8' }).stdout ?? '';
  const [, , , primary] = entry.split(':');
  const account =
    primary === undefined
      ? [`--regid=${gid}`, '--clear-groups']
      : [`--regid=${primary}`, '--init-groups'];
  // Who ends this process ends that one.
  const args = [`--reuid=${uid}`, ...account, '--pdeathsig=TERM', process.execPath];
  const ended = spawnSync('setpriv', [...args, ...process.argv.slice(1)], { stdio: 'inherit' });
  if (ended.error === undefined) process.exit(ended.status ?? EXIT.software);
}
