/**
 * A conversation over TCP in lines, for the small SMTP, POP3 and IMAP clients of the tests.
 *
 * Promises: every wait for the server is bounded; the connection is made from the local address
 * given, since the address is what all these tests are about; what the server said so far is in the
 * error when it says something else than expected or hangs up.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectEncrypted } from 'node:tls';
import { PATIENCE_MS, waitFor } from './wait.ts';

/** Where a client connects to, and from which of this machine's addresses. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly from: string;
  /** Whether it is encrypted from the first byte on; any certificate will do. */
  readonly tls?: boolean;
}

export class Dialog {
  readonly #socket: Socket;
  #heard = '';
  #transcript = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    // Bytes, not UTF-8: hostile user names come back in replies.
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.#heard += text;
      this.#transcript += text;
    });
    // A reset while a refused client is hung up on is no fault; waits see the closed socket.
    socket.on('error', () => undefined);
  }

  static async open({ host, port, from, tls = false }: Endpoint): Promise<Dialog> {
    const target = { host, port, localAddress: from };
    const socket = tls
      ? connectEncrypted({ ...target, rejectUnauthorized: false })
      : connect(target);
    const event = tls ? 'secureConnect' : 'connect';
    await once(socket, event, { signal: AbortSignal.timeout(PATIENCE_MS) });
    return new Dialog(socket);
  }

  /** Sends text as it is, one byte a character. */
  send(text: string): void {
    this.#transcript += text;
    this.#socket.write(text, 'latin1');
  }

  /** The next line from the server, without its end. */
  async line(): Promise<string> {
    return waitFor(
      'a line from the server',
      () => {
        const end = this.#heard.indexOf('\n');
        if (end < 0 && this.#socket.readableEnded) throw new Error(`hung up: ${this.#transcript}`);
        if (end < 0) return undefined;
        const line = this.#heard.slice(0, end).replace(/\r$/, '');
        this.#heard = this.#heard.slice(end + 1);
        return { line };
      },
      { seen: () => this.#transcript },
    ).then(({ line }) => line);
  }

  /** Reads lines up to and including the first that the expression matches, and returns that. */
  async until(expression: RegExp): Promise<string> {
    for (;;) {
      const line = await this.line();
      if (expression.test(line)) return line;
    }
  }

  /** Breaks the connection off, as a machine does that has crashed and come up again. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Hangs up, and waits until the server has as well. */
  async close(): Promise<void> {
    if (this.#socket.closed) return;
    this.#socket.end();
    await waitFor('the server to hang up', () => this.#socket.closed, {
      seen: () => this.#transcript,
    });
  }
}
