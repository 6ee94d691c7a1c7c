/**
 * A log line's bytes as people may see them: a stranger's text must not command their terminal, nor fill it.
 */

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * What would move the cursor, colour, hide, or reorder what is read: control and format characters, and the
 * separators of lines (Unicode categories Cc, Cf, Zl, Zp).
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A decoded text with `?` in place of each of those, where it is kept and compared: a user's name. */
export const masked = (text: string): string => text.replace(UNSAFE, '?');

/**
 * @param bytes a character a byte
 * @param most how many characters to show; the rest becomes `…`
 */
export function excerpt(bytes: string, most = Number.POSITIVE_INFINITY): string {
  const characters = [...decoded(bytes)];
  const shown = characters.length > most ? [...characters.slice(0, most - 1), '…'] : characters;
  return shown.join('').replace(UNSAFE, escaped);
}

/** As UTF-8 where it is; otherwise each byte is a character of its own. */
function decoded(bytes: string): string {
  try {
    return UTF8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return bytes;
  }
}

/** `\x1b`, `\u{202e}` */
function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const digits = code.toString(16);
  return code < 0x100 ? `\\x${digits.padStart(2, '0')}` : `\\u{${digits}}`;
}
