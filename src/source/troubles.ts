/**
 * Decides which notices are told, so that a log full of trouble does not fill ours.
 *
 * Promises: a trouble is told when it begins, not again while it lasts, and not more than once a minute when it
 * comes and goes.
 */
import type { Notice } from './source.ts';

const AGAIN_MS = 60_000;

export class Troubles {
  readonly #tell: (notice: Notice) => void;
  readonly #lasting = new Set<Notice['kind']>();
  readonly #told = new Map<Notice['kind'], number>();

  constructor(tell: (notice: Notice) => void) {
    this.#tell = tell;
  }

  /** What lasts until it is ended. */
  begin(notice: Notice): void {
    if (!this.#lasting.has(notice.kind) && this.tell(notice)) this.#lasting.add(notice.kind);
  }

  end(kind: Notice['kind']): void {
    this.#lasting.delete(kind);
  }

  /** @returns false when it was told of late */
  tell(notice: Notice): boolean {
    const now = performance.now();
    const told = this.#told.get(notice.kind);
    if (told !== undefined && now - told < AGAIN_MS) return false;
    this.#told.set(notice.kind, now);
    this.#tell(notice);
    return true;
  }
}
