/**
 * Which entries of the journal are whole lines of the streams that they came by.
 *
 * journald makes an entry of each line that a service writes to its standard output or error.  It also ends one where
 * a line is longer than LineMax= (journald.conf(5)), at a NUL, and where the stream or its process ends, and says so
 * (systemd.journal-fields(7), _LINE_BREAK).  What comes next in the same stream is the rest of that line, which may be a
 * stranger's text from its first byte on.  The engine of a container does the same with long lines of both of the container's streams,
 * and marks all pieces but the last (CONTAINER_PARTIAL_MESSAGE).
 *
 * Promises: neither a piece that was broken off nor the piece behind it is a whole line, however many pieces there are
 * and whatever other streams say between them.
 * Of a container with a broken line nothing is a whole line until one of the same severity has come, by which its engine tells the
 * two streams apart (conmon takes it from the head of a line, too, so that the rest may have another), or ten minutes are over.
 * Known limits: an empty rest makes no entry, so the line after it is refused in its place; of more than MAX_BROKEN
 * streams that never went on the oldest are forgotten.
 */
import type { JournalEntry } from './journal-entry.ts';

/** For how long the rest of a line is waited for by a reader that has to begin somewhere. */
const BREAK_SECONDS = 600;
const MAX_BROKEN = 10_000;

type Piece = Pick<
  JournalEntry,
  'cursor' | 'microseconds' | 'container' | 'priority' | 'stream' | 'lineBreak'
>;

export class JournalStreams {
  /** By stream, oldest first. */
  readonly #broken = new Map<string, Pick<Piece, 'cursor' | 'microseconds' | 'priority'>>();
  /** The time of the latest entry. */
  #now = 0;

  /** The entry that a reader has to begin at, so as not to take a rest for a line; null when any place will do. */
  get broken(): string | null {
    for (const { cursor, microseconds } of this.#broken.values())
      if (!this.#isOver(microseconds)) return cursor;
    return null;
  }

  /** Takes each entry once, in the journal's order. */
  isWhole({ cursor, microseconds, container, priority, stream, lineBreak }: Piece): boolean {
    this.#now = microseconds;
    if (stream === null) return lineBreak === null;
    const before = this.#broken.get(stream);
    if (lineBreak === null) {
      if (before === undefined) return true;
      const isOver = container !== null && this.#isOver(before.microseconds);
      if (container === null || before.priority === priority || isOver) this.#broken.delete(stream);
      return isOver;
    }
    this.#broken.delete(stream);
    this.#broken.set(stream, { cursor, microseconds, priority });
    for (const oldest of this.#broken.keys()) {
      if (this.#broken.size <= MAX_BROKEN) break;
      this.#broken.delete(oldest);
    }
    return false;
  }

  #isOver(microseconds: number): boolean {
    return microseconds < this.#now - BREAK_SECONDS * 1e6;
  }
}
