/**
 * A model of Courier's logger as it is started as a daemon (courier-libs, liblog/logger.c).
 *
 * It reads pieces of up to 511 bytes, and skips what it takes for the rest of a longer line on another stdio
 * stream of the same pipe.  So the rest comes back as a line, the skipping swallows somebody else's, and where
 * the other stream's buffer ends within a line, the next line of the log begins there.
 */

/** A line of the log, and whether the logger had to wait for it, for as long as nothing was written. */
export interface Logged {
  readonly message: string;
  readonly waited: boolean;
}

/** What a stdio stream reads from a pipe at once. */
const BUFFER = 4096;
const PIECE = 511;
const PRIORITY_WORD = /^(?:ERR:|WARN:|ALERT:|CRIT:|DEBUG:|INFO:)/;

/**
 * @param written what the servers write, lines without their end
 * @param bursts how many of them come before each read of the pipe, over and over
 */
export function logged(written: readonly string[], bursts: readonly number[]): Logged[] {
  const pipe = new Pipe(written, bursts);
  const [lines, skipped] = [new Stream(pipe), new Stream(pipe)];
  const log: Logged[] = [];
  for (;;) {
    const piece = lines.piece();
    if (piece === null) return log;
    if (!piece.endsWith('\n')) skipped.skipLine();
    const message = piece.replace(/\n$/, '').replace(PRIORITY_WORD, '').replace(/^ +/, '');
    log.push({ message, waited: pipe.hasWaited() });
  }
}

class Pipe {
  readonly #written: string[];
  readonly #bursts: readonly number[];
  #queue = '';
  #reads = 0;
  #waited = false;

  constructor(written: readonly string[], bursts: readonly number[]) {
    this.#written = [...written];
    this.#bursts = bursts;
  }

  /** Null at the end. */
  read(): string | null {
    this.#take(this.#bursts[this.#reads++ % this.#bursts.length] ?? 0);
    if (this.#queue === '') {
      this.#waited = true;
      this.#take(1);
    }
    const text = this.#queue.slice(0, BUFFER);
    this.#queue = this.#queue.slice(BUFFER);
    return text === '' ? null : text;
  }

  /** Since it was asked last. */
  hasWaited(): boolean {
    const waited = this.#waited;
    this.#waited = false;
    return waited;
  }

  #take(count: number): void {
    for (const line of this.#written.splice(0, count)) this.#queue += `${line}\n`;
  }
}

class Stream {
  readonly #pipe: Pipe;
  #buffer = '';

  constructor(pipe: Pipe) {
    this.#pipe = pipe;
  }

  /** fgets */
  piece(): string | null {
    let piece = '';
    while (piece.length < PIECE && !piece.endsWith('\n')) {
      if (!this.#fill()) break;
      const end = this.#buffer.indexOf('\n') + 1 || this.#buffer.length;
      const length = Math.min(end, PIECE - piece.length);
      piece += this.#buffer.slice(0, length);
      this.#buffer = this.#buffer.slice(length);
    }
    return piece === '' ? null : piece;
  }

  /** getchar, up to the end of a line */
  skipLine(): void {
    while (this.#fill()) {
      const end = this.#buffer.indexOf('\n') + 1;
      this.#buffer = end === 0 ? '' : this.#buffer.slice(end);
      if (end > 0) return;
    }
  }

  #fill(): boolean {
    if (this.#buffer === '') this.#buffer = this.#pipe.read() ?? '';
    return this.#buffer !== '';
  }
}
