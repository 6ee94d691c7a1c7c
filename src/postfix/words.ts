/** Lists as Postfix splits them. */

const SEPARATORS = ' ,\t\r\n';

/** Splits as Postfix's mystrtokq does (src/util/mystrtok.c): at blanks and commas, but not inside braces. */
export function words(text: string): string[] {
  const found: string[] = [];
  let word = '';
  let depth = 0;
  for (const character of text) {
    if (depth === 0 && SEPARATORS.includes(character)) {
      if (word !== '') found.push(word);
      word = '';
      continue;
    }
    if (character === '{') depth++;
    else if (character === '}' && depth > 0) depth--;
    word += character;
  }
  if (word !== '') found.push(word);
  return found;
}
