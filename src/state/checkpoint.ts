/**
 * How far each source has been dealt with, kept beside the map, so that a restart goes on exactly there.
 *
 * Promises: it is whole at any moment (replace-file.ts), and for nobody else to read, since it has the sessions of users; a
 * file that is missing, damaged or of another version counts as none, and the sources start by time.  A place is noted only
 * when the effect of every line before it is in the map; a line that is read once more changes nothing.
 * A checkpoint belongs to a basis, the map and the grace period that it was made with: with a new map, or a longer
 * grace period, lines before the place matter again.
 * Leaves to others: what a place is (each source its own), and whether the map is to be trusted at all (map/owner.ts):
 * it is not brought to the disk, since after a power failure it is not used.
 */
import { readFileSync } from 'node:fs';
import { errnoOf, failure, reasonOf } from '../base/errors.ts';
import { beside } from './beside.ts';
import { PRIVATE } from './new-file.ts';
import { replaceFile } from './replace-file.ts';

const VERSION = 1;

/** Places by the name of the source; what a place is, its source knows. */
export type Places = Readonly<Record<string, unknown>>;

/** What is noted; whoever made a part of it reads it again. */
export interface Notes {
  readonly places: Places;
  /** What the recogniser kept in mind of the lines before. */
  readonly memory: unknown;
  /** The sessions that were open, at a stop; null while running, since a session may end unnoticed after a crash. */
  readonly sessions: unknown;
}

const NONE: Notes = { places: {}, memory: null, sessions: null };

export class Checkpoint {
  readonly #path: string;
  /** What the file holds, so that nothing is written when nothing has changed. */
  #written = '';

  constructor({ path }: { readonly path: string }) {
    this.#path = beside({ path }, 'checkpoint');
  }

  /**
   * The notes, none if they belong to another basis.
   *
   * @param warn told when there is a file, and it is damaged
   */
  read(basis: string, warn: (text: string) => void): Notes {
    try {
      return notesOf(JSON.parse(readFileSync(this.#path, 'utf8')), basis);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') {
        warn(
          `${this.#path} is of no use, so the logs are read from where the grace period begins: ${reasonOf(error)}`,
        );
      }
      return NONE;
    }
  }

  /**
   * Writes the notes, if they have changed.
   *
   * @throws Failure CHECKPOINT, with the old file as it was
   */
  write(basis: string, notes: Notes): void {
    const text = `${JSON.stringify({ version: VERSION, basis, ...notes })}\n`;
    if (text === this.#written) return;
    try {
      replaceFile(this.#path, text, PRIVATE);
    } catch (error) {
      throw failure('CHECKPOINT', { path: this.#path, reason: reasonOf(error) }, error);
    }
    this.#written = text;
  }
}

function notesOf(content: unknown, basis: string): Notes {
  if (typeof content !== 'object' || content === null) throw new Error('it is no object');
  if (!('version' in content) || content.version !== VERSION) throw new Error('another version');
  if (!('basis' in content) || typeof content.basis !== 'string') {
    throw new Error('it has no basis');
  }
  if (!('places' in content)) throw new Error('it has no places');
  const { places } = content;
  if (typeof places !== 'object' || places === null) throw new Error('it has no places');
  if (content.basis !== basis) return NONE;
  return {
    places: Object.fromEntries(Object.entries(places)),
    memory: 'memory' in content ? content.memory : null,
    sessions: 'sessions' in content ? content.sessions : null,
  };
}
