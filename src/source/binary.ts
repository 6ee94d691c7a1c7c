/**
 * Tells what is no text, and so no log: a database, the files of the journal, a log that is packed in an unknown way.
 *
 * Known limits: it goes by the first bytes alone; those of a log whose beginning a power failure or a truncation has
 * filled with NULs are looked at behind these.
 */

/** As many of the first bytes are looked at. */
export const TEXT_HEAD = 8 * 1024;

const NUL = 0;
const BLANK = 32;
/** Tab, line feed, carriage return, and what begins a colour. */
const IN_TEXT: ReadonlySet<number> = new Set([9, 10, 13, 27]);
/** Of all bytes; a tenth of those of packed data are control characters. */
const MOST_CONTROLS = 0.04;

/** @param head the first bytes of what is read, as many as TEXT_HEAD if there are so many */
export function isBinary(head: Buffer): boolean {
  const start = head.findIndex(byte => byte !== NUL);
  if (start < 0) return false;
  const text = head.subarray(start);
  if (text.includes(NUL)) return true;
  const controls = text.filter(byte => byte < BLANK && !IN_TEXT.has(byte)).length;
  return controls > text.length * MOST_CONTROLS;
}
