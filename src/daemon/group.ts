/**
 * The number of a group that is told by its name: as /etc/group has it, or else whatever getent(1) asks (NSS).
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { failure } from '../base/errors.ts';
import { findExecutable } from '../postfix/executable.ts';

const TIMEOUT_MS = 5000;

/**
 * @param name or its number
 * @param path of the socket that is for the group, named in the error
 * @throws Failure CONTROL_LISTEN
 */
export async function groupNumber(name: string, path: string): Promise<number> {
  if (/^\d{1,9}$/.test(name)) return Number(name);
  const found = numberIn(localGroups(), name) ?? numberIn(await asked(name), name);
  if (found !== null) return found;
  throw failure('CONTROL_LISTEN', { path, reason: `there is no group ${JSON.stringify(name)}` });
}

/** group(5): name, password, number, members. */
function numberIn(text: string, name: string): number | null {
  const entry = text.split('\n').find(line => line.startsWith(`${name}:`));
  const number = entry?.split(':')[2] ?? '';
  return /^\d{1,10}$/.test(number) ? Number(number) : null;
}

function localGroups(): string {
  try {
    return readFileSync('/etc/group', 'utf8');
  } catch {
    return '';
  }
}

function asked(name: string): Promise<string> {
  const path = findExecutable('getent', ['/usr/bin', '/bin']);
  if (path === null) return Promise.resolve('');
  return new Promise(resolve => {
    execFile(path, ['group', '--', name], { timeout: TIMEOUT_MS }, (error, stdout) =>
      resolve(error === null ? stdout : ''),
    );
  });
}
