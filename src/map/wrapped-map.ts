/**
 * A map that is another one, but for what a subclass does otherwise.
 *
 * Leaves to the subclass: how long a grant lasts (`setGrace`), where it wraps a map that ends its rows by itself.
 */
import type { Change, Effect } from '../grant/change.ts';
import type { LookupMap, MapSpec, Row } from './map.ts';

export abstract class WrappedMap<Inner extends LookupMap = LookupMap> implements LookupMap {
  protected readonly inner: Inner;

  /** @param inner open */
  protected constructor(inner: Inner) {
    this.inner = inner;
  }

  get spec(): MapSpec {
    return this.inner.spec;
  }

  get identity(): string {
    return this.inner.identity;
  }

  rows(): Promise<Row[]> {
    return this.inner.rows();
  }

  eachGrant(...what: Parameters<LookupMap['eachGrant']>): Promise<void> {
    return this.inner.eachGrant(...what);
  }

  commit(changes: readonly Change[]): Promise<Effect[]> {
    return this.inner.commit(changes);
  }

  remove(rows: readonly Row[]): Promise<Effect[]> {
    return this.inner.remove(rows);
  }

  check(): void {
    this.inner.check();
  }

  reopen(): Promise<Row[]> {
    return this.inner.reopen();
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
