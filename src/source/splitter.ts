/**
 * Cuts a stream of bytes into lines.
 *
 * Promises: a line is handed out once its end has arrived, never in parts; one of more than
 * `MAX_LINE` bytes is counted, handed out as an empty one (so that lines can be numbered), and never takes
 * more than that in memory; bytes that are not UTF-8 pass unchanged (latin1).
 */

import { MAX_LINE } from '../line/length.ts';

const NEWLINE = 10;

export class Splitter {
  /** The beginning of a line whose end has not arrived. */
  #partial = '';
  /** The line that is arriving is too long already, and its rest is to be skipped. */
  #skipping = false;
  #tooLong = 0;

  /** Lines skipped so far for their length. */
  get tooLong(): number {
    return this.#tooLong;
  }

  /** Takes bytes, which may be reused after the call, and returns the lines that they complete. */
  push(chunk: Buffer): string[] {
    const end = chunk.lastIndexOf(NEWLINE);
    if (end < 0) {
      this.#keep(chunk.toString('latin1'));
      return [];
    }
    const text = this.#skipping
      ? chunk.toString('latin1', chunk.indexOf(NEWLINE), end)
      : chunk.toString('latin1', 0, end);
    const lines = (this.#partial + text).split('\n');
    this.reset();
    this.#keep(chunk.toString('latin1', end + 1));
    return lines.map(line => this.#capped(line));
  }

  /** The last line of a finished input whose end never came, if there is one. */
  flush(): string[] {
    const last = this.#partial;
    this.reset();
    return last.length > 0 ? [last] : [];
  }

  /** Forgets the line that was arriving: what comes next is the beginning of another file. */
  reset(): void {
    this.#partial = '';
    this.#skipping = false;
  }

  #keep(text: string): void {
    if (this.#skipping) return;
    this.#partial += text;
    if (this.#partial.length <= MAX_LINE) return;
    this.#partial = '';
    this.#skipping = true;
    this.#tooLong++;
  }

  #capped(line: string): string {
    if (line.length <= MAX_LINE) return line;
    this.#tooLong++;
    return '';
  }
}
