/**
 * Expressions as plain data, which threads can hand on: what an automaton is made of (automaton.ts).
 */

/** A set of bytes: 1 for each that is in it. */
export type ByteClass = Uint8Array;

/** A part of an expression. */
export type Step =
  | { readonly kind: 'text'; readonly text: Uint8Array }
  /** A byte of a set, so many times. */
  | { readonly kind: 'run'; readonly set: ByteClass; readonly min: number; readonly max: number }
  /** Of these places one after the other not all may follow. */
  | { readonly kind: 'refusal'; readonly places: readonly ByteClass[] }
  | { readonly kind: 'choice'; readonly branches: readonly Steps[] }
  /** What may be a client's address: bytes of a set. */
  | { readonly kind: 'address'; readonly set: ByteClass };

export type Steps = readonly Step[];

export const classOf = (has: (byte: number) => boolean): ByteClass =>
  Uint8Array.from({ length: 256 }, (_, byte) => (has(byte) ? 1 : 0));

/** @param characters of ASCII */
export const oneOf = (characters: string): Step => ({
  kind: 'run',
  set: classOf(byte => characters.includes(String.fromCharCode(byte))),
  min: 1,
  max: 1,
});

/** @param written of ASCII */
export const text = (written: string): Step => ({
  kind: 'text',
  text: Buffer.from(written, 'latin1'),
});

export const choice = (...branches: readonly Steps[]): Step => ({ kind: 'choice', branches });
