/**
 * A table of a pattern file whose values are asked for by key and kind.
 *
 * Promises: a key that is not known, is missing or has a value of another kind is an error that names the
 * file and the line.  The TOML parser tells lines only of syntax errors, so the line of a key is looked for in the
 * text: behind the table's header, the first line that begins with the key.
 * Known limit: where no such line is found (a table written inline, a quoted key), it is the header's.
 */
import { parse, TomlError, type TomlTable as Values } from 'smol-toml';
import { type Failure, failure } from '../base/errors.ts';

/** Which table of a file: the top one, or the one that has this header for the index-th time. */
interface Place {
  readonly header: string;
  readonly index: number;
}

export class TomlTable {
  readonly #path: string;
  readonly #text: string;
  readonly #values: Values;
  readonly #place: Place | null;

  private constructor(path: string, text: string, values: Values, place: Place | null) {
    this.#path = path;
    this.#text = text;
    this.#values = values;
    this.#place = place;
  }

  /**
   * The top table of a file.
   *
   * @throws Failure PATTERN_SYNTAX
   */
  static parse(path: string, text: string): TomlTable {
    try {
      return new TomlTable(path, text, parse(text), null);
    } catch (error) {
      if (!(error instanceof TomlError)) throw error;
      const problem = error.message.split('\n', 1)[0] ?? '';
      throw failure(
        'PATTERN_SYNTAX',
        { file: path, line: error.line, problem, hint: 'fix the TOML' },
        error,
      );
    }
  }

  /** @throws Failure PATTERN_SYNTAX if there is a key that is not among them */
  allow(known: readonly string[]): void {
    for (const key of Object.keys(this.#values)) {
      if (!known.includes(key))
        throw this.error(key, `unknown key "${key}"`, `the keys are ${known.join(', ')}`);
    }
  }

  has(key: string): boolean {
    return this.#values[key] !== undefined;
  }

  /** Whether a key is there; it can only be true. @throws Failure PATTERN_SYNTAX */
  flag(key: string): boolean {
    const value = this.#values[key];
    if (value !== undefined && value !== true) throw this.#wrong(key, 'true, or leave it out');
    return value === true;
  }

  /** @throws Failure PATTERN_SYNTAX */
  string(key: string): string {
    const value = this.#values[key];
    if (typeof value !== 'string') throw this.#wrong(key, 'a text');
    return value;
  }

  /** A list of texts with at least one, or a single text for a list of one. @throws Failure PATTERN_SYNTAX */
  strings(key: string): string[] {
    const value = this.#values[key];
    const list = typeof value === 'string' ? [value] : Array.isArray(value) ? value : [];
    const texts = list.filter(item => typeof item === 'string');
    if (texts.length === 0 || texts.length < list.length) throw this.#wrong(key, 'a list of texts');
    return texts;
  }

  /** A whole number from 1 to a bound, or null if the key is absent. @throws Failure PATTERN_SYNTAX */
  number(key: string, most: number): number | null {
    const value = this.#values[key];
    if (value === undefined) return null;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > most)
      throw this.#wrong(key, `a whole number from 1 to ${most}`);
    return value;
  }

  /** A list of whole numbers from 0 to a bound, with at least one. @throws Failure PATTERN_SYNTAX */
  numbers(key: string, most: number): number[] {
    const value = this.#values[key];
    const list: unknown[] = Array.isArray(value) ? value : [];
    const numbers = list.filter(item => typeof item === 'number');
    const fits = (item: number): boolean => Number.isInteger(item) && item >= 0 && item <= most;
    if (numbers.length === 0 || numbers.length < list.length || !numbers.every(fits))
      throw this.#wrong(key, `a list of whole numbers up to ${most}`);
    return numbers;
  }

  /** The table headed `[key]`, or null if there is none. @throws Failure PATTERN_SYNTAX */
  table(key: string): TomlTable | null {
    const value = this.#values[key];
    if (value === undefined) return null;
    if (typeof value !== 'object' || Array.isArray(value) || value instanceof Date)
      throw this.#wrong(key, `a table headed [${key}]`);
    return this.#inner(value, { header: `[${key}]`, index: 0 });
  }

  /** The tables headed `[[key]]`, none if there are none. @throws Failure PATTERN_SYNTAX */
  tables(key: string): TomlTable[] {
    return this.#list(key, `a table headed [[${key}]]`).map((values, index) =>
      this.#inner(values, { header: `[[${key}]]`, index }),
    );
  }

  /** The inline tables of a list, none if the key is absent. @throws Failure PATTERN_SYNTAX */
  list(key: string, wanted: string): Readonly<Record<string, unknown>>[] {
    return this.#list(key, wanted);
  }

  /** What is wrong at a key of this table, as a Failure to throw. */
  error(key: string, problem: string, hint: string): Failure {
    return failure('PATTERN_SYNTAX', { file: this.#path, line: this.#lineOf(key), problem, hint });
  }

  #inner(values: Values, place: Place): TomlTable {
    return new TomlTable(this.#path, this.#text, values, place);
  }

  #list(key: string, wanted: string): Values[] {
    const value = this.#values[key] ?? [];
    if (!Array.isArray(value)) throw this.#wrong(key, wanted);
    return value.map(item => {
      if (typeof item !== 'object' || Array.isArray(item) || item instanceof Date)
        throw this.#wrong(key, wanted);
      return item;
    });
  }

  #wrong(key: string, wanted: string): Failure {
    const absent = this.#values[key] === undefined;
    return absent
      ? this.error(key, `"${key}" is missing`, `add it: ${wanted}`)
      : this.error(key, `"${key}" has the wrong type`, `write ${wanted}`);
  }

  /** Counted from 1. */
  #lineOf(key: string): number {
    const lines = this.#text.split('\n').map(line => line.trim());
    const headers = lines.flatMap((line, index) => (isHeader(line) ? [index] : []));
    const start = this.#headerOf(lines, headers);
    const end = headers.find(index => index > start) ?? lines.length;
    const found = lines
      .slice(start + 1, end)
      .findIndex(line => line.startsWith(key) && /^\s*=/.test(line.slice(key.length)));
    return found < 0 ? Math.max(start + 1, 1) : start + found + 2;
  }

  /** The index of the line that heads this table; -1 for the top one. */
  #headerOf(lines: readonly string[], headers: readonly number[]): number {
    const place = this.#place;
    if (place === null) return -1;
    return headers.filter(index => headed(lines[index], place.header))[place.index] ?? -1;
  }
}

const isHeader = (line: string): boolean => /^\[\[?[\w.-]+\]\]?\s*(?:#.*)?$/.test(line);

const headed = (line: string | undefined, header: string): boolean =>
  line?.replace(/\s*#.*$/, '') === header;
