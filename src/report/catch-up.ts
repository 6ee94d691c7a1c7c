/**
 * The progress meter of a daemon on a terminal, while it reads what was in the logs when it started.
 *
 * Promises: it ends when as many bytes have been read as there were behind the place where each log was opened, or when
 * nothing has been read for a second; from then on it costs nothing and draws nothing.
 * Known limit: of logs that have been rotated since the last run, only the first that is opened counts as what there
 * is to read.  Lines that are skipped for their length are not counted.
 */
import { statSync } from 'node:fs';
import type { Notice } from '../source/source.ts';
import { ProgressMeter, type Readable, type Screen } from './progress-meter.ts';

const IDLE_MS = 1000;

export class CatchUp implements Readable {
  size = 0;
  readonly #meter: ProgressMeter;
  readonly #idle: NodeJS.Timeout;
  #bytes = 0;
  #lines = 0;
  /** Bytes at the last look whether anything is read. */
  #seen = 0;
  #ended = false;

  constructor(screen: Screen, now?: () => number) {
    this.#meter = new ProgressMeter([this], screen, now);
    this.#idle = setInterval(() => this.#look(), IDLE_MS).unref();
  }

  /** Null when nobody would see it. */
  static onTerminal(): CatchUp | null {
    return process.stderr.isTTY ? new CatchUp(process.stderr) : null;
  }

  bytes(): number {
    return this.#bytes;
  }

  lines(): number {
    return this.#lines;
  }

  notice(notice: Notice): void {
    if (notice.kind === 'opened') this.size += Math.max(0, sizeOf(notice.path) - notice.position);
  }

  /** Lines, without their ends, are being dealt with. */
  read(batch: readonly string[]): void {
    if (this.#ended) return;
    for (const line of batch) this.#bytes += line.length + 1;
    this.#lines += batch.length;
    if (this.#bytes >= this.size) this.end();
    else this.#meter.update();
  }

  /** Something else is going to be printed. */
  clear(): void {
    this.#meter.clear();
  }

  end(): void {
    this.#ended = true;
    clearInterval(this.#idle);
    this.#meter.clear();
  }

  #look(): void {
    if (this.#bytes === this.#seen) this.end();
    this.#seen = this.#bytes;
  }
}

/** What is no file, as the journal, has no bytes to wait for; nor has one that cannot be looked at any more. */
function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
