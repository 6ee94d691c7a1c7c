/**
 * Lines that a container runtime has written in several entries, put together again.
 *
 * Promises: the pieces of one stream make one line, told where the last one stands; a line that grows beyond the cap is
 * none, and neither is the rest of one of which a piece was skipped for its length: a stranger's text may begin there.
 * One for each log, in the order of its lines.  Memory: one line of each stream.
 * Known limit: what a reader has not seen it does not know, so that the rest of a line whose first piece stands right
 * before the place at which it begins is taken for a line.
 */
import { type Carried, entryOf, type Piece } from './carriers.ts';
import { MAX_LINE } from './length.ts';

const STREAMS = ['stdout', 'stderr'] as const;

export class Pieces {
  /** What has come of the line of each stream; null when it is lost, and no entry when none is open. */
  readonly #open = new Map<string, string | null>();

  /**
   * @param text the next line of the log; an empty one for a line that was skipped for its length
   * @returns the same for what is no piece; nothing for one that is not the last, or whose line is lost
   */
  whole(text: string): string {
    if (text === '') {
      for (const stream of STREAMS) this.#open.set(stream, null);
      return text;
    }
    const entry = entryOf(text);
    return entry === null ? text : this.#take(text, entry);
  }

  #take(text: string, { rest, stamp, piece }: Carried & { readonly piece: Piece }): string {
    const { stream, isLast } = piece;
    const before = this.#open.get(stream);
    if (isLast && before === undefined) return text;
    const line = before === null || tooLong(before, rest) ? null : `${before ?? ''}${rest}`;
    if (isLast) this.#open.delete(stream);
    else this.#open.set(stream, line);
    return isLast && line !== null ? `${stamp} ${stream} F ${line}` : '';
  }
}

const tooLong = (before: string | undefined, rest: string): boolean =>
  (before?.length ?? 0) + rest.length > MAX_LINE;
