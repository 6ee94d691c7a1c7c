/**
 * Where what outlives a change of the configuration is kept: the state directory that systemd names, or else the home
 * of the account.
 *
 * Root has none of its own: its home is the administrator's, and no place for a daemon's notes.
 */
import { statSync } from 'node:fs';
import { userInfo } from 'node:os';

/**
 * @param environment with what systemd has put there (systemd.exec(5), STATE_DIRECTORY: paths between colons)
 * @returns null when there is none that belongs to this account
 */
export function stateDirectory(environment: NodeJS.ProcessEnv): string | null {
  const [named] = environment['STATE_DIRECTORY']?.split(':') ?? [];
  const directory = named || homeOfAccount();
  if (directory === null) return null;
  const found = statSync(directory, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === process.geteuid?.() ? directory : null;
}

function homeOfAccount(): string | null {
  if (process.geteuid?.() === 0) return null;
  try {
    return userInfo().homedir;
  } catch {
    // A number without an account.
    return null;
  }
}
