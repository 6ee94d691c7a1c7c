/**
 * Notes how far the daemon has got, once a second and at a stop.
 *
 * Promises: a place is noted when the map, and the fleet, have all that the lines before it have led to; what has not
 * been published at a stop is read once more at the next start.
 */

import type { Fleet } from '../fleet/fleet.ts';
import type { SavedSessions } from '../grant/session-table.ts';
import type { LogMemory } from '../recogniser/log-memory.ts';
import type { Notes } from '../state/checkpoint.ts';
import type { Bookmarks } from './bookmarks.ts';
import type { Watched } from './sources.ts';

export class NoteKeeper {
  readonly #bookmarks: Bookmarks;
  readonly #watched: readonly Watched[];
  readonly #memory: LogMemory;
  /** Null for a host that is alone. */
  readonly #fleet: Fleet | null;
  readonly #isSettled: () => boolean;
  /** Notes that wait until what they stand for has been published. */
  #unpublished: { readonly notes: Notes; readonly mark: number } | null = null;

  constructor(parts: {
    readonly bookmarks: Bookmarks;
    readonly watched: readonly Watched[];
    readonly memory: LogMemory;
    readonly fleet: Fleet | null;
    /** Whether the map has all that was decided. */
    isSettled(): boolean;
  }) {
    this.#bookmarks = parts.bookmarks;
    this.#watched = parts.watched;
    this.#memory = parts.memory;
    this.#fleet = parts.fleet;
    this.#isSettled = () => parts.isSettled();
  }

  note(): void {
    if (this.#unpublished === null && this.#isSettled()) {
      this.#unpublished = { notes: this.#notes(null), mark: this.#fleet?.mark ?? 0 };
    }
    const waiting = this.#unpublished;
    if (waiting === null || this.#fleet?.isPublished(waiting.mark) === false) return;
    this.#unpublished = null;
    this.#bookmarks.write(waiting.notes);
  }

  /** @param sessions those that are open; null when sessions keep nothing */
  noteAtStop(sessions: SavedSessions | null): void {
    if (!this.#isSettled()) return;
    const notes = this.#notes(sessions);
    const isPublished = this.#fleet?.isPublished(this.#fleet.mark) ?? true;
    const { places, memory } = isPublished ? notes : (this.#unpublished?.notes ?? notes);
    this.#bookmarks.write({ places, memory, sessions });
  }

  #notes(sessions: SavedSessions | null): Notes {
    const places: Record<string, unknown> = {};
    for (const { name, place } of this.#watched) places[name] = place();
    if (this.#fleet !== null) places[this.#fleet.name] = this.#fleet.place();
    return { places, memory: this.#memory.save(), sessions };
  }
}
