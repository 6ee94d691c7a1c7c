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

  begin(notice: Notice): void {
    const { kind } = notice;
    if (this.#lasting.has(kind)) return;
    const now = performance.now();
    if (now - (this.#told.get(kind) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) return;
    this.#lasting.add(kind);
    this.#told.set(kind, now);
    this.#tell(notice);
  }

  end(kind: Notice['kind']): void {
    this.#lasting.delete(kind);
  }
}
