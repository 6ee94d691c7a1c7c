/**
 * The language that pattern files write their expressions in: a small part of JavaScript's.
 *
 * Literal characters, `.`, classes, `\d \D \w \W \xHH` and escaped punctuation; `(?:…)`, `|`, `(?<user>…)` and
 * the other fields, `(?<tls>…)` with a text that says that the connection is encrypted, `(?!…)` with a text of fixed length, `{ip}` for an address, and `{ip:port}` for one with a port;
 * `?` behind anything, and `* + {n} {n,} {n,m}` behind a single place only.  The rest is refused: groups that repeat are what backtracks without end,
 * and what this parser does not know the rules of rules.ts could not check.
 *
 * Promises: what it accepts compiles, and its sets of bytes are those of the compiled expression.
 * Leaves to others: whether an expression is safe (rules.ts).
 */
import { ADDRESS, type ByteSet } from './byte-set.ts';
import { readPlace } from './place.ts';
import { type ExpressionError, Scanner } from './scanner.ts';

/** One place that repeats, or does not: `x`, `[^,]*`, `\d{1,5}`, `{ip}`. */
export interface Run {
  readonly kind: 'run';
  readonly set: ByteSet;
  readonly min: number;
  readonly max: number;
  /** As it was written. */
  readonly text: string;
  /** There where it is the address, with or without a port. */
  readonly group?: 'ip';
}

/** One of several sequences; what is optional has the empty one last. */
export interface Choice {
  readonly kind: 'choice';
  readonly branches: readonly Sequence[];
}

/** `(?!…)`: what must not follow, a set for each place. */
export interface Refusal {
  readonly kind: 'refusal';
  readonly places: readonly ByteSet[];
}

/** What an expression may name besides the address. */
export const FIELDS = ['user', 'session', 'port', 'protocol', 'tls'] as const;
export type Field = (typeof FIELDS)[number];
export type Group = Field | 'ip';
/** What they are in a line; undefined where the expression has no such group, or the line nothing in its place. */
export type Fields = Readonly<Record<Group, string | undefined>>;
/** Which group each is, 0 for none. */
export type GroupNumbers = Readonly<Record<Group, number>>;

export type Part = Run | Choice | Refusal;
export type Sequence = readonly Part[];

export interface Expression<F extends string = Field> {
  /** Anchored at both ends.  Its groups have no names: with names a match took twice as long (V8 11.3). */
  readonly compiled: RegExp;
  /** What the groups are, in their order. */
  readonly groups: readonly (F | 'ip' | 'port')[];
  readonly sequence: Sequence;
  /** The part that is `{ip}`, or `{ip:port}`, which is one run: the port is what follows the last colon. */
  readonly address: Run | null;
  /** The part that is `(?<tls>…)`: where it stands in a line, the connection is encrypted. */
  readonly tls: Choice | null;
  /** The part that is `(?<protocol>…)`. */
  readonly protocol: Choice | null;
}

/** `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255` is the longest (INET6_ADDRSTRLEN less its NUL). */
const ADDRESS_SOURCE = '([0-9A-Fa-f:.]{2,45})';

/** How an address is written, with what it stands for, in bytes and as JavaScript's expression. */
interface AddressText {
  readonly text: string;
  readonly min: number;
  readonly max: number;
  readonly source: string;
}

const ADDRESS_TEXTS: readonly AddressText[] = [
  { text: '{ip}', min: 2, max: 45, source: ADDRESS_SOURCE },
  { text: '{ip:port}', min: 4, max: 51, source: String.raw`${ADDRESS_SOURCE}:(\d{1,5})` },
];

/** An expression of a login server's pattern. @throws ExpressionError */
export const parseExpression = (text: string): Expression => parseWithFields(text, FIELDS);

/** @param fields what it may name besides the address @throws ExpressionError */
export function parseWithFields<F extends string>(
  text: string,
  fields: readonly F[],
): Expression<F> {
  const { exchanges, ...parsed } = new Parser(text, fields).parse();
  let source = '';
  let end = 0;
  for (const { at, length, source: other } of exchanges) {
    source += text.slice(end, at) + other;
    end = at + length;
  }
  source += text.slice(end);
  // Flag s: `.` is any byte, carriage return included.
  return { compiled: new RegExp(`^(?:${source})$`, 's'), ...parsed };
}

/** @param groups in their order */
export const groupNumbersOf = (groups: readonly Group[]): GroupNumbers => ({
  ip: groups.indexOf('ip') + 1,
  user: groups.indexOf('user') + 1,
  session: groups.indexOf('session') + 1,
  port: groups.indexOf('port') + 1,
  protocol: groups.indexOf('protocol') + 1,
  tls: groups.indexOf('tls') + 1,
});

/** More than any field has bytes; engines refuse far larger numbers. */
const MOST_TIMES = 1000;
const QUANTIFIER = /(?:[*+?]|\{\d+(?:,\d*)?\})/y;

/** A part of the text that JavaScript writes otherwise. */
interface Exchange {
  readonly at: number;
  readonly length: number;
  readonly source: string;
}

type Parsed<F extends string> = Omit<Expression<F>, 'compiled'> & {
  readonly exchanges: readonly Exchange[];
};

class Parser<F extends string> {
  readonly #scanner: Scanner;
  readonly #fields: readonly F[];
  #address: Run | null = null;
  #tls: Choice | null = null;
  #protocol: Choice | null = null;
  readonly #groups: (F | 'ip' | 'port')[] = [];
  readonly #exchanges: Exchange[] = [];

  constructor(text: string, fields: readonly F[]) {
    this.#scanner = new Scanner(text);
    this.#fields = fields;
  }

  parse(): Parsed<F> {
    const branches = this.#branches();
    if (this.#scanner.peek() !== '')
      throw this.#scanner.error('")" closes nothing', 'write it as \\)');
    const sequence: Sequence = [{ kind: 'choice', branches }];
    return {
      sequence,
      address: this.#address,
      tls: this.#tls,
      protocol: this.#protocol,
      groups: this.#groups,
      exchanges: this.#exchanges,
    };
  }

  #branches(): Sequence[] {
    const branches = [this.#sequence()];
    while (this.#scanner.take('|')) branches.push(this.#sequence());
    return branches;
  }

  #sequence(): Sequence {
    const parts: Part[] = [];
    while (!/^[|)]?$/.test(this.#scanner.peek())) parts.push(this.#part());
    return parts;
  }

  #part(): Part {
    const start = this.#scanner.at;
    const written = ADDRESS_TEXTS.find(({ text }) => this.#scanner.take(text));
    if (written !== undefined) return this.#quantified(this.#ip(written, start), start);
    if (this.#scanner.take('(?:')) return this.#quantified(this.#group(), start);
    if (this.#scanner.take('(?!')) return this.#refusal();
    if (this.#scanner.peek() === '(') return this.#quantified(this.#namedGroup(), start);
    const set = readPlace(this.#scanner);
    return this.#quantified({ kind: 'run', set, min: 1, max: 1, text: '' }, start);
  }

  #ip(written: AddressText, at: number): Run {
    if (this.#address !== null)
      throw this.#scanner.error(
        '{ip} stands twice',
        'describe one expression for each place of {ip}',
      );
    const { text, min, max, source } = written;
    this.#exchanges.push({ at, length: text.length, source });
    this.#groups.push('ip');
    this.#address = { kind: 'run', set: ADDRESS, min, max, text, group: 'ip' };
    if (text === '{ip:port}') this.#name('port');
    return this.#address;
  }

  #group(): Choice {
    const branches = this.#branches();
    if (!this.#scanner.take(')'))
      throw this.#scanner.error('a group is not closed', 'add the missing ")"');
    return { kind: 'choice', branches };
  }

  #namedGroup(): Choice {
    const { at } = this.#scanner;
    const field = this.#fields.find(name => this.#scanner.take(`(?<${name}>`));
    if (field === undefined)
      throw this.#scanner.error(
        `the group "${this.#scanner.text.slice(this.#scanner.at, this.#scanner.at + 8)}" is not known`,
        `the groups are (?:…), (?!…) and ${this.#fields.map(name => `(?<${name}>…)`).join(', ')}; the address is {ip}; a parenthesis is \\(`,
      );
    this.#name(field);
    this.#exchanges.push({ at, length: this.#scanner.at - at, source: '(' });
    const group = this.#group();
    if (field === 'tls') this.#tls = group;
    if (field === 'protocol') this.#protocol = group;
    return group;
  }

  #name(field: F | 'port'): void {
    if (this.#groups.includes(field))
      throw this.#scanner.error(`(?<${field}>…) stands twice`, `name the ${field} once`);
    this.#groups.push(field);
  }

  #refusal(): Refusal {
    const places: ByteSet[] = [];
    while (!this.#scanner.take(')')) {
      if (/[|(*+?{]/.test(this.#scanner.peek()))
        throw this.#scanner.error(
          '(?!…) holds more than a text',
          'write (?!…) for each text on its own',
        );
      places.push(readPlace(this.#scanner));
    }
    return { kind: 'refusal', places };
  }

  /** A part with the quantifier behind it, if there is one. */
  #quantified(part: Run | Choice, start: number): Part {
    QUANTIFIER.lastIndex = this.#scanner.at;
    const quantifier = QUANTIFIER.exec(this.#scanner.text)?.[0] ?? '';
    this.#scanner.at += quantifier.length;
    if (quantifier !== '' && /[*+?]/.test(this.#scanner.peek()))
      throw this.#scanner.error(
        'a quantifier follows another',
        'every run takes as much as it can',
      );
    const whole =
      part.kind === 'run'
        ? { ...part, text: this.#scanner.text.slice(start, this.#scanner.at) }
        : part;
    if (quantifier === '') return part === this.#address ? part : whole;
    if (quantifier === '?') return { kind: 'choice', branches: [[part], []] };
    if (whole.kind === 'choice' || part === this.#address)
      throw this.#scanner.error(
        'a group repeats',
        'only a single place may repeat; write the group out',
      );
    return { ...whole, ...bounds(quantifier, message => this.#scanner.error(message, 'fix it')) };
  }
}

function bounds(
  quantifier: string,
  error: (problem: string) => ExpressionError,
): { min: number; max: number } {
  if (quantifier === '*') return { min: 0, max: Number.POSITIVE_INFINITY };
  if (quantifier === '+') return { min: 1, max: Number.POSITIVE_INFINITY };
  const [min = 0, max = min] = quantifier
    .slice(1, -1)
    .split(',')
    .map(bound => (bound === '' ? Number.POSITIVE_INFINITY : Number(bound)));
  if (max < min || max === 0) throw error(`${quantifier} makes no sense`);
  if (min > MOST_TIMES || (max > MOST_TIMES && Number.isFinite(max)))
    throw error(`${quantifier} is more than ${MOST_TIMES} times`);
  return { min, max };
}
