/**
 * Reads single rows of a map while the daemon writes it, as Postfix does: under the shared lock.
 */
import { closeSync, openSync } from 'node:fs';
import { loadLmdb } from '../../src/map/lmdb-store.ts';
import { lock } from '../../src/map/lock.ts';
import { encode } from '../../src/map/row.ts';

export interface MapReader {
  /** Whether the map has a row for an address; waits for the lock. */
  has(ip: string): Promise<boolean>;
  close(): Promise<void>;
}

/** @param path of the `.lmdb` file */
export async function readMap(path: string): Promise<MapReader> {
  const { open } = await loadLmdb();
  const fd = openSync(path, 'r');
  const store = open<Buffer, Buffer>({
    path,
    encoding: 'binary',
    keyEncoding: 'binary',
    readOnly: true,
    mapSize: 2 ** 31,
  });
  return {
    has: async ip => {
      const held = await lock(fd, 'shared');
      try {
        store.resetReadTxn();
        return store.getBinary(encode(ip)) !== undefined;
      } finally {
        store.resetReadTxn();
        held.release();
      }
    },
    close: async () => {
      await store.close();
      closeSync(fd);
    },
  };
}
