/**
 * The socket at which Postfix asks about each message (check_policy_service).
 *
 * Promises: it refuses and permits nothing: every answer is DUNNO, or PREPEND of one header.  Nothing that a client does can block or end the
 * daemon: a request has at most 64 KiB and must be there in time, the next is read when the answer to the one before has been taken, and of
 * too many connections the one that was idle longest goes, which smtpd makes anew when it has something to ask.  A socket that a dead daemon
 * has left is replaced, and one that is served is not.
 * Whoever can enter the socket's directory may ask: its file is open to all, since smtpd is of another account.
 * Leaves to others: what a request is (policy-request.ts), and what there is to say about its client.
 */
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { failure, reasonOf } from '../base/errors.ts';
import { type PolicyRequest, PolicyRequests } from './policy-request.ts';
import { listenPrivately } from './unix-listener.ts';

/** A header as it stands in the message, `name: value`; null for none. */
export type PolicyAnswer = string | null;

/** Each smtpd has one, and keeps it: default_process_limit is 100.  Few enough to leave descriptors to the logs. */
const MOST_CONNECTIONS = 400;
/** For a request, and for taking an answer. */
const PATIENCE_MS = 10_000;
/** smtpd_policy_service_max_idle is 300 s. */
const IDLE_MS = 600_000;

export interface PolicyServerOptions {
  readonly mostConnections?: number;
  readonly patienceMs?: number;
  readonly idleMs?: number;
}

export class PolicyServer {
  readonly #server: Server;
  readonly #answer: (request: PolicyRequest) => PolicyAnswer;
  readonly #mostConnections: number;
  readonly #patienceMs: number;
  readonly #idleMs: number;
  /** Those that asked last come last. */
  readonly #sockets = new Set<Socket>();

  private constructor(
    answer: (request: PolicyRequest) => PolicyAnswer,
    {
      mostConnections = MOST_CONNECTIONS,
      patienceMs = PATIENCE_MS,
      idleMs = IDLE_MS,
    }: PolicyServerOptions,
  ) {
    this.#answer = answer;
    this.#mostConnections = mostConnections;
    this.#patienceMs = patienceMs;
    this.#idleMs = idleMs;
    this.#server = createServer(socket => void this.#serve(socket));
  }

  /** @throws Failure POLICY_LISTEN */
  static async listen(
    path: string,
    answer: (request: PolicyRequest) => PolicyAnswer,
    options: PolicyServerOptions = {},
  ): Promise<PolicyServer> {
    const policy = new PolicyServer(answer, options);
    try {
      if (await isServed(path)) throw new Error('another program listens there');
      await listenPrivately(policy.#server, path);
      chmodSync(path, 0o666);
    } catch (error) {
      policy.#server.close();
      throw failure('POLICY_LISTEN', { path, reason: reasonOf(error) }, error);
    }
    // Too many files: whoever wanted to connect is told, and the daemon goes on.
    policy.#server.on('error', () => undefined);
    return policy;
  }

  /** Drops all clients, and takes the socket away. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #serve(socket: Socket): Promise<void> {
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
    this.#sockets.add(socket);
    const [idlest] = this.#sockets.size > this.#mostConnections ? this.#sockets : [];
    idlest?.destroy();
    const requests = new PolicyRequests();
    let late = this.#within(socket, this.#idleMs);
    try {
      for await (const chunk of socket.iterator()) {
        const isNew = !requests.isWithin;
        const asked = requests.take(chunk);
        if (asked === null) break;
        if (asked.length > 0) await this.#tell(socket, asked);
        // A request that comes in drops has no more time for that.
        if (!isNew && asked.length === 0) continue;
        clearTimeout(late);
        late = this.#within(socket, requests.isWithin ? this.#patienceMs : this.#idleMs);
      }
    } catch {
      // It is gone, or takes no answer.
    } finally {
      clearTimeout(late);
      socket.destroy();
    }
  }

  async #tell(socket: Socket, requests: readonly PolicyRequest[]): Promise<void> {
    this.#sockets.delete(socket);
    this.#sockets.add(socket);
    const answers = requests.map(request => {
      const header = this.#answer(request);
      return `action=${header === null ? 'DUNNO' : `PREPEND ${header}`}\n\n`;
    });
    if (socket.destroyed || socket.write(answers.join(''))) return;
    await once(socket, 'drain', { signal: AbortSignal.timeout(this.#patienceMs) });
  }

  #within(socket: Socket, ms: number): NodeJS.Timeout {
    return setTimeout(() => socket.destroy(), ms);
  }
}

async function isServed(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
