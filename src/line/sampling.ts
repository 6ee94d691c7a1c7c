/**
 * Which lines of programs that no pattern file names are looked at all the same: they may be a server's, under a tag that
 * should be told of.
 *
 * Reason: most lines of a mail log are other programs', and a look at one costs as much as all else that is done with it.
 * Promises: of each tag the first lines, then one of so many.  Tags that fall into the same slot share its count.
 * Bounded, whatever the tags; threads may share the memory: a count that is lost between them does no harm.
 */

/** How many lines of each tag are looked at, before it is one of SOME. */
export const FIRST_LINES = 100;
export const SOME = 256;
/** Instead of their number: all of them are. */
const ALL = 0xffff;
/** Slots that tags fall into by their hash. */
export const SLOTS = 4096;

/** FNV-1a, without the offset. */
export const step = (hash: number, byte: number): number => Math.imul(hash ^ byte, 16_777_619);

/** @param text a character a byte */
export function hashOf(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = step(hash, text.charCodeAt(at));
  return hash;
}

export class Sampling {
  /** How many lines have been seen, by slot; scan/scan.ts counts there as well. */
  readonly #seen: Uint16Array;

  /** @param seen where it counts; zeros, or what another one of the same lines has counted */
  constructor(seen: Uint16Array = new Uint16Array(SLOTS)) {
    this.#seen = seen;
  }

  /**
   * Whether the next line under a tag is to be looked at.
   *
   * @param hash of its tag
   */
  takes(hash: number): boolean {
    const slot = hash & (SLOTS - 1);
    const count = this.#seen[slot] ?? 0;
    if (count === ALL) return true;
    const isNext = count + 1 === FIRST_LINES + SOME;
    this.#seen[slot] = isNext ? FIRST_LINES : count + 1;
    return count < FIRST_LINES || isNext;
  }

  /** From now on all lines under a tag are looked at. */
  admit(tag: string): void {
    this.#seen[hashOf(tag) & (SLOTS - 1)] = ALL;
  }

  /** From now on all lines are. */
  admitAll(): void {
    this.#seen.fill(ALL);
  }
}
