/**
 * Text as roff input, for the mdoc(7) macros of groff and mandoc.
 *
 * Promises: whatever stands in a text is printed as it stands: no character of it is taken for a request, an escape or
 * a typographic quote, and a hyphen stays the ASCII one, so that what is copied from the page can be typed.  A
 * sentence begins a line of its own, as roff wants.
 * Escapes: groff_char(7) and mandoc_char(7).
 */
import { wrap } from '../../options/running-text.ts';

/** Of the source, before it is escaped; mandoc(1) complains beyond 80. */
const WIDTH = 70;

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\\', '\\e'],
  ['-', '\\-'],
  ["'", '\\(aq'],
  ['`', '\\(ga'],
  ['^', '\\(ha'],
  ['~', '\\(ti'],
  ['"', '\\(dq'],
]);

/** A text in which nothing means anything to roff, but for its place: it may stand in a line or in a macro's argument. */
export function escapeRoff(text: string): string {
  return [...text].map(escapeCharacter).join('');
}

function escapeCharacter(character: string): string {
  const known = ESCAPES.get(character);
  if (known !== undefined) return known;
  if (character >= ' ' && character <= '~') return character;
  const code = character.codePointAt(0) ?? 0;
  return `\\[u${code.toString(16).toUpperCase().padStart(4, '0')}]`;
}

/** A line of text; what would be a request at its beginning is none. */
export function textLine(escaped: string): string {
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

/** Running text; each sentence begins a line. */
export function prose(text: string): string[] {
  return text
    .split(/(?<=[.:?!]) +(?=[A-Z(])/)
    .flatMap(sentence => wrap(sentence, WIDTH).split('\n'))
    .map(line => textLine(line.split(' ').map(word).join(' ')));
}

/** A name is not divided at the end of a line, where it would seem to have another hyphen. */
function word(text: string): string {
  return /\w[-_/:.]\w|(?:^|\W)--\w/.test(text) ? `\\%${escapeRoff(text)}` : escapeRoff(text);
}

/** Lines that are printed as they stand, indented. */
export function literal(lines: readonly string[]): string[] {
  return ['.Bd -literal -offset indent', ...lines.map(line => textLine(escapeRoff(line))), '.Ed'];
}

/** An argument of a macro: one word for roff, and none of its macros. */
export function argument(text: string): string {
  const escaped = escapeRoff(text);
  return `"\\&${escaped}"`;
}
