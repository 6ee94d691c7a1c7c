/**
 * A map with further ones that follow it.
 *
 * Promises: all that is asked, read and reported is that of the first map, which waits for no other.
 */

import type { Change, Effect } from '../grant/change.ts';
import type { GraceOf } from '../grant/grant-table.ts';
import type { LookupMap, MapSpec, Row } from './map.ts';
import type { Mirror } from './mirror.ts';

export class MirroredMap implements LookupMap {
  readonly #first: LookupMap;
  readonly #mirrors: readonly Mirror[];

  constructor(first: LookupMap, mirrors: readonly Mirror[]) {
    this.#first = first;
    this.#mirrors = mirrors;
  }

  get spec(): MapSpec {
    return this.#first.spec;
  }

  get identity(): string {
    return this.#first.identity;
  }

  rows(): Promise<Row[]> {
    return this.#first.rows();
  }

  eachGrant(...what: Parameters<LookupMap['eachGrant']>): Promise<void> {
    return this.#first.eachGrant(...what);
  }

  remove(rows: readonly Row[]): Promise<Effect[]> {
    return this.#first.remove(rows);
  }

  commit(changes: readonly Change[]): Promise<Effect[]> {
    // Also when the first cannot be written: what it is to lose, the others lose at once.
    const done = this.#first.commit(changes);
    for (const mirror of this.#mirrors) mirror.follow(changes);
    return done;
  }

  setGrace(grace: GraceOf): void {
    this.#first.setGrace?.(grace);
    for (const mirror of this.#mirrors) mirror.setGrace(grace);
  }

  check(): void {
    for (const mirror of this.#mirrors) mirror.check();
    this.#first.check();
  }

  reopen(): Promise<Row[]> {
    return this.#first.reopen();
  }

  /** Who holds the maps closes each by itself. */
  close(): Promise<void> {
    return this.#first.close();
  }
}
