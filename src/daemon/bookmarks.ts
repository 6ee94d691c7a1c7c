/**
 * Notes, once a second and at the end, how far the sources' lines have been dealt with, and what was kept in mind.
 *
 * Promises: a place is noted only while the map has everything that was decided; a dry run notes nothing; that it
 * cannot be noted is told once, until it can.
 */

import { Failure } from '../base/errors.ts';
import type { LookupMap } from '../map/map.ts';
import { Checkpoint, type Notes } from '../state/checkpoint.ts';

export class Bookmarks {
  readonly #checkpoint: Checkpoint;
  readonly #map: LookupMap;
  readonly #grace: () => string;
  readonly #warn: (text: string) => void;
  #failed = false;

  /** @param grace the grace periods that count now, as a text */
  constructor(map: LookupMap, grace: () => string, warn: (text: string) => void) {
    this.#checkpoint = new Checkpoint(map.spec);
    this.#map = map;
    this.#grace = grace;
    this.#warn = warn;
  }

  read(): Notes {
    return this.#checkpoint.read(this.#basis(), this.#warn);
  }

  write(notes: Notes): void {
    try {
      this.#checkpoint.write(this.#basis(), notes);
      this.#failed = false;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (!this.#failed) this.#warn(error.line);
      this.#failed = true;
    }
  }

  /** With a new map, or another grace period, lines before the place matter again. */
  #basis(): string {
    return `${this.#map.identity} ${this.#grace()}`;
  }
}
