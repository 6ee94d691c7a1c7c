/**
 * Where the control socket of a map is.
 *
 * Only its account and root may connect: whoever may command the daemon may open the relay.  A group may be let to the
 * login socket, and so may open it as well, but within the rules for logins.
 */

import { beside } from './beside.ts';

/** sun_path of unix(7) has 108 bytes, one of them for the NUL; a longer name would be cut short or refused. */
const MOST_BYTES = 107;

/** The one for all commands, and the one that takes logins only. */
export type SocketKind = 'socket' | 'login-socket';

/** @returns the path, or null when it is too long for a socket */
export function socketPath(
  map: { readonly path: string },
  kind: SocketKind = 'socket',
): string | null {
  const socket = beside(map, kind);
  return Buffer.byteLength(socket) > MOST_BYTES ? null : socket;
}
