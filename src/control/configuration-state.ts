/**
 * What a daemon was configured with, against what it would take now: the answer to `configuration`.
 *
 * The daemon compares by itself, since only it knows its command line, and sees files as its account and its sandbox do.
 */

/** What the choice of a log is called, where none is named. */
export const LOG = 'log';

/** A thing that says something else by now. */
export interface SettingChange {
  /** The name of an option; `mynetworks of main.cf`; the file of a pattern; `log` for the one that is chosen where none is named. */
  readonly what: string;
  /** What the daemon runs with, as a user writes it; null for nothing given, or where there is no saying it. */
  readonly running: string | null;
  /** What stands there now; null as before. */
  readonly written: string | null;
  /** What it takes to take effect. */
  readonly takes: 'reload' | 'restart';
}

export interface ConfigurationState {
  /** When it was read last, in ISO 8601. */
  readonly loaded: string;
  readonly changes: readonly SettingChange[];
  /** Why it could not be read now, in one line; null when it could. */
  readonly problem: string | null;
}
