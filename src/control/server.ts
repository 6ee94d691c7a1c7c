/**
 * The control socket, as the daemon serves it.
 *
 * Promises: nothing that a client does can block or end the daemon: a request has at most 64 KiB, must be there in time
 * and is dealt with before the next of its connection is read; an answer goes out only as fast as it is taken, and
 * a client that takes nothing is dropped; so many connections at once, no more.  The socket is 0600 from its
 * beginning, and 0660 afterwards where a group may connect.  A socket that a dead daemon has left is replaced: the caller owns the map, so no living one serves it.
 * Leaves to others: what a request means (commands.ts).
 */
import { once } from 'node:events';
import { chmodSync, chownSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { failure, reasonOf } from '../base/errors.ts';
import { type AnswerLine, MAX_REQUEST, parseRequest, type Request, refusal } from './protocol.ts';
import { listenPrivately } from './unix-listener.ts';

/** Deals with a request: any number of lines, the last one with a result or an error. */
export type Handler = (request: Request) => AsyncIterable<AnswerLine>;

const MOST_CONNECTIONS = 16;
const PATIENCE_MS = 10_000;
const NEWLINE = 0x0a;

export interface ServerOptions {
  /** The group that may connect as well, by its number; nobody but the account and root without. */
  readonly group?: number;
  /** How long a client may take for a request, and for taking a part of an answer. */
  readonly patienceMs?: number;
}

export class ControlServer {
  readonly #path: string;
  readonly #server: Server;
  readonly #handler: Handler;
  readonly #patienceMs: number;
  readonly #group: number | undefined;
  readonly #sockets = new Set<Socket>();

  private constructor(
    path: string,
    handler: Handler,
    { patienceMs = PATIENCE_MS, group }: ServerOptions,
  ) {
    this.#path = path;
    this.#handler = handler;
    this.#patienceMs = patienceMs;
    this.#group = group;
    // A client may close its own direction before it is answered.
    this.#server = createServer({ allowHalfOpen: true }, socket => void this.#serve(socket));
    this.#server.maxConnections = MOST_CONNECTIONS;
  }

  /** @throws Failure CONTROL_LISTEN */
  static async listen(
    path: string,
    handler: Handler,
    options: ServerOptions = {},
  ): Promise<ControlServer> {
    const control = new ControlServer(path, handler, options);
    try {
      await control.#listen();
    } catch (error) {
      throw failure('CONTROL_LISTEN', { path, reason: reasonOf(error) }, error);
    }
    return control;
  }

  /** Drops all clients, and takes the socket away. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #listen(): Promise<void> {
    await listenPrivately(this.#server, this.#path);
    try {
      this.#letGroup();
    } catch (error) {
      await this.close();
      throw error;
    }
    // Too many connections, or too many files: whoever wanted to connect is told, and the daemon goes on.
    this.#server.on('error', () => undefined);
  }

  /** Before the mode is widened it is the right group's. */
  #letGroup(): void {
    if (this.#group === undefined) return;
    chownSync(this.#path, -1, this.#group);
    chmodSync(this.#path, 0o660);
  }

  async #serve(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
    try {
      await this.#converse(socket);
      socket.end();
      // Its end is not waited for without end either.
      const late = setTimeout(() => socket.destroy(), this.#patienceMs);
      socket.once('close', () => clearTimeout(late));
      socket.resume();
    } catch {
      socket.destroy();
    }
  }

  /** Answers one request after the other; rejects when the client is gone or dawdles. */
  async #converse(socket: Socket): Promise<void> {
    let deadline = this.#deadline(socket);
    try {
      let rest = Buffer.alloc(0);
      for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
        rest = Buffer.concat([rest, chunk]);
        for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
          clearTimeout(deadline);
          if (end >= MAX_REQUEST) break;
          await this.#answer(socket, rest.toString('utf8', 0, end));
          rest = rest.subarray(end + 1);
          deadline = this.#deadline(socket);
        }
        if (rest.length >= MAX_REQUEST) {
          await this.#send(socket, refusal(`a request has at most ${MAX_REQUEST} bytes`));
          return;
        }
      }
    } finally {
      clearTimeout(deadline);
    }
  }

  #deadline(socket: Socket): NodeJS.Timeout {
    return setTimeout(() => socket.destroy(), this.#patienceMs);
  }

  async #answer(socket: Socket, line: string): Promise<void> {
    const request = parseRequest(line);
    if (typeof request === 'string') {
      await this.#send(socket, refusal(request));
      return;
    }
    for await (const answer of this.#handler(request)) await this.#send(socket, answer);
  }

  async #send(socket: Socket, answer: AnswerLine): Promise<void> {
    if (socket.destroyed) throw new Error('the client is gone');
    if (socket.write(`${JSON.stringify(answer)}\n`)) return;
    await once(socket, 'drain', { signal: AbortSignal.timeout(this.#patienceMs) });
  }
}
