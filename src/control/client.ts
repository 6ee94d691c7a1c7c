/**
 * Asks the daemon of a map over its control socket.
 *
 * Promises: that no daemon runs is an answer (null), not an error; a daemon that does not answer is given up, and told as that.
 * The answer is taken as the daemon of this version gives it: only its account could put another program there.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { errnoOf, Failure, failure, isErrorCode, reasonOf } from '../base/errors.ts';
import type { MapSpec } from '../map/map.ts';
import { type SocketKind, socketPath } from '../state/socket.ts';
import {
  type GrantRow,
  QUESTIONS,
  type Request,
  type Results,
  type SentError,
} from './protocol.ts';

/**
 * Without a sign of the daemon: who only asks is told soon; for `configuration` it asks Postfix, which by itself waits for seconds when
 * main.cf has just been written; an order waits for the map's lock, which another program may hold.
 */
const PATIENCE_MS = { question: 2000, configuration: 6000, order: 30_000 } as const;

const ASKING: ReadonlySet<Request['command']> = new Set([...QUESTIONS, 'about']);

function kindOf(command: Request['command']): keyof typeof PATIENCE_MS {
  if (command === 'configuration') return command;
  return ASKING.has(command) ? 'question' : 'order';
}

/** A line of an answer, of which each has one of these. */
interface Line<C extends Request['command']> {
  readonly rows?: readonly GrantRow[];
  readonly result?: Results[C];
  readonly error?: SentError;
}

export interface AskOptions {
  /** Given the rows of a list as they come. */
  readonly take?: (rows: readonly GrantRow[]) => void;
  readonly kind?: SocketKind;
  /** Without a sign of the daemon; by default that of its kind of request. */
  readonly patienceMs?: number;
}

/**
 * @returns null when no daemon runs
 * @throws Failure CONTROL_DENIED, CONTROL_SILENT, CONTROL_BROKEN, and what the daemon answers
 */
export async function ask<C extends Request['command']>(
  map: MapSpec,
  request: Request & { readonly command: C },
  { take, kind = 'socket', patienceMs }: AskOptions = {},
): Promise<Results[C] | null> {
  const path = socketPath(map, kind);
  // Then a daemon has none either.
  if (path === null) return null;
  const socket = await connected(path);
  if (socket === null) return null;
  try {
    const patience = patienceMs ?? PATIENCE_MS[kindOf(request.command)];
    socket.setTimeout(patience, () =>
      socket.destroy(failure('CONTROL_SILENT', { path, seconds: patience / 1000 })),
    );
    socket.write(`${JSON.stringify(request)}\n`);
    for await (const text of linesOf(socket)) {
      const { rows, result, error }: Line<C> = JSON.parse(text);
      if (rows !== undefined) take?.(rows);
      if (error !== undefined) throw received(error);
      if (result !== undefined) return result;
    }
    throw new Error('it hung up');
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw failure('CONTROL_BROKEN', { path, reason: reasonOf(error) }, error);
  } finally {
    socket.destroy();
  }
}

/**
 * As `ask`, for a login or a logout: whoever may not speak to the daemon by its own socket may be of the group of the other one.
 *
 * @throws as `ask` does
 */
export async function askAsLogin<C extends Request['command']>(
  map: MapSpec,
  request: Request & { readonly command: C },
): Promise<Results[C] | null> {
  try {
    return await ask<C>(map, request);
  } catch (denied) {
    if (!(denied instanceof Failure) || denied.code !== 'CONTROL_DENIED') throw denied;
    const answer = await ask<C>(map, request, { kind: 'login-socket' });
    if (answer === null) throw denied;
    return answer;
  }
}

/** A daemon of another version may know errors that we do not. */
const received = ({ code, text, hint }: SentError): Failure =>
  new Failure(isErrorCode(code) ? code : 'CONTROL_BUG', text, hint);

async function connected(path: string): Promise<Socket | null> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return socket;
  } catch (error) {
    const errno = errnoOf(error) ?? '';
    if (['ENOENT', 'ECONNREFUSED', 'ENOTDIR'].includes(errno)) return null;
    if (['EACCES', 'EPERM'].includes(errno)) {
      throw failure('CONTROL_DENIED', { path, reason: 'permission denied' }, error);
    }
    throw failure('CONTROL_BROKEN', { path, reason: reasonOf(error) }, error);
  }
}

async function* linesOf(socket: Socket): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of socket.setEncoding('utf8')) {
    const lines = `${rest}${String(chunk)}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}
