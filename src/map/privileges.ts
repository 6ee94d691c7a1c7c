/**
 * Whoever starts a command as root works as the account that the map belongs to.
 *
 * That account may put any link or directory in the place of what it owns, at any moment; what root then reads, writes
 * or gives away by such a name is not what it seems.  So before anything there is opened, root becomes that account,
 * for good: it can do there no more than the account itself.
 * Promises: of the directories on the way to the map, links included, the innermost decides, or, where that is root's,
 * the first that is not; where all of them are root's, nothing changes.  The groups are those of the account.  Where something
 * would go on as root, nothing changes either, and it is an error.  For an `nft:` map CAP_NET_ADMIN is kept, without which nft(8) does
 * nothing: what it gives power over is no file of the account's.
 * Leaves to others: what only root can read (the configuration, a finished log) is read, or opened, before; the change
 * itself is an addon's (src/packaging/privileges/privileges.c), since Debian 13's Node refuses process.setuid and its like.
 * Known limit: a directory of root's that everybody may write in is taken for root's; the doctor tells of such.
 */
import { lstatSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Failure, failure, reasonOf } from '../base/errors.ts';
import { loadPrivileges } from '../base/privileges-addon.ts';
import type { MapSpec } from './map.ts';
import { pollingThread } from './polling-thread.ts';

interface Ids {
  readonly uid: number;
  readonly gid: number;
}

const ROOT = 0;

/**
 * Becomes the account of the directories that the maps are in; does nothing unless this process is root.
 *
 * @throws Failure PRIVILEGES, also when they are of several accounts; PRIVILEGES_MISSING
 */
export function becomeOwner(maps: readonly MapSpec[]): void {
  if (process.geteuid?.() !== ROOT) return;
  const owners = maps
    .map(({ path }) => ownerOfDirectory(dirname(path)))
    .filter(found => found !== null);
  const [owner] = owners;
  if (owner === undefined) return;
  const { uid } = owner;
  const other = owners.find(one => one.uid !== uid);
  if (other !== undefined) {
    const reason = `the directory of another map belongs to ${other.uid}`;
    const hint = "keep all maps in one directory of the daemon's account";
    throw failure('PRIVILEGES', { uid, reason, hint });
  }
  try {
    become(
      owner,
      maps.some(({ nft }) => nft !== undefined),
    );
  } catch (error) {
    if (error instanceof Failure) throw error;
    const parameters = { uid, reason: reasonOf(error), hint: 'run popbsmtp as that account' };
    throw failure('PRIVILEGES', parameters, error);
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

/** @throws Failure PRIVILEGES, PRIVILEGES_MISSING; Error of what fails */
function become({ uid, gid }: Ids, isNetAdmin: boolean): void {
  const addon = loadPrivileges();
  const thread = pollingThread();
  if (thread !== null) {
    const reason = `the kernel's thread ${thread}, which works for an io_uring of Node, would stay root`;
    const hint = 'set UV_USE_IO_URING=0 in the environment of popbsmtp, or run it as that account';
    throw failure('PRIVILEGES', { uid, reason, hint });
  }
  if (isNetAdmin) addon.becomeNetAdmin(uid, gid);
  else addon.become(uid, gid);
}
