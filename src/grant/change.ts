/** What is to become of the rows of a map, and what came of it: all that grants and maps know of each other. */
import type { IpText } from '../base/address.ts';
import type { EpochSeconds } from '../base/clock.ts';

/** A row to write (`stamp` is a time) or to take away (`stamp` is null). */
export interface Change {
  readonly ip: IpText;
  readonly stamp: EpochSeconds | null;
}

/**
 * What a change did: `added` a row that was not there, `renewed` the time of one that was,
 * `removed` one, found it `absent`, or left a `foreign` row of the administrator's alone.
 */
export type Effect = 'added' | 'renewed' | 'removed' | 'absent' | 'foreign';
