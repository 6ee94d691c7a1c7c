/**
 * The assignments of a Perl configuration file, read as text and never run.
 *
 * Read are assignments of plain values at the top of the file: numbers, products and sums of them, quotes in which nothing is put in place
 * of anything, such texts joined by a dot; `$name = …`, `$hash{key} = …`, `%hash = (key => …)`.
 * Promises: whatever else there is, is told with its line (`others`), never guessed; an assignment whose value is not plain has none
 * (null).  Code that every such file has since it was shipped with the program (1.20 to 1.42) is known as what it is.
 */
import { excerpt } from '../base/excerpt.ts';
import { perlTokens, type Token } from './perl-tokens.ts';

export type PerlValue = string | number;

export interface Assignment {
  /** Without the sigil: `grace`, `file_tail{name}`. */
  readonly name: string;
  /** Null where it is not plain. */
  readonly value: PerlValue | null;
  readonly line: number;
}

/** A statement that is not understood. */
export interface OtherStatement {
  readonly line: number;
  /** Its beginning. */
  readonly text: string;
  /** All that it speaks of, sigils left out; null where the text is torn, and it may be about anything. */
  readonly names: ReadonlySet<string> | null;
}

export interface PerlFile {
  readonly assignments: readonly Assignment[];
  /** Where the log is looked for when the file that is named is not there, in this order; null without such code. */
  readonly candidates: readonly string[] | null;
  readonly others: readonly OtherStatement[];
}

/** What only says how the file is to be read. */
const PRAGMAS = new Set(['strict', 'vars', 'warnings']);
/** Their statements end with a block. */
const BLOCKS = new Set(['if', 'unless', 'while', 'until', 'for', 'foreach', 'sub', 'BEGIN', 'END']);
const CONTINUES = new Set(['else', 'elsif', 'continue']);

/** Also within a quote, which may be evaluated. */
const NAME = /[A-Za-z_]\w*/g;

const MOST_CHARACTERS = 60;

export function readPerl(text: string): PerlFile {
  const lines = text.split('\n');
  const assignments: Assignment[] = [];
  const others: OtherStatement[] = [];
  let candidates: readonly string[] | null = null;
  for (const statement of statements(perlTokens(text))) {
    const found = candidatesIn(statement);
    const assigned = found === null ? assignmentsIn(statement) : [];
    if (found !== null) candidates = found;
    else if (assigned !== null) assignments.push(...assigned);
    else if (!isKnown(statement)) others.push(otherAt(statement, lines));
  }
  return { assignments, candidates, others };
}

function otherAt(statement: readonly Token[], lines: readonly string[]): OtherStatement {
  const line = statement[0]?.line ?? 1;
  const written = Buffer.from((lines[line - 1] ?? '').trim()).toString('latin1');
  const text = excerpt(written, MOST_CHARACTERS);
  const isTorn = statement.some(({ kind }) => kind === 'torn');
  if (isTorn) return { line, text: `${text} (nothing behind it could be read)`, names: null };
  const names = statement.flatMap(({ value }) => String(value).match(NAME) ?? []);
  return { line, text, names: new Set(names) };
}

/** Each without its semicolon. */
function* statements(tokens: readonly Token[]): Generator<readonly Token[]> {
  let statement: Token[] = [];
  let depth = 0;
  for (const [index, token] of tokens.entries()) {
    if (isSymbol(token, ';') && depth === 0) {
      if (statement.length > 0) yield statement;
      statement = [];
      continue;
    }
    statement.push(token);
    depth += nesting(token);
    if (depth === 0 && isSymbol(token, '}') && endsHere(statement, tokens[index + 1])) {
      yield statement;
      statement = [];
    }
  }
  if (statement.length > 0) yield statement;
}

const OPEN: ReadonlySet<unknown> = new Set(['{', '(', '[']);
const CLOSE: ReadonlySet<unknown> = new Set(['}', ')', ']']);

function nesting({ kind, value }: Token): number {
  if (kind !== 'symbol') return 0;
  return Number(OPEN.has(value)) - Number(CLOSE.has(value));
}

function endsHere([first]: readonly Token[], next: Token | undefined): boolean {
  const isBlock = isSymbol(first, '{') || (first?.kind === 'word' && BLOCKS.has(first.value));
  return isBlock && !(next?.kind === 'word' && CONTINUES.has(next.value));
}

const isSymbol = (token: Token | undefined, value: string): boolean =>
  token?.kind === 'symbol' && token.value === value;

/** Null for a statement that is no assignment of the kinds above. */
function assignmentsIn(statement: readonly Token[]): readonly Assignment[] | null {
  if (statement.some(({ kind }) => kind === 'torn')) return null;
  const own = isWord(statement[0], 'our') || isWord(statement[0], 'local') ? 1 : 0;
  const tokens = statement.slice(own);
  const target = targetOf(tokens);
  if (target === null) return null;
  const { name, line, sigil, end } = target;
  const rest = tokens.slice(end);
  // `our $name;` says only that there is such a variable.
  if (rest.length === 0) return own === 1 ? [] : null;
  if (!isSymbol(rest[0], '=') || isSymbol(rest[1], '=') || isSymbol(rest[1], '~')) return null;
  const values = rest.slice(1);
  if (sigil === '%') return pairsOf(name, values);
  return sigil === '$' ? [{ name, value: plainValue(values), line }] : null;
}

const isWord = (token: Token | undefined, value: string): boolean =>
  token?.kind === 'word' && token.value === value;

interface Target {
  readonly sigil: string;
  readonly name: string;
  readonly line: number;
  /** Tokens that it takes. */
  readonly end: number;
}

function targetOf(tokens: readonly Token[]): Target | null {
  const [variable, open, key, close] = tokens;
  if (variable?.kind !== 'variable') return null;
  const { line } = variable;
  const sigil = variable.value.charAt(0);
  const name = variable.value.slice(1).replace(/^(?:main)?::/, '');
  if (!isSymbol(open, '{')) return { sigil, name, line, end: 1 };
  const isKey = key?.kind === 'text' || key?.kind === 'word';
  if (sigil !== '$' || !isKey || !isSymbol(close, '}')) return null;
  return { sigil, name: `${name}{${key.value}}`, line, end: 4 };
}

/** Of `(key => value, …)`. */
function pairsOf(name: string, tokens: readonly Token[]): readonly Assignment[] | null {
  if (!isSymbol(tokens[0], '(') || !isSymbol(tokens.at(-1), ')')) return null;
  const found: Assignment[] = [];
  for (const pair of splitAt(tokens.slice(1, -1), ',')) {
    const [key, equals, arrow, ...values] = pair;
    const isKey = key?.kind === 'text' || key?.kind === 'word';
    if (!isKey || !isSymbol(equals, '=') || !isSymbol(arrow, '>')) return null;
    found.push({ name: `${name}{${key.value}}`, value: plainValue(values), line: key.line });
  }
  return found;
}

/** Null when it is not plain. */
function plainValue(tokens: readonly Token[]): PerlValue | null {
  if (tokens.length === 0) return null;
  const texts = splitAt(tokens, '.').map(([only, ...more]) =>
    only?.kind === 'text' && more.length === 0 ? only.value : null,
  );
  if (!texts.includes(null)) return texts.join('');
  return sumOf(tokens);
}

function sumOf(tokens: readonly Token[]): number | null {
  const products = splitAt(tokens, '+').map(productOf);
  return products.reduce(
    (sum, product) => (sum === null || product === null ? null : sum + product),
    0,
  );
}

function productOf(tokens: readonly Token[]): number | null {
  const negative = isSymbol(tokens[0], '-');
  const factors = splitAt(negative ? tokens.slice(1) : tokens, '*').map(([only, ...more]) =>
    only?.kind === 'number' && more.length === 0 ? only.value : null,
  );
  const product = factors.reduce(
    (sum, factor) => (sum === null || factor === null ? null : sum * factor),
    negative ? -1 : 1,
  );
  return product;
}

function splitAt(tokens: readonly Token[], symbol: string): readonly (readonly Token[])[] {
  const parts: Token[][] = [[]];
  for (const token of tokens) {
    if (isSymbol(token, symbol)) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  // A comma may stand behind the last one.
  return symbol === ',' && parts.at(-1)?.length === 0 ? parts.slice(0, -1) : parts;
}

/** As tokens are compared: the words of `qw( )` may be any. */
const shapeOf = (tokens: readonly Token[]): string =>
  tokens.map(({ kind, value }) => (kind === 'words' ? 'qw' : String(value))).join(' ');

/** The shipped file looks for the log with this. */
const LOOKS_FOR_LOG = shapeOf(
  perlTokens(`if (!-f $file_tail{'name'}) {
    foreach (qw( )) { if (-f $_) { $file_tail{'name'} = $_; last; } }
  }`),
);

function candidatesIn(statement: readonly Token[]): readonly string[] | null {
  if (shapeOf(statement) !== LOOKS_FOR_LOG) return null;
  const words = statement.find(({ kind }) => kind === 'words');
  return words?.kind === 'words' ? words.value : null;
}

/** The shipped file makes a function of three patterns with this, and does nothing without them. */
const JOINS_PATTERNS = shapeOf(
  perlTokens(
    "if (defined($PID_pat) && defined($IP_pat) && defined($OK_pat)) { eval <<'EOT';\nEOT\n}",
  ),
);

function isKnown(statement: readonly Token[]): boolean {
  const [first, second] = statement;
  if (isWord(first, 'use')) return second?.kind === 'word' && PRAGMAS.has(second.value);
  const isTrue = statement.length === 1 && first?.kind === 'number';
  return isTrue || shapeOf(statement) === JOINS_PATTERNS;
}
