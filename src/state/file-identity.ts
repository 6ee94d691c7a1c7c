/**
 * Which file an open one is, whatever becomes of its name.
 */
import { type BigIntStats, statSync } from 'node:fs';

export type FileIdentity = Pick<BigIntStats, 'dev' | 'ino' | 'birthtimeNs'>;

/**
 * What has become of the name of a file that is open, and so cannot have given its inode to another.
 *
 * @returns null when it still is that file's
 */
export function lossOf(path: string, { dev, ino }: FileIdentity): 'removed' | 'replaced' | null {
  const named = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (named === undefined) return 'removed';
  return named.dev === dev && named.ino === ino ? null : 'replaced';
}
