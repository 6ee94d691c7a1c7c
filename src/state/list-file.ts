/**
 * A list beside the map that is kept by its changes: JSON, a line for each, of which the last about a thing counts.
 *
 * Promises: a change is in the file when its append has resolved, so that it outlives the process, however that ends; now and then the
 * file is made anew with what counts, a part at each append, so that it stays as small as its list and nothing waits for it; only its account
 * and root may read it.  A line that the end of the process has torn is left out.
 * Leaves to others: that one process writes at a time (whoever owns the map), and what a line means.
 * Known limit: what is appended is not brought to the disk, since after a power failure the map is not used either; `write` is.
 */
import { constants, readFileSync } from 'node:fs';
import { appendFile, rename, rm } from 'node:fs/promises';
import { errnoOf, failure, reasonOf } from '../base/errors.ts';
import { PRIVATE } from './new-file.ts';
import { replaceFileDurably } from './replace-file.ts';

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants;
const APPEND = O_APPEND | O_CREAT | O_NOFOLLOW | O_WRONLY;

/** Lines of the new file that are written at each append. */
const SLICE = 5000;
/** Lines that the file may have beyond twice those that count. */
const SLACK = 10_000;

export class ListFile {
  readonly path: string;
  #turn: Promise<void> = Promise.resolve();
  /** Lines of the file, as far as they are known: it is made anew at first. */
  #lines = Number.POSITIVE_INFINITY;
  /** What is still to be written to the new file; null while there is none. */
  #rest: Iterator<unknown> | null = null;
  #newLines = 0;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * All lines, in their order; none when there is no such file.
   *
   * @throws Failure STATE_UNREADABLE, also when it is damaged from its beginning to its end
   */
  read(): readonly unknown[] {
    try {
      const texts = readFileSync(this.path, 'utf8')
        .split('\n')
        .filter(text => text !== '');
      const lines = linesIn(texts);
      if (lines.length > 0 || texts.length === 0) return lines;
      throw new Error('no line of it is JSON');
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return [];
      throw failure('STATE_UNREADABLE', { path: this.path, reason: reasonOf(error) }, error);
    }
  }

  /**
   * Appends changes, after what was asked for before.
   *
   * @param list all that counts, and how many they are; may change while it is gone through
   * @throws Failure STATE_UNWRITABLE; it is made anew then
   */
  append(changes: readonly unknown[], list: Iterable<unknown>, size: number): Promise<void> {
    return this.#next(async () => {
      try {
        if (changes.length > 0) await this.#add(this.path, changes);
        this.#lines += changes.length;
        await this.#renew(changes, list, size);
      } catch (error) {
        this.#rest = null;
        this.#lines = Number.POSITIVE_INFINITY;
        throw error;
      }
    });
  }

  /**
   * Writes the whole list anew, after what was asked for before; resolves when it is on the disk.
   *
   * @throws Failure STATE_UNWRITABLE, with the old file as it was
   */
  write(list: Iterable<unknown>): Promise<void> {
    return this.#next(() => replaceFileDurably(this.path, textOf([...list]), PRIVATE));
  }

  /** @throws Failure STATE_UNWRITABLE */
  remove(): Promise<void> {
    return this.#next(() => rm(this.path, { force: true }));
  }

  get #fresh(): string {
    return `${this.path}.new`;
  }

  async #renew(changes: readonly unknown[], list: Iterable<unknown>, size: number): Promise<void> {
    if (this.#rest === null) {
      if (this.#lines <= 2 * size + SLACK) return;
      await rm(this.#fresh, { force: true });
      this.#rest = list[Symbol.iterator]();
      this.#newLines = 0;
    }
    const some: unknown[] = [];
    let isDone = false;
    while (!isDone && some.length < SLICE) {
      const { value, done } = this.#rest.next();
      if (done === true) isDone = true;
      else some.push(value);
    }
    // What has changed meanwhile may have been gone through before.
    await this.#add(this.#fresh, [...some, ...changes]);
    this.#newLines += some.length + changes.length;
    if (!isDone) return;
    await rename(this.#fresh, this.path);
    this.#lines = this.#newLines;
    this.#rest = null;
  }

  /** Behind the end of a line, should the last one have none. */
  #add(path: string, lines: readonly unknown[]): Promise<void> {
    return appendFile(path, `\n${textOf(lines)}`, { mode: PRIVATE, flag: APPEND });
  }

  #next(step: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(step).catch((error: unknown) => {
      throw failure('STATE_UNWRITABLE', { path: this.path, reason: reasonOf(error) }, error);
    });
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

const textOf = (lines: readonly unknown[]): string =>
  lines.map(line => `${JSON.stringify(line)}\n`).join('');

/** All at once, which takes half the time, unless one of them is torn. */
function linesIn(texts: readonly string[]): unknown[] {
  try {
    const lines: unknown = JSON.parse(`[${texts.join(',')}]`);
    // A torn one may go on in the next.
    if (Array.isArray(lines) && lines.length === texts.length) return lines;
  } catch {
    // One by one, then.
  }
  return texts.flatMap(lineIn);
}

function lineIn(text: string): unknown[] {
  try {
    return [JSON.parse(text)];
  } catch {
    return [];
  }
}
