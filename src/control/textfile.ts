/**
 * The metrics as a file, for the textfile collector of node_exporter.
 *
 * Promises: written every 15 seconds and at the end, so that no reader sees half of it
 * (replace-file.ts); the collector takes only names that end in `.prom`, so that the new file is no concern of its.
 * Trouble is told once, until it works again.
 * Source: node_exporter README, "Textfile Collector".
 */
import { every } from '../base/beat.ts';
import { reasonOf } from '../base/errors.ts';
import { replaceFile } from '../state/replace-file.ts';

const INTERVAL_MS = 15_000;

export class Textfile {
  readonly #path: string;
  readonly #text: () => string;
  readonly #warn: (text: string) => void;
  readonly #end: () => void;
  #failed = false;

  /** Begins to write.  @param text the metrics as they are when it is called */
  constructor(path: string, text: () => string, warn: (text: string) => void) {
    this.#path = path;
    this.#text = text;
    this.#warn = warn;
    this.#write();
    this.#end = every(INTERVAL_MS, () => this.#write());
  }

  /** Writes for the last time. */
  close(): void {
    this.#end();
    this.#write();
  }

  #write(): void {
    try {
      replaceFile(this.#path, this.#text(), 0o644);
      this.#failed = false;
    } catch (error) {
      if (!this.#failed) {
        this.#warn(`cannot write the metrics to ${this.#path}: ${reasonOf(error)}; trying again`);
      }
      this.#failed = true;
    }
  }
}
