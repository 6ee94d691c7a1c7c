/**
 * Listens on a UNIX socket whose file is made anew: nobody but the account can connect from its first moment on.
 *
 * Promises: what is no socket is never removed.
 * Leaves to others: whether a socket that is there is still served, and whom it is opened to afterwards.
 */
import { once } from 'node:events';
import { lstatSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';

/** @throws a system error; Error when something else has the name */
export async function listenPrivately(server: Server, path: string): Promise<void> {
  const before = lstatSync(path, { throwIfNoEntry: false });
  if (before !== undefined && !before.isSocket()) throw new Error('it is there, and no socket');
  rmSync(path, { force: true });
  // bind(2) makes the file, and `listen` calls it before it returns: no moment with another mode.
  const umask = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(umask);
  }
  await once(server, 'listening');
}
