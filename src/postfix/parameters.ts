/** Parameters as `postconf` prints them. */

/** Reads lines of `name = value`; a parameter that this Postfix does not know has none. */
export function parseParameters(output: string): Map<string, string> {
  const lines = output.matchAll(/^(\S+) = ?(.*)$/gm);
  return new Map(Array.from(lines, ([, name = '', value = '']) => [name, value]));
}
