/**
 * A Postfix lookup table as the daemon uses it: one interface, one file for each type behind it.
 *
 * Promises, for every type: keys are addresses as Postfix looks them up, values are all digits (the
 * Unix time of the latest login); a row whose value is not all digits belongs to the administrator
 * and is never changed; what a commit reports is in the table, for whoever opens it from then on.
 * Leaves to others: what is granted and until when (grant/), and who may own a map (owner.ts).
 */

import type { EpochSeconds } from '../base/clock.ts';
import type { Change, Effect } from '../grant/change.ts';
import type { GraceOf, Grant } from '../grant/grant-table.ts';
import type { NftName } from './nft-name.ts';

/** A program with its arguments. */
export type Command = readonly [program: string, ...args: string[]];

/** A map as main.cf writes it, `type:path`. */
export interface MapSpec {
  readonly type: string;
  /** The path without the suffix that Postfix adds, such as `.lmdb`. */
  readonly path: string;
  /** The directory of main.cf, for the types that are written with `postmap`; Postfix's default without. */
  readonly config?: string;
  /** The permission bits of its file, where it is written; MAP_MODE (map-mode.ts) without. */
  readonly mode?: number;
  /** What makes its rows known to the program that reads it; for `table:` only. */
  readonly command?: Command;
  /** Where the administrator's own rules are, for the types whose rows have to say them again. */
  readonly rules?: string;
  /** The sets that it is; for `nft:` only, where `path` is only what the files beside it are named by. */
  readonly nft?: NftName;
  /** What its keys and values are; for the maps of sendmail only, PLAIN (makemap-records.ts) without. */
  readonly form?: MakemapForm;
}

/** What sendmail's rulesets look for in a map. */
export interface MakemapForm {
  /** What stands before the address in a key, such as `Connect:`. */
  readonly prefix: string;
  /** The value, such as `RELAY`; null for the time of the login. */
  readonly value: string | null;
}

/** A row as it is in the table; `stamp` is null for a row of the administrator's. */
export interface Row {
  readonly key: string;
  readonly value: string;
  readonly stamp: EpochSeconds | null;
  /** Of the administrator's, whether it lets nobody in who stays, where its value is none of access(5), which would say so. */
  readonly harmless?: true;
}

/** How a map is opened for writing. */
export interface MapOptions {
  /** Puts a fresh, empty table over one that may be torn (owner.ts); only for types whose file can be. */
  readonly fresh?: boolean;
  /** Told when committed rows could not be brought to the disk, and when others may read it no more. */
  readonly warn?: (text: string) => void;
}

export interface LookupMap {
  readonly spec: MapSpec;

  /** Another text for each file that was ever made, also of the same name. */
  readonly identity: string;

  /** All rows as of one moment, after the commits asked for before, in the order of their keys. */
  rows(): Promise<Row[]>;

  /**
   * The grants among the rows, one after the other: a list of a million costs as much memory as they themselves.
   *
   * @param other given the rows that are none
   * @param expected told before, where it is known, about how many there are
   */
  eachGrant(
    take: (grant: Grant) => void,
    other?: (row: Row) => void,
    expected?: (count: number) => void,
  ): Promise<void>;

  /**
   * Makes the changes in the order given, after those of earlier calls.  A long list is made in slices,
   * each in one transaction that readers see at once or not at all, so that no lookup waits long.
   *
   * @returns the effect of each change, in the order given
   * @throws Failure MAP_IO, MAP_PERMISSION, MAP_LOCKED or MAP_REPLACED; the slice that failed, and those after it, are not
   *   made, those before it are, so that the same list may be given again
   */
  commit(changes: readonly Change[]): Promise<Effect[]>;

  /**
   * Takes rows away, whosever they are; one whose value is another by now stays.
   *
   * @returns of each whether it is `removed`, or was `absent`
   * @throws as `commit` does
   */
  remove(rows: readonly Row[]): Promise<Effect[]>;

  /** Says how long a grant lasts, now and from then on, to a map that ends its rows by itself; others have no need of it. */
  setGrace?(grace: GraceOf): void;

  /**
   * Looks whether the table is still the one that was opened.
   *
   * @throws Failure MAP_REPLACED
   */
  check(): void;

  /**
   * Opens the table anew, and makes an empty one if there is none: after MAP_REPLACED, or when writing
   * has failed again and again.
   *
   * @returns the rows that it holds now
   * @throws Failure as opening does
   */
  reopen(): Promise<Row[]>;

  /**
   * Makes durable what was committed, and closes the table; the rows stay.
   *
   * @throws Failure MAP_IO if anything that was ever committed may not be on the disk
   */
  close(): Promise<void>;
}
