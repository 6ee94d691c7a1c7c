/**
 * Standard input, or any other stream, as a source: a pipe from a syslog daemon.
 *
 * Promises: what arrives is delivered as it arrives, and nothing is read ahead of it; the end of the stream
 * is told once.  A last line without an end is a line: whoever wrote it has finished.
 */
import type { Readable } from 'node:stream';
import { reasonOf } from '../base/errors.ts';
import type { Receiver, Source } from './source.ts';
import { Splitter } from './splitter.ts';

export class StreamSource implements Source {
  readonly #stream: Readable;
  readonly #name: string;
  readonly #receiver: Receiver;
  #done: Promise<void> = Promise.resolve();

  /** @param name stands for the stream in notices */
  constructor(stream: Readable, name: string, receiver: Receiver) {
    this.#stream = stream;
    this.#name = name;
    this.#receiver = receiver;
  }

  start(): void {
    this.#receiver.notice({ kind: 'opened', path: this.#name, position: 0 });
    this.#done = this.#read();
  }

  async stop(): Promise<void> {
    this.#stream.destroy();
    await this.#done;
  }

  async #read(): Promise<void> {
    const splitter = new Splitter();
    try {
      for await (const chunk of this.#stream) await this.#receiver.lines(splitter.push(chunk));
      await this.#receiver.lines(splitter.flush());
      this.#receiver.notice({ kind: 'ended', path: this.#name });
    } catch (error) {
      if (this.#stream.destroyed && !this.#stream.errored) return;
      this.#receiver.notice({ kind: 'failed', path: this.#name, reason: reasonOf(error) });
    }
  }
}
