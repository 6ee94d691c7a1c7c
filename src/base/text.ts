/**
 * Texts that hold on to nothing else.
 */

const ASCII = /^[ -~]*$/;

/**
 * A copy of a text, for whatever is kept: V8 keeps a text that was cut out of another one, as a field is out of a log
 * line, as a view of the whole, which then stays in memory for as long.
 */
export function ownCopy<T extends string>(text: T): T {
  // The shorter way for nearly all.
  const encoding = ASCII.test(text) ? 'latin1' : 'utf8';
  return Buffer.from(text, encoding).toString(encoding) as T;
}
