/**
 * A map with further ones that follow it.
 *
 * Promises: all that is asked, read and reported is that of the first map, which waits for no other.
 * Leaves to others: to close those that follow; who holds the maps closes each by itself.
 */

import type { Change, Effect } from '../grant/change.ts';
import type { GraceOf } from '../grant/grant-table.ts';
import type { LookupMap } from './map.ts';
import type { Mirror } from './mirror.ts';
import { WrappedMap } from './wrapped-map.ts';

export class MirroredMap extends WrappedMap {
  readonly #mirrors: readonly Mirror[];

  constructor(first: LookupMap, mirrors: readonly Mirror[]) {
    super(first);
    this.#mirrors = mirrors;
  }

  override commit(changes: readonly Change[]): Promise<Effect[]> {
    // Also when the first cannot be written: what it is to lose, the others lose at once.
    const done = this.inner.commit(changes);
    for (const mirror of this.#mirrors) mirror.follow(changes);
    return done;
  }

  setGrace(grace: GraceOf): void {
    this.inner.setGrace?.(grace);
    for (const mirror of this.#mirrors) mirror.setGrace(grace);
  }

  override check(): void {
    for (const mirror of this.#mirrors) mirror.check();
    this.inner.check();
  }
}
