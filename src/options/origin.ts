/**
 * Where a value was given, as errors begin with it, and as data.
 *
 * Promises: what is written here is read here: `--grace` for the command line, `FILE:LINE: KEY` for a file, and anything else for a
 * default.
 */

/** A key in a configuration file. */
export interface FilePlace {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

export const fileOrigin = ({ file, line, key }: FilePlace & { readonly key: string }): string =>
  `${file}:${line}: ${key}`;

export type Origin =
  | { readonly from: 'flag' }
  | ({ readonly from: 'file' } & FilePlace)
  | { readonly from: 'default' };

export function originOf(text: string): Origin {
  if (text.startsWith('--')) return { from: 'flag' };
  const { file, line } = /^(?<file>.*):(?<line>\d+): [\w-]+$/s.exec(text)?.groups ?? {};
  if (file === undefined || line === undefined) return { from: 'default' };
  return { from: 'file', file, line: Number(line) };
}
