/**
 * A conversation with an SMTP server, from an address of this machine's, that never sends a message.
 *
 * Promises: every wait is bounded; whatever goes wrong is an `SmtpTrouble` in words for people.
 * Leaves to others: what to say.
 */
import { once } from 'node:events';
import { connect, isIPv6, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { reasonOf } from '../base/errors.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface Reply {
  readonly code: number;
  /** The last line of it, with the code. */
  readonly text: string;
}

export class SmtpTrouble extends Error {}

/** Longer than a postscreen makes strangers wait (postscreen_greet_wait, 6 s). */
const PATIENCE_MS = 20_000;

export class SmtpSession {
  readonly #socket: Socket;
  readonly #lines: AsyncIterator<string>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  }

  /**
   * @param from the address to connect from
   * @param ended breaks off when it is aborted
   * @throws SmtpTrouble
   */
  static async open(
    { host, port }: Endpoint,
    from: string,
    ended: AbortSignal,
  ): Promise<SmtpSession> {
    const family = isIPv6(from) ? 6 : 4;
    const socket = connect({ host, port, family, localAddress: from });
    // Not the option `signal`: its listener stays when the socket has long been closed (Node 20).
    const end = (): void => void socket.destroy(new Error('interrupted'));
    ended.addEventListener('abort', end, { once: true });
    socket.once('close', () => ended.removeEventListener('abort', end));
    if (ended.aborted) end();
    socket.setTimeout(PATIENCE_MS, () => {
      socket.destroy(new Error(`no answer in ${PATIENCE_MS / 1000} s`));
    });
    try {
      await once(socket, 'connect');
    } catch (error) {
      throw new SmtpTrouble(`no connection from ${from}: ${reasonOf(error)}`, { cause: error });
    }
    return new SmtpSession(socket);
  }

  /** Says a line, and hears what is answered. @throws SmtpTrouble */
  async ask(command: string): Promise<Reply> {
    this.#socket.write(`${command}\r\n`);
    return this.hear(command);
  }

  /** @param after what it is an answer to, for people */
  async hear(after: string): Promise<Reply> {
    for (;;) {
      const line = await this.#line(after);
      if (/^\d{3}(?: |$)/.test(line)) return { code: Number(line.slice(0, 3)), text: line };
      if (!/^\d{3}-/.test(line)) throw new SmtpTrouble(`it does not speak SMTP: "${line}"`);
    }
  }

  async #line(after: string): Promise<string> {
    try {
      const { done, value } = await this.#lines.next();
      if (done !== true) return value;
    } catch (error) {
      throw new SmtpTrouble(`${after}: ${reasonOf(error)}`, { cause: error });
    }
    const error = this.#socket.errored;
    throw new SmtpTrouble(`${after}: ${error === null ? 'it hung up' : reasonOf(error)}`);
  }

  /** Hangs up. */
  close(): void {
    this.#socket.destroy();
  }
}
