/**
 * The loops of sieve.ts and automaton.ts, in AssemblyScript: a TypeScript that becomes WebAssembly (`npm run scan`).
 *
 * Reason: with them a log of any size is gone through at a gigabyte a second, 16 bytes at a time where a line's end is
 * looked for, and without the checks of JavaScript's arrays; in JavaScript they took four times as long.  And whatever a log
 * holds, this code can touch nothing but the memory that it is given.
 *
 * All places are offsets in that memory, of which scan-memory.ts tells what is where.
 */

const TAB: u8 = 9;
const NEWLINE: u8 = 10;
const SPACE: u8 = 32;
const DASH: u8 = 45;
const DOT: u8 = 46;
const COLON: u8 = 58;
const LETTER_T: u8 = 84;
const LETTER_Z: u8 = 90;
const OPEN: u8 = 91;
const CLOSE: u8 = 93;

/** As scan-memory.ts has them. */
const CLASSES: usize = 0;
const ANSWER: usize = 256;
const LIMITS: usize = 272;
const SECOND: usize = 288;
const STAMP_LENGTH: usize = 292;
const STAMP: usize = 296;
const SEEN: usize = 8192;
const LEVELS: usize = 16384;
const FIRST: usize = 24576;
const SLOTS: u32 = 4096;
/** All lines of a tag are let through. */
const ALL: u32 = 0xffff;

const HOST: u8 = 1;
const TAG: u8 = 2;
const MAX_TOKEN: usize = 64;
const MAX_PID: usize = 10;
const ISO_LENGTH: usize = 19;
const MOST_ISO: usize = 40;
const DAY_LENGTH: usize = 10;
const CLASSIC_LENGTH: usize = 15;
const OFFSET_LENGTH: usize = 6;
const MAX_FRACTION: usize = 9;
/** `[ID `, as a number in this order of bytes. */
const ID: u32 = 0x2044495b;

/** As spans.ts has them. */
const SPAN_BYTES: usize = 9 * 4;
const WHOLE: i32 = -1;
const STRANGER: i32 = -2;

/** What there is of a program: scan-memory.ts has the same order; offsets in bytes, of numbers of 32 bits. */
const HASH: usize = 0;
const NAME: usize = 4;
const NAME_LENGTH: usize = 8;
const NEXT: usize = 12;
const PROGRAM_BYTES: usize = 16;

/** As automaton.ts has them. */
const OPEN_EXPRESSION: i32 = -2;

/** Whether the bytes are a stamp of the common shape in every byte; if so it is the known one from now on. */
declare function isStamp(from: usize, to: usize): bool;

/** Which expression of a program describes a message; a matcher's number. */
declare function match(program: i32, message: usize, to: usize): i32;

/** The last tag that was looked at. */
let tag: usize = 0;
let tagEnd: usize = 0;
let hash: u32 = 0;
let host: usize = 0;

function at(place: usize): u8 {
  return load<u8>(place);
}

function isDigit(byte: u8): bool {
  return byte >= 48 && byte <= 57;
}

function isDay(place: usize): bool {
  return at(place + 4) === DASH && at(place + 7) === DASH;
}

function step(before: u32, byte: u8): u32 {
  return (before ^ byte) * 16777619;
}

/** Where the line ends that goes on there; it does end. */
function lineEnd(from: usize): usize {
  const newline = i8x16.splat(NEWLINE);
  let place = from;
  let found = i8x16.bitmask(i8x16.eq(v128.load(place), newline));
  while (found === 0) {
    place += 16;
    found = i8x16.bitmask(i8x16.eq(v128.load(place), newline));
  }
  return place + ctz(found);
}

/** Behind `2026-11-23T00:53:00`, its fraction and its zone: no blank, and a digit or Z before the one that ends it; else 0. */
function isoEnd(from: usize): usize {
  if (!isDigit(at(from)) || at(from + 13) !== COLON || at(from + 16) !== COLON) return 0;
  for (let place = from + ISO_LENGTH; place < from + MOST_ISO; place++) {
    if (at(place) !== SPACE) continue;
    return isDigit(at(place - 1)) || at(place - 1) === LETTER_Z ? place + 1 : 0;
  }
  return 0;
}

/** Where the host begins behind a stamp that looks like one of the two common shapes, else 0. */
function hostStart(from: usize): usize {
  if (isDay(from) && at(from + 10) === LETTER_T) return isoEnd(from);
  // `Mar 22 11:03:29 `: blanks and colons where they must be, a letter first.
  const letter = at(from);
  const isCommon =
    at(from + 3) === SPACE &&
    at(from + 6) === SPACE &&
    at(from + 9) === COLON &&
    at(from + 12) === COLON &&
    at(from + 15) === SPACE;
  return isCommon && letter >= 65 && letter <= 90 && isDigit(at(from + 14)) ? from + 16 : 0;
}

/** Where the tag begins behind a plain host, else 0; a level there would move both by a place, as a day would. */
function tagStart(from: usize): usize {
  let place = from;
  let name: u32 = 0;
  for (let byte = at(place); (at(CLASSES + byte) & HOST) !== 0; byte = at(place)) {
    name = step(name, byte);
    place++;
  }
  if (place === from || at(place) !== SPACE || place - from > MAX_TOKEN) return 0;
  // Some hosts whose hash is a level's by half are left to the parser as well.
  if ((at(LEVELS + ((name & 0xffff) >> 3)) & ((<u8>1) << (<u8>(name & 7)))) !== 0) return 0;
  return place - from === DAY_LENGTH && isDay(from) ? 0 : place + 1;
}

/** Behind the `:` or `[pid]:` that ends the tag, else 0. */
function behindTag(end: usize): usize {
  if (at(end) === COLON) return end + 1;
  if (at(end) !== OPEN) return 0;
  let place = end + 1;
  while (isDigit(at(place))) place++;
  const length = place - end - 1;
  const ends = length > 0 && length <= MAX_PID && at(place) === CLOSE && at(place + 1) === COLON;
  return ends ? place + 2 : 0;
}

/** Behind the tag of a line of the common shape, of which the parts are noted, else 0. */
function behindPrefix(from: usize, to: usize): usize {
  host = hostStart(from);
  tag = host === 0 ? 0 : tagStart(host);
  if (tag === 0 || isDay(tag)) return 0;
  tagEnd = tag;
  hash = 0;
  for (let byte = at(tagEnd); (at(CLASSES + byte) & TAG) !== 0; byte = at(tagEnd)) {
    hash = step(hash, byte);
    tagEnd++;
  }
  if (tagEnd === tag || tagEnd - tag > MAX_TOKEN) return 0;
  const behind = behindTag(tagEnd);
  return behind > to ? 0 : behind;
}

/** Whether the bytes of two places are the same. */
function isSame(one: usize, other: usize, length: usize): bool {
  let index: usize = 0;
  for (; index + 8 <= length; index += 8)
    if (load<u64>(one + index) !== load<u64>(other + index)) return false;
  for (; index < length; index++) if (at(one + index) !== at(other + index)) return false;
  return true;
}

/** The number of the program whose tag it is, else -1. */
function programOf(programs: usize): i32 {
  let number: u32 = load<u16>(FIRST + ((hash & (SLOTS - 1)) << 1));
  while (number !== 0) {
    const program = programs + <usize>(number - 1) * PROGRAM_BYTES;
    const length: usize = load<u32>(program + NAME_LENGTH);
    if (load<u32>(program + HASH) === hash && length === tagEnd - tag)
      if (isSame(load<u32>(program + NAME), tag, length)) return number - 1;
    number = load<u32>(program + NEXT);
  }
  return -1;
}

function isBlank(byte: u8): bool {
  return byte === SPACE || byte === TAB;
}

/** Where the message begins, or 0 where Solaris' id may stand before it. */
function messageStart(behind: usize): usize {
  const message = isBlank(at(behind)) ? behind + 1 : behind;
  const id = isBlank(at(message)) ? message + 1 : message;
  return load<u32>(id) === ID ? 0 : message;
}

/** Whether a stamp is the known one but for the fraction, which must be one. */
function isKnownStamp(from: usize, to: usize): bool {
  const known: usize = load<u32>(STAMP_LENGTH);
  if (known === 0) return false;
  if (known === CLASSIC_LENGTH) return to - from === known && isSame(STAMP, from, known);
  const zone: usize = at(STAMP + known - 1) === LETTER_Z ? 1 : OFFSET_LENGTH;
  if (to - from < ISO_LENGTH + zone || !isSame(STAMP, from, ISO_LENGTH)) return false;
  if (!isSame(STAMP + known - zone, to - zone, zone)) return false;
  const digits = to - zone - from - ISO_LENGTH;
  if (digits === 0) return true;
  if (at(from + ISO_LENGTH) !== DOT || digits < 2 || digits > 1 + MAX_FRACTION) return false;
  for (let place = from + ISO_LENGTH + 1; place < to - zone; place++)
    if (!isDigit(at(place))) return false;
  return true;
}

/** Whether the next line under the tag is one of those that are looked at (sampling.ts). */
function isSample(): bool {
  const first = load<u32>(LIMITS, 4);
  const some = load<u32>(LIMITS, 8);
  const slot = SEEN + ((hash & (SLOTS - 1)) << 1);
  const count: u32 = load<u16>(slot);
  if (count === ALL) return true;
  const isNext = count + 1 === first + some;
  store<u16>(slot, <u16>(isNext ? first : count + 1));
  return count < first || isNext;
}

/** Writes where a line stands, and whose it is. */
function writeLine(span: usize, line: i32, from: usize, to: usize, program: i32): void {
  store<i32>(span, line);
  store<i32>(span, <i32>from, 4);
  store<i32>(span, <i32>to, 8);
  store<i32>(span, program, 12);
  store<i32>(span, 0, 16);
  store<i32>(span, 0, 20);
  store<i32>(span, 0, 24);
  store<i32>(span, 0, 28);
  store<i32>(span, OPEN_EXPRESSION, 32);
}

/** Writes the parts of a program's line, of which the tag was looked at last; nothing when the prefix is none after all. */
function writeParts(
  span: usize,
  block: usize,
  from: usize,
  to: usize,
  behind: usize,
  program: i32,
): void {
  const message = messageStart(behind);
  if (message === 0) return;
  if (!isKnownStamp(from, host - 1) && !isStamp(from, host - 1)) return;
  store<i32>(span, program, 12);
  store<i32>(span, <i32>(host - block), 16);
  store<i32>(span, <i32>(tagEnd - block), 20);
  store<i32>(span, <i32>(message - block), 24);
  store<i32>(span, load<i32>(SECOND), 28);
  store<i32>(span, match(program, message, to), 32);
}

/** Writes a span for a line that is not another program's for certain, or one of those that are looked at. @returns whether it is */
function takeLine(
  span: usize,
  line: i32,
  block: usize,
  from: usize,
  to: usize,
  isSampling: bool,
  programs: usize,
): bool {
  const behind = behindPrefix(from, to);
  const program = behind === 0 ? -1 : programOf(programs);
  if (behind !== 0 && program < 0) {
    if (!isSampling || !isSample()) return false;
    writeLine(span, line, from - block, to - block, STRANGER);
    return true;
  }
  writeLine(span, line, from - block, to - block, WHOLE);
  if (program >= 0) writeParts(span, block, from, to, behind, program);
  return true;
}

/**
 * Walks the lines of a block, and writes a span for each that is not another program's for certain.
 *
 * @param block of which the spans count the places
 * @param end where a line ends
 * @param isSampling whether some lines of other programs are let through
 * @returns the number of lines gone through; as the answer the number of those that are too long, and where the next begins
 */
export function scan(
  block: usize,
  start: usize,
  end: usize,
  spans: usize,
  capacity: i32,
  isSampling: bool,
  programs: usize,
): i32 {
  const longest: usize = load<u32>(LIMITS);
  const first = spans + 4;
  const last = first + <usize>capacity * SPAN_BYTES;
  let lines = 0;
  let tooLong = 0;
  let from = start;
  let span = first;
  while (from < end && span < last) {
    const to = lineEnd(from);
    if (to - from > longest) {
      tooLong++;
      writeLine(span, lines, from - block, from - block, WHOLE);
      span += SPAN_BYTES;
    } else if (takeLine(span, lines, block, from, to, isSampling, programs)) span += SPAN_BYTES;
    lines++;
    from = to + 1;
  }
  store<i32>(spans, <i32>((span - first) / SPAN_BYTES));
  store<i32>(ANSWER, tooLong);
  store<i32>(ANSWER, <i32>(from - block), 4);
  return lines;
}

/**
 * Goes from row to row of an automaton's table as far as it tells.
 *
 * A row is known by its place in the table, in bytes, so that one byte waits for no more than one look into memory.
 *
 * @param kinds of each byte, which number it has in a row
 * @returns the row at the end, or the first up to `special`; as the answer the place and the row where that was
 */
export function walk(
  table: usize,
  kinds: usize,
  special: u32,
  first: u32,
  start: usize,
  end: usize,
): u32 {
  let row = first;
  for (let place = start; place < end; place++) {
    const next = load<u32>(table + row + ((<usize>load<u8>(kinds + at(place))) << 2));
    if (next <= special) {
      store<i32>(ANSWER, <i32>(place - start));
      store<u32>(ANSWER, row, 4);
      return next;
    }
    row = next;
  }
  return row;
}
