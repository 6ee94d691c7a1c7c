/**
 * Tells a test whether this machine has what it needs of the real programs.
 *
 * Promises: the answer fits the `skip` option of node:test: `false`, or the reason for skipping.
 * With CI=true nothing is ever skipped: there a missing program is thrown as an error, since a test
 * that quietly stopped running proves nothing.
 * Leaves to others: installing them (.ci/run).  A program counts when it is an executable file of
 * that name on the PATH or in the usual system directories; its version is not looked at.
 */
import { findExecutable } from '../../src/postfix/executable.ts';

export interface Needs {
  /** The test mounts, binds /dev/log or starts daemons that drop their privileges. */
  readonly root?: boolean;
}

/** An account's PATH often lacks these, and daemons live there. */
const SYSTEM_DIRECTORIES = ['/usr/sbin', '/sbin', '/usr/lib/postfix/sbin', '/lib/systemd'];

/** Where a program is, or null. */
export const findProgram = (name: string): string | null =>
  findExecutable(name, SYSTEM_DIRECTORIES);

/**
 * @param names the programs that the test starts
 * @returns what to give node:test as `skip`
 * @throws Error when something is missing and this is CI
 */
export function requirePrograms(names: readonly string[], needs: Needs = {}): string | false {
  const missing = names.filter(name => findProgram(name) === null);
  const reasons = [
    ...(missing.length > 0 ? [`not installed: ${missing.join(', ')}`] : []),
    ...(needs.root === true && process.getuid?.() !== 0 ? ['needs root'] : []),
  ];
  if (reasons.length === 0) return false;
  const reason = reasons.join('; ');
  if (process.env['CI'] === 'true') throw new Error(`cannot test here: ${reason}`);
  return reason;
}
