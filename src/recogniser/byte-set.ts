/**
 * Sets of bytes: what one place of an expression may stand for.
 *
 * Lines are latin1 strings, so that a character is a byte and a set is 256 bits.
 */

/** Bit n is set when byte n is a member. */
export type ByteSet = bigint;

export const NO_BYTE: ByteSet = 0n;
export const ANY_BYTE: ByteSet = (1n << 256n) - 1n;

export const single = (code: number): ByteSet => 1n << BigInt(code);

/** @param last included */
export function range(first: number, last: number): ByteSet {
  return (1n << BigInt(last + 1)) - (1n << BigInt(first));
}

const bytesOf = (text: string): ByteSet =>
  [...text].reduce((set, character) => set | single(character.charCodeAt(0)), NO_BYTE);

/** `\d` */
export const DIGITS = range(48, 57);
/** `\w`: without the flag u, ASCII only (ECMAScript, WordCharacters). */
export const WORD = DIGITS | range(65, 90) | range(97, 122) | bytesOf('_');
/** What the text of an address is made of. */
export const ADDRESS = DIGITS | range(65, 70) | range(97, 102) | bytesOf(':.');
/** Words, numbers, versions: what a server puts together itself, with no separator in it. */
export const PLAIN = WORD | bytesOf('.-');

export const without = (set: ByteSet, other: ByteSet): ByteSet => set & ~other;

/** The lowest member; 255 when there is none. */
export function lowest(set: ByteSet): number {
  let code = 0;
  while (code < 255 && (set & single(code)) === NO_BYTE) code++;
  return code;
}

/** The lowest member as it is shown to people. */
export function sample(set: ByteSet): string {
  const code = lowest(set);
  if (code === 32) return 'blank';
  if (code > 32 && code < 127) return `"${String.fromCharCode(code)}"`;
  return `byte \\x${code.toString(16).padStart(2, '0')}`;
}
