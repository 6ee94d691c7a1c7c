/**
 * Asks the Dovecot of this host for its login_log_format_elements, and for the instance_name that its lines have as their tag (from 2.3.8 on).
 *
 * Promises: never an error: where there is no doveconf, or it does not answer soon, nothing is known; no shell, and an environment of our own.
 * Known limits: what a protocol or an address has of its own (`protocol imap { … }`) is not seen, nor another instance's configuration.
 */
import { execFile } from 'node:child_process';
import { findExecutable } from '../postfix/executable.ts';

const TIMEOUT_MS = 3000;
const SYSTEM_DIRECTORIES = ['/usr/sbin', '/usr/local/sbin', '/usr/bin', '/usr/local/bin'];
const ENVIRONMENT = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C' };
/** How the elements stand in the line (login_log_format), in 2.3 and in 2.4; any other is not known to us. */
const FORMATS: readonly string[] = ['%$: %s', '%{message}: %{elements}'];

/** In the order in which they are answered. */
const SETTINGS = ['login_log_format_elements', 'login_log_format', 'instance_name'] as const;

/** What it says; null for what is not known. */
export interface DovecotSettings {
  readonly elements: string | null;
  readonly instance: string | null;
}

export async function askDovecot(): Promise<DovecotSettings> {
  const path = findExecutable('doveconf', SYSTEM_DIRECTORIES);
  const answer = path === null ? '' : await answerOf(path, ['-h', ...SETTINGS]);
  const [elements = '', format = '', instance = ''] = answer.split('\n').map(unquoted);
  return {
    elements: elements !== '' && FORMATS.includes(format) ? elements : null,
    instance: instance === '' ? null : instance,
  };
}

/** Empty when it fails. */
const answerOf = (path: string, args: readonly string[]): Promise<string> =>
  new Promise(resolve => {
    const options = { env: ENVIRONMENT, timeout: TIMEOUT_MS, killSignal: 'SIGKILL' } as const;
    execFile(path, args, options, (error, stdout) => resolve(error === null ? stdout : ''));
  });

const unquoted = (text: string): string => /^"(.*)"$/.exec(text)?.[1] ?? text;
