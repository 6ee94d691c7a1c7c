/**
 * Asks the Dovecot of this host for its login_log_format_elements.
 *
 * Promises: never an error: where there is no doveconf, or it does not answer soon, nothing is known; no shell, and an environment of our own.
 * Known limit: what a protocol or an address has of its own (`protocol imap { … }`) is not seen.
 */
import { execFile } from 'node:child_process';
import { findExecutable } from '../postfix/executable.ts';

const TIMEOUT_MS = 3000;
const SYSTEM_DIRECTORIES = ['/usr/sbin', '/usr/local/sbin', '/usr/bin', '/usr/local/bin'];
const ENVIRONMENT = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C' };
/** How the elements stand in the line (login_log_format), in 2.3 and in 2.4; any other is not known to us. */
const FORMATS: readonly string[] = ['%$: %s', '%{message}: %{elements}'];

/** Its text; null when it is not known. */
export async function askElements(): Promise<string | null> {
  const path = findExecutable('doveconf', SYSTEM_DIRECTORIES);
  if (path === null) return null;
  const answer = await answerOf(path, ['-h', 'login_log_format_elements', 'login_log_format']);
  const [elements = '', format = ''] = answer.split('\n').map(unquoted);
  return elements !== '' && FORMATS.includes(format) ? elements : null;
}

/** Empty when it fails. */
const answerOf = (path: string, args: readonly string[]): Promise<string> =>
  new Promise(resolve => {
    const options = { env: ENVIRONMENT, timeout: TIMEOUT_MS, killSignal: 'SIGKILL' } as const;
    execFile(path, args, options, (error, stdout) => resolve(error === null ? stdout : ''));
  });

const unquoted = (text: string): string => /^"(.*)"$/.exec(text)?.[1] ?? text;
