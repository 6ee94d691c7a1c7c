/**
 * Texts that hold on to nothing else.
 */

const ASCII = /^[ -~]*$/;
/** V8 copies what is cut out of a text when it is shorter (SlicedString::kMinLength; V8 9.4 to 13.6). */
const VIEWED_LENGTH = 13;
/** Names and addresses go through the same bytes, one after the other. */
const scratch = Buffer.alloc(1024);

/**
 * A copy of a text, for whatever is kept: V8 keeps a text that was cut out of another one, as a field is out of a log
 * line, as a view of the whole, which then stays in memory for as long.
 */
export function ownCopy<T extends string>(text: T): T {
  if (text.length < VIEWED_LENGTH) return text;
  // The shorter way for nearly all.
  if (text.length <= scratch.length && ASCII.test(text))
    return scratch.toString('latin1', 0, scratch.write(text, 'latin1')) as T;
  return Buffer.from(text).toString() as T;
}
