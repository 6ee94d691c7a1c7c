/**
 * Colours for states, on a terminal that has them.
 *
 * Promises: none for a pipe or a file, for NO_COLOR that is set to anything (no-color.org), nor for TERM=dumb; what is painted is as
 * wide as before.
 * Source: ECMA-48, SGR.
 */
const CODES = { red: 31, green: 32, yellow: 33, cyan: 36, bold: 1, faint: 2 } as const;

export type Colour = keyof typeof CODES;

export type Paint = (text: string, colour: Colour | null) => string;

export const plainPaint: Paint = text => text;

const coloured: Paint = (text, colour) =>
  colour === null ? text : `\x1b[${CODES[colour]}m${text}\x1b[0m`;

/** How to paint what goes to a stream. */
export function paintFor(
  stream: { readonly isTTY?: boolean },
  { NO_COLOR, TERM }: NodeJS.ProcessEnv = process.env,
): Paint {
  const wants = stream.isTTY === true && (NO_COLOR ?? '') === '' && TERM !== 'dumb';
  return wants ? coloured : plainPaint;
}
