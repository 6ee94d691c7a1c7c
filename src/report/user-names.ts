/**
 * How the names of users are shown in what the daemon prints: as they are, hashed, or not at all.
 *
 * Promises: it holds for all that is told of a decision, log lines, debug lines and JSON alike; decisions themselves rest
 * on the true names.  A hash is the same for the same name as long as the key stays, so that lines can be told to be of
 * one user; without the key nobody can try names out against it.  The key is made once, beside the map, readable by
 * its owner only; to take the key away is to cut what was logged before off from what will be.
 */
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { open, readFile, rm } from 'node:fs/promises';
import { errnoOf, failure, reasonOf } from '../base/errors.ts';
import type { ReplaySettings } from '../daemon/settings.ts';
import type { MapSpec } from '../map/map.ts';
import { beside } from '../state/beside.ts';
import { PRIVATE, placeIfMissing } from '../state/new-file.ts';

/** A name as it is shown; null where none is. */
export type ShowUser = (user: string | null) => string | null;

/** 64 bits: two of a million users share theirs in one of some 30 million sites. */
const DIGITS = 16;
const KEY_BYTES = 32;
const KEY = /^[0-9a-f]{64}$/;

/** As they are. */
export const plain: ShowUser = user => user;

/** @throws Failure USER_KEY */
export async function shownUsers({
  logUsers,
  map,
  nowrite,
}: Pick<ReplaySettings, 'logUsers' | 'map' | 'nowrite'>): Promise<ShowUser> {
  switch (logUsers) {
    case 'plain':
      return plain;
    case 'none':
      return () => null;
    case 'hashed': {
      const key = await keyOf(map, nowrite);
      return user => user && createHmac('sha256', key).update(user).digest('hex').slice(0, DIGITS);
    }
  }
}

/** @param dryRun for one that is forgotten, where there is none yet */
async function keyOf(map: MapSpec, dryRun: boolean): Promise<Buffer> {
  const file = beside(map, 'user-key');
  try {
    const known = await readKey(file);
    if (known !== null) return known;
    if (dryRun) return randomBytes(KEY_BYTES);
    await makeKey(file);
    const made = await readKey(file);
    if (made === null) throw new Error('it is gone again');
    return made;
  } catch (error) {
    throw failure('USER_KEY', { path: file, reason: reasonOf(error) }, error);
  }
}

/** Null when there is none. */
async function readKey(file: string): Promise<Buffer | null> {
  try {
    const text = (await readFile(file, 'utf8')).trimEnd();
    if (!KEY.test(text)) throw new Error(`it does not hold ${2 * KEY_BYTES} hexadecimal digits`);
    return Buffer.from(text, 'hex');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Whole from its first moment on; one that somebody else has made meanwhile stays. */
async function makeKey(file: string): Promise<void> {
  const fresh = `${file}.${randomUUID()}`;
  const handle = await open(fresh, 'wx', PRIVATE);
  try {
    await handle.writeFile(`${randomBytes(KEY_BYTES).toString('hex')}\n`);
    await placeIfMissing(fresh, file);
  } finally {
    await handle.close();
    await rm(fresh, { force: true });
  }
}
