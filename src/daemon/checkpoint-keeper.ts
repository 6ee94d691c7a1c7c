/**
 * Notes how far the daemon has got, once a second and at a stop.
 *
 * Promises: a place is noted when the map, and the fleet, have all that the lines before it have led to; what has not
 * been published at a stop is read once more at the next start.  That it cannot be noted is told once, until it can.
 */
import { Failure } from '../base/errors.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { SavedSessions } from '../grant/session-table.ts';
import type { LookupMap } from '../map/map.ts';
import type { LogMemory } from '../recogniser/log-memory.ts';
import { Checkpoint, type Notes } from '../state/checkpoint.ts';
import type { Core } from './core.ts';
import type { SourceHandle } from './sources.ts';

interface KeeperParts {
  readonly map: LookupMap;
  readonly core: Core;
  readonly memory: LogMemory;
  readonly warn: (text: string) => void;
}

export class CheckpointKeeper {
  readonly #checkpoint: Checkpoint;
  readonly #map: LookupMap;
  readonly #core: Core;
  readonly #memory: LogMemory;
  readonly #warn: (text: string) => void;
  #watched: readonly SourceHandle[] = [];
  /** Null for a host that is alone. */
  #fleet: Fleet | null = null;
  /** Notes that wait until what they stand for has been published. */
  #unpublished: { readonly notes: Notes; readonly mark: number } | null = null;
  #failed = false;

  constructor({ map, core, memory, warn }: KeeperParts) {
    this.#checkpoint = new Checkpoint(map.spec);
    this.#map = map;
    this.#core = core;
    this.#memory = memory;
    this.#warn = warn;
  }

  /** What the last run has noted. */
  read(): Notes {
    return this.#checkpoint.read(this.#basis(), this.#warn);
  }

  /** Whose places are noted from now on. */
  keep(watched: readonly SourceHandle[], fleet: Fleet | null): void {
    this.#watched = watched;
    this.#fleet = fleet;
  }

  /** @param kept the places are written when this is done, which keeps what the lines before them have told */
  note(kept: Promise<void>): void {
    if (this.#unpublished === null && this.#core.pipeline.settled) {
      this.#unpublished = { notes: this.#notes(null), mark: this.#fleet?.mark ?? 0 };
    }
    const waiting = this.#unpublished;
    if (waiting === null || this.#fleet?.isPublished(waiting.mark) === false) return;
    this.#unpublished = null;
    void kept.then(() => this.#write(waiting.notes));
  }

  /** With the sessions that are open. */
  noteAtStop(): void {
    if (!this.#core.pipeline.settled) return;
    const notes = this.#notes(this.#core.sessions?.save(this.#core.clock.now()) ?? null);
    const isPublished = this.#fleet?.isPublished(this.#fleet.mark) ?? true;
    const { places, memory } = isPublished ? notes : (this.#unpublished?.notes ?? notes);
    this.#write({ places, memory, sessions: notes.sessions });
  }

  #notes(sessions: SavedSessions | null): Notes {
    const places: Record<string, unknown> = {};
    for (const watched of this.#watched)
      for (const [name, place] of watched.places()) places[name] = place;
    if (this.#fleet !== null) places[this.#fleet.name] = this.#fleet.place();
    return { places, memory: this.#memory.save(), sessions };
  }

  #write(notes: Notes): void {
    try {
      this.#checkpoint.write(this.#basis(), notes);
      this.#failed = false;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (!this.#failed) this.#warn(error.line);
      this.#failed = true;
    }
  }

  /** With a new map, or other grace periods, lines before the place matter again. */
  #basis(): string {
    return `${this.#map.identity} ${this.#core.grace}`;
  }
}
