/**
 * The files that lie beside a map, by its path: their one list, from which the manual's is made too.
 *
 * All of them belong to the account of the map's directory, and nobody else may read them; but a group may speak to the login socket.
 * Leaves to others: what is in them, and who writes when (the owner of the map).
 */

interface BesideFile {
  /** Behind the map's path. */
  readonly suffix: string;
  /** For the manual. */
  readonly about: string;
}

export const BESIDE = {
  owner: {
    suffix: '.owner',
    about: 'Which daemon owns the map, and in which boot of the machine.',
  },
  checkpoint: {
    suffix: '.checkpoint',
    about: 'How far the logs have been read, and which sessions are open, for the next start.',
  },
  orders: {
    suffix: '.orders',
    about: 'What was ordered by allow and revoke, and is in force.',
  },
  roster: {
    suffix: '.roster',
    about: 'The users and servers behind the grants, noted as they change, for the next start.',
  },
  minutes: {
    suffix: '.minutes',
    about: 'The logins and grants of each minute of the last hour, for status.',
  },
  'user-key': {
    suffix: '.user-key',
    about: 'The key by which log-users = "hashed" hashes names.',
  },
  history: {
    suffix: '.history',
    about:
      'Who logged in, had a grant and relayed with it; popbsmtp history, why and report read it.',
  },
  socket: {
    suffix: '.sock',
    about: 'The socket by which the commands speak to the daemon.',
  },
  'login-socket': {
    suffix: '.login.sock',
    about: 'The socket that takes login and logout only, for the group of login-socket-group.',
  },
} as const satisfies Record<string, BesideFile>;

/** @param path of a map, as main.cf has it behind the type */
export const beside = ({ path }: { readonly path: string }, file: keyof typeof BESIDE): string =>
  `${path}${BESIDE[file].suffix}`;
