/**
 * One place of an expression: a literal character, `.`, an escape or a class.
 *
 * Promises: the set of bytes is the one that JavaScript gives the same text, without the flags u, v and i.
 */
import {
  ANY_BYTE,
  type ByteSet,
  DIGITS,
  lowest,
  NO_BYTE,
  range,
  single,
  WORD,
  without,
} from './byte-set.ts';
import type { Scanner } from './scanner.ts';

const ESCAPED_CLASSES: Readonly<Record<string, ByteSet>> = {
  d: DIGITS,
  D: without(ANY_BYTE, DIGITS),
  w: WORD,
  W: without(ANY_BYTE, WORD),
};

/**
 * Reads one character, escape or class: what one place of a message may be.
 *
 * @throws ExpressionError
 */
export function readPlace(scanner: Scanner): ByteSet {
  const character = scanner.next();
  switch (character) {
    case '':
      throw scanner.error('the end comes too early', 'complete the group');
    case '.':
      return ANY_BYTE;
    case '\\':
      return readEscape(scanner);
    case '[':
      return readClass(scanner);
    case '^':
    case '$':
      throw scanner.error(
        `"${character}" is not needed`,
        'an expression always describes the whole message, from its first to its last byte',
        scanner.at - 1,
      );
    default:
      if (/[*+?{}\])]/.test(character))
        throw scanner.error(
          `"${character}" stands alone`,
          `write it as \\${character}`,
          scanner.at - 1,
        );
      return single(codeOf(character, scanner));
  }
}

function readEscape(scanner: Scanner): ByteSet {
  const character = scanner.next();
  const known = ESCAPED_CLASSES[character];
  if (known !== undefined) return known;
  if (character === 'x') return single(readHexadecimal(scanner));
  if (character === 's' || character === 'S')
    throw scanner.error(
      `\\${character} takes byte \\xa0, half of the letter à, for a blank`,
      'write a blank as a blank, and "anything else" as [^ ]',
      scanner.at - 2,
    );
  if (!/[!-/:-@[-`{-~]/.test(character))
    throw scanner.error(
      `\\${character} is not known`,
      'see patterns/README.md for what is',
      scanner.at - 2,
    );
  return single(character.charCodeAt(0));
}

function readHexadecimal(scanner: Scanner): number {
  const digits = /^[0-9A-Fa-f]{2}/.exec(scanner.text.slice(scanner.at))?.[0];
  if (digits === undefined) throw scanner.error('\\x lacks its two digits', 'write it as \\xe9');
  scanner.at += 2;
  return Number.parseInt(digits, 16);
}

/** The rest of `[…]`. */
function readClass(scanner: Scanner): ByteSet {
  const negated = scanner.take('^');
  let set = NO_BYTE;
  while (!scanner.take(']')) set |= readMembers(scanner);
  return negated ? without(ANY_BYTE, set) : set;
}

/** One member of a class, or a range of them. */
function readMembers(scanner: Scanner): ByteSet {
  const first = readMember(scanner);
  if (scanner.peek() !== '-' || scanner.text.startsWith('-]', scanner.at)) return first;
  scanner.at++;
  const last = readMember(scanner);
  const [low, high] = [lowest(first), lowest(last)];
  if (first !== single(low) || last !== single(high) || low > high)
    throw scanner.error('a range of a class makes no sense', 'write the hyphen last, or as \\-');
  return range(low, high);
}

function readMember(scanner: Scanner): ByteSet {
  if (scanner.peek() === '') throw scanner.error('a class is not closed', 'add the missing "]"');
  const character = scanner.next();
  return character === '\\' ? readEscape(scanner) : single(codeOf(character, scanner));
}

function codeOf(character: string, scanner: Scanner): number {
  const code = character.charCodeAt(0);
  if (code < 0x20 || code > 0x7e)
    throw scanner.error(
      `"${character}" is not printable ASCII`,
      'write each byte of it as the log has it, as \\xHH',
      scanner.at - 1,
    );
  return code;
}
