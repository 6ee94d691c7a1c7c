/**
 * Counts what happens too often to be told each time.
 *
 * Promises: the first of a kind is told at once, and what comes after it with the next telling; the
 * intervals between tellings double for as long as there is something to tell, up to the longest, so that what
 * lasts cannot fill a log; nothing that was counted is left untold at the end.
 */

/** How many times longer than the first the longest interval is: an hour for a minute. */
const LONGEST = 60;

interface Count<D> {
  total: number;
  /** Of the latest. */
  detail: D;
}

export class Tally<D> {
  readonly #tell: (kind: string, total: number, detail: D) => void;
  readonly #shortestMs: number;
  #intervalMs: number;
  readonly #counts = new Map<string, Count<D>>();
  readonly #untold = new Set<string>();
  #pause: NodeJS.Timeout | null = null;

  /**
   * @param tell is given the number of all so far, and the detail of the latest
   * @param intervalMs the first interval
   */
  constructor(tell: (kind: string, total: number, detail: D) => void, intervalMs: number) {
    this.#tell = tell;
    this.#shortestMs = intervalMs;
    this.#intervalMs = intervalMs;
  }

  /** @param kind one of a few; each is kept for good */
  add(kind: string, detail: D): void {
    const count = this.#counts.get(kind) ?? { total: 0, detail };
    this.#counts.set(kind, { total: count.total + 1, detail });
    this.#untold.add(kind);
    if (this.#pause === null) this.#tellAll();
  }

  /** Tells what is untold. */
  close(): void {
    this.#tellAll();
    if (this.#pause !== null) clearTimeout(this.#pause);
    this.#pause = null;
  }

  #tellAll(): void {
    if (this.#pause !== null) clearTimeout(this.#pause);
    for (const kind of this.#untold) {
      const count = this.#counts.get(kind);
      if (count !== undefined) this.#tell(kind, count.total, count.detail);
    }
    this.#untold.clear();
    this.#pause = setTimeout(() => this.#goOn(), this.#intervalMs);
  }

  #goOn(): void {
    this.#pause = null;
    if (this.#untold.size === 0) {
      this.#intervalMs = this.#shortestMs;
      return;
    }
    this.#intervalMs = Math.min(this.#intervalMs * 2, this.#shortestMs * LONGEST);
    this.#tellAll();
  }
}
