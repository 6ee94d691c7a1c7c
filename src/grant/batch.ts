/**
 * What a step of the pipeline has led to: changes of the map, and decisions that are told once these are made.
 */
import type { IpText } from '../base/address.ts';
import type { Change, Effect } from './change.ts';
import type { Decision } from './decision.ts';

/** A decision with the number of the change that it tells the effect of, if it does. */
interface Draft {
  readonly change: number | null;
  decide(effect: Effect | null): Decision;
}

export class Batch {
  readonly changes: Change[] = [];
  readonly #drafts: Draft[] = [];

  /** Whether nothing was decided. */
  get isEmpty(): boolean {
    return this.#drafts.length === 0;
  }

  change(change: Change): void {
    this.changes.push(change);
  }

  remove(ip: IpText): void {
    this.changes.push({ ip, stamp: null });
  }

  record(decision: Decision): void {
    this.#drafts.push({ change: null, decide: () => decision });
  }

  /**
   * Tells of a change with what came of it.
   *
   * @param change null when there is nothing to change
   */
  changeAndRecord(change: Change | null, decide: (effect: Effect | null) => Decision): void {
    if (change !== null) this.changes.push(change);
    this.#drafts.push({ change: change === null ? null : this.changes.length - 1, decide });
  }

  /** @param effects of the changes; none of those that could not be made */
  decisions(effects: readonly Effect[]): Decision[] {
    return this.#drafts.map(({ change, decide }) =>
      decide(change === null ? null : (effects[change] ?? null)),
    );
  }
}
