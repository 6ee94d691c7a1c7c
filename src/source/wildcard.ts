/**
 * Paths with wildcards, as a shell has them (glob(7)): `*` and `?`, `[a-z]` and `[!a-z]`, within one name of the path.
 *
 * Promises: a backslash takes the meaning of the character behind it; a name that begins with a dot is matched by a dot only;
 * a bracket that is not closed stands for itself.  To match a name takes time of the order of its length times that of
 * the wildcard.  Pure.
 * Not known: `**`, which is `*`, and braces.
 */

type Token =
  | { readonly kind: 'character'; readonly character: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'some' }
  | {
      readonly kind: 'set';
      readonly isNegated: boolean;
      readonly ranges: readonly (readonly [string, string])[];
    };

/** One name of a path: itself, or what other names are matched with. */
export type Segment = string | readonly Token[];

export interface Wildcard {
  /** As it was written. */
  readonly text: string;
  readonly isAbsolute: boolean;
  readonly segments: readonly Segment[];
}

/** Whether any character of a path may be a wildcard. */
export const mayBeWildcard = (text: string): boolean => /[*?[]/.test(text);

export function parseWildcard(text: string): Wildcard {
  const names = text.split('/').filter(name => name !== '');
  return { text, isAbsolute: text.startsWith('/'), segments: names.map(segmentOf) };
}

/** The path that a text without a wildcard names, once what was quoted is itself; null for a wildcard. */
export function literalPath({ isAbsolute, segments }: Wildcard): string | null {
  const names = segments.filter(segment => typeof segment === 'string');
  return names.length === segments.length ? (isAbsolute ? '/' : '') + names.join('/') : null;
}

/** Whether a path is of those that a wildcard stands for. */
export function matchesPath({ isAbsolute, segments }: Wildcard, path: string): boolean {
  const names = path.split('/').filter(name => name !== '');
  return (
    isAbsolute === path.startsWith('/') &&
    names.length === segments.length &&
    segments.every((segment, index) => matchesName(segment, names[index] ?? ''))
  );
}

export function matchesName(segment: Segment, name: string): boolean {
  if (typeof segment === 'string') return segment === name;
  const [first] = segment;
  const beginsWithDot = first?.kind === 'character' && first.character === '.';
  return (beginsWithDot || !name.startsWith('.')) && matches(segment, [...name]);
}

function segmentOf(name: string): Segment {
  const tokens = tokensOf([...name]);
  const isLiteral = tokens.every(({ kind }) => kind === 'character');
  return isLiteral
    ? tokens.map(token => (token.kind === 'character' ? token.character : '')).join('')
    : tokens;
}

function tokensOf(characters: readonly string[]): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? '';
    const set = character === '[' ? setAt(characters, at) : null;
    if (set !== null) {
      tokens.push(set.token);
      at = set.end;
    } else if (character === '*') tokens.push({ kind: 'some' });
    else if (character === '?') tokens.push({ kind: 'any' });
    else if (character === '\\' && at + 1 < characters.length)
      tokens.push({ kind: 'character', character: characters[++at] ?? '' });
    else tokens.push({ kind: 'character', character });
  }
  return tokens;
}

/** A set that begins at a bracket, and where it ends; null where the bracket is not closed. */
function setAt(characters: readonly string[], open: number): { token: Token; end: number } | null {
  let at = open + 1;
  const isNegated = characters[at] === '!' || characters[at] === '^';
  if (isNegated) at++;
  const ranges: [string, string][] = [];
  // A bracket that closes is a member when it comes first.
  for (const start = at; at < characters.length; at++) {
    if (characters[at] === ']' && at > start)
      return { token: { kind: 'set', isNegated, ranges }, end: at };
    if (characters[at] === '\\') at++;
    const low = characters[at];
    const high = characters[at + 2];
    if (low === undefined) return null;
    if (characters[at + 1] === '-' && high !== undefined && high !== ']') {
      ranges.push([low, high]);
      at += 2;
    } else ranges.push([low, low]);
  }
  return null;
}

/** Where a `*` has matched too little, only the last one can have to match more. */
function matches(tokens: readonly Token[], name: readonly string[]): boolean {
  let token = 0;
  let at = 0;
  let last: { readonly token: number; at: number } | null = null;
  while (at < name.length) {
    const current = tokens[token];
    if (current?.kind === 'some') last = { token: token++, at };
    else if (current !== undefined && matchesOne(current, name[at] ?? '')) {
      token++;
      at++;
    } else if (last !== null) {
      at = ++last.at;
      token = last.token + 1;
    } else return false;
  }
  return tokens.slice(token).every(({ kind }) => kind === 'some');
}

function matchesOne(token: Token, character: string): boolean {
  switch (token.kind) {
    case 'character':
      return token.character === character;
    case 'any':
      return true;
    case 'some':
      return false;
    case 'set':
      return (
        token.isNegated !==
        token.ranges.some(([low, high]) => low <= character && character <= high)
      );
  }
}
