/**
 * Unpacks a file by a program of the host (`xz -dc` and the like), as logrotate packs it by one.
 *
 * Promises: no shell, an environment of our own; the program reads the file itself and waits while its output is not
 * taken, so that memory does not grow with the file; it has ended when the walk has.  Why it failed is told in one line,
 * after all that it could unpack.
 * Why not by Node: it has nothing for xz and bzip2, and for zstd only from 22.15 on; a host that packs has the program.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { errnoOf, reasonOf } from '../base/errors.ts';
import { findExecutable } from '../postfix/executable.ts';

const ARGUMENTS = ['-dc'];
const ENVIRONMENT = { LC_ALL: 'C' };
/** In bytes; at least what a pipe holds. */
const HEAD_LIMIT = 64 * 1024;
/** More than any of these programs says of one file. */
const COMPLAINT_LIMIT = 4096;

function pathOf(program: string): string {
  const path = findExecutable(program, ['/usr/bin', '/bin', '/usr/local/bin']);
  if (path === null) throw new Error(`${program} is not installed, and is needed to unpack it`);
  return path;
}

/** Opens the file once more: a descriptor that is shared with a program shares its position as well (fork(2)). */
function withOwn<T>(fd: number, use: (own: number) => T): T {
  const own = openSync(`/proc/self/fd/${fd}`, 'r');
  try {
    return use(own);
  } finally {
    closeSync(own);
  }
}

/**
 * The first bytes of what a file holds; all when it has fewer, or as many as come before its damage.
 *
 * @param fd open for reading; stays open, and where it is
 * @throws Error when there are none that can be unpacked
 */
export function headByProgram(program: string, fd: number, bytes: number): Buffer {
  const path = pathOf(program);
  const { stdout, stderr, status, error } = withOwn(fd, own =>
    spawnSync(path, ARGUMENTS, {
      env: ENVIRONMENT,
      stdio: [own, 'pipe', 'pipe'],
      maxBuffer: Math.max(bytes, HEAD_LIMIT),
    }),
  );
  // It is ended when it has printed enough.
  if (error !== undefined && errnoOf(error) !== 'ENOBUFS') throw error;
  if (error === undefined && status !== 0 && stdout.length === 0)
    throw new Error(complaintOf(program, stderr.toString('latin1')));
  return stdout.subarray(0, bytes);
}

/**
 * What a file holds, from its first byte on.
 *
 * @param fd as for `headByProgram`
 * @throws Error after all that comes before the damage
 */
export async function* unpackedByProgram(program: string, fd: number): AsyncGenerator<Buffer> {
  const path = pathOf(program);
  const child = withOwn(fd, own =>
    spawn(path, ARGUMENTS, { env: ENVIRONMENT, stdio: [own, 'pipe', 'pipe'] }),
  );
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new TypeError('pipes were asked for');
  const ended = endOf(child).catch((error: unknown) => reasonOf(error));
  let complaint = '';
  stderr.setEncoding('latin1').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, COMPLAINT_LIMIT);
  });
  try {
    for await (const piece of stdout) yield piece;
    const problem = await ended;
    if (problem !== null) throw new Error(complaintOf(program, complaint) || problem);
  } finally {
    // Whoever wants no more does not wait for the rest.
    if (child.exitCode === null) child.kill('SIGKILL');
  }
}

/** @returns null when it ended well */
async function endOf(child: ChildProcess): Promise<string | null> {
  await once(child, 'close');
  const { exitCode, signalCode, spawnfile } = child;
  if (exitCode === 0) return null;
  return `${spawnfile} ended with ${signalCode ?? `status ${exitCode}`}`;
}

/** The first line of what it says. */
const complaintOf = (program: string, text: string): string => {
  const line = text.split('\n').find(one => one.trim() !== '');
  return line === undefined
    ? ''
    : line.trim().startsWith(program)
      ? line.trim()
      : `${program}: ${line.trim()}`;
};
