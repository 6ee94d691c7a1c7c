/**
 * A small JSON file beside the map, for what must outlive the process.
 *
 * Promises: it is whole at any moment, also after a power failure (replace-file.ts); only its account and root may read it, since it has names of users.
 * Leaves to others: that one process writes at a time (whoever owns the map), and what the content means.
 */
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { errnoOf, failure, reasonOf } from '../base/errors.ts';
import { beside } from './beside.ts';
import { PRIVATE } from './new-file.ts';
import { replaceFileDurably } from './replace-file.ts';

export class StateFile {
  readonly path: string;
  #turn: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.path = path;
  }

  /**
   * What was written last; null when there is no such file.
   *
   * @throws Failure STATE_UNREADABLE, also when it is damaged
   */
  read(): unknown {
    try {
      return JSON.parse(readFileSync(this.path, 'utf8'));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return null;
      throw failure('STATE_UNREADABLE', { path: this.path, reason: reasonOf(error) }, error);
    }
  }

  /**
   * Writes, after what was asked for before; resolves when it is on the disk.
   *
   * @throws Failure STATE_UNWRITABLE, with the old file as it was
   */
  write(content: unknown): Promise<void> {
    const done = this.#turn.then(() => this.#replace(`${JSON.stringify(content)}\n`));
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** @throws Failure STATE_UNWRITABLE */
  async remove(): Promise<void> {
    try {
      await rm(this.path, { force: true });
    } catch (error) {
      throw failure('STATE_UNWRITABLE', { path: this.path, reason: reasonOf(error) }, error);
    }
  }

  async #replace(text: string): Promise<void> {
    try {
      await replaceFileDurably(this.path, text, PRIVATE);
    } catch (error) {
      throw failure('STATE_UNWRITABLE', { path: this.path, reason: reasonOf(error) }, error);
    }
  }
}

/** What was ordered by hand, of a map. */
export const ordersFile = (map: { readonly path: string }): StateFile =>
  new StateFile(beside(map, 'orders'));
