/** A value that a user gave, with where he did: every complaint about it has to say so. */
export interface Given<T> {
  readonly value: T;
  /** `--map`, or `/etc/popbsmtp/popbsmtp.toml: map`, or `the default of --map`. */
  readonly origin: string;
}
