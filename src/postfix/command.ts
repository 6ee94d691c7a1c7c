/**
 * Runs a command of Postfix's own (`postconf`, `postmap`), or of another SMTP server's, and tells how it ended.
 *
 * Promises: no shell; an environment of our own, so that neither the language nor `MAIL_CONFIG` or
 * `MAIL_VERBOSE` of the caller changes what is asked and answered; an end to the waiting.
 * Leaves to others: what the output means.
 */
import { execFile, spawnSync } from 'node:child_process';
import { delimiter } from 'node:path';
import { reasonOf } from '../base/errors.ts';
import { findExecutable } from './executable.ts';

export type CommandResult =
  | {
      readonly kind: 'ended';
      readonly status: number;
      readonly stdout: string;
      readonly stderr: string;
    }
  | { readonly kind: 'missing' }
  /** It did not end by itself, or could not be started. */
  | { readonly kind: 'broken'; readonly reason: string };

export interface CommandOptions {
  /** The directory of main.cf, or null for Postfix's default. */
  readonly config: string | null;
  /** What it reads from standard input. */
  readonly input?: string;
  /** How long it may take before it is killed, in milliseconds. */
  readonly timeoutMs: number;
}

export interface SystemOptions extends Omit<CommandOptions, 'config'> {
  /** Of what it reads and prints; UTF-8 without. */
  readonly encoding?: 'utf8' | 'latin1';
}

/** Where Postfix installs its commands; the PATH of an unprivileged account often lacks these. */
const SYSTEM_DIRECTORIES = ['/usr/sbin', '/usr/local/sbin', '/sbin'];

/** In bytes; a thousand times what any question of ours is answered with. */
const OUTPUT_LIMIT = 64 << 20;

const ENVIRONMENT = {
  PATH: ['/usr/bin', '/bin', ...SYSTEM_DIRECTORIES].join(delimiter),
  LC_ALL: 'C',
};

const configured = (config: string | null): string[] => (config === null ? [] : ['-c', config]);

/**
 * Asks postconf and waits: for the start and for the wording of an error, where nothing else goes on.
 *
 * @returns its output, or null when it is missing or fails
 */
export function askPostconf(args: readonly string[], config: string | null): string | null {
  const path = findExecutable('postconf', SYSTEM_DIRECTORIES);
  if (path === null) return null;
  const options = { env: ENVIRONMENT, encoding: 'utf8', timeout: 5000 } as const;
  const { status, stdout } = spawnSync(path, [...configured(config), ...args], options);
  return status === 0 ? stdout : null;
}

/** Runs it to its end; never rejects. */
export const runPostfixCommand = (
  name: 'postconf' | 'postmap',
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> =>
  runSystemCommand(name, [...configured(options.config), ...args], options);

/** The same for a program that is none of Postfix's. */
export async function runSystemCommand(
  name: string,
  args: readonly string[],
  options: SystemOptions,
): Promise<CommandResult> {
  const path = findExecutable(name, SYSTEM_DIRECTORIES);
  if (path === null) return { kind: 'missing' };
  try {
    return await run(path, args, options);
  } catch (error) {
    // Some reasons not to start (no memory) are thrown, others are given to the callback.
    return { kind: 'broken', reason: reasonOf(error) };
  }
}

function run(
  path: string,
  args: readonly string[],
  { input = '', timeoutMs, encoding = 'utf8' }: SystemOptions,
): Promise<CommandResult> {
  const limits = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: OUTPUT_LIMIT } as const;
  return new Promise(resolve => {
    const how = { env: ENVIRONMENT, encoding, ...limits } as const;
    const child = execFile(path, args, how, (error, stdout, stderr) => {
      const status = child.exitCode;
      if (status !== null && (error === null || error.code === status)) {
        resolve({ kind: 'ended', status, stdout, stderr });
        return;
      }
      const late = error?.killed === true && error.signal === 'SIGKILL';
      const reason = late ? `no answer in ${timeoutMs / 1000} s` : reasonOf(error);
      resolve({ kind: 'broken', reason: [reason, complaint(stderr)].filter(Boolean).join(': ') });
    });
    // A command that ends without reading says why itself.
    child.stdin?.on('error', () => undefined).end(input, encoding);
  });
}

/** How a Postfix program says that it cannot do its work (src/util/msg_output.c). */
const FATAL = /^[^:]*: (?:fatal|panic|error): (.*)$/m;

export const isFatal = (stderr: string): boolean => FATAL.test(stderr);

/** The gravest message of a Postfix program, or else its last, or the empty string. */
export function complaint(stderr: string): string {
  return FATAL.exec(stderr)?.[1] ?? stderr.trim().split('\n').at(-1) ?? '';
}
