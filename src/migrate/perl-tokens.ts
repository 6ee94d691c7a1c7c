/**
 * Perl as a row of tokens: enough of it to tell where each statement of a configuration file ends, and to read plain values.
 *
 * Nothing is run.  Promises: any text gives tokens, each with its line; comments and POD are gone (perlpod(1): a line that begins with `=`
 * and a letter begins it, `=cut` as well, and the next line that begins with `=cut` ends it; seen with Perl 5.36, and
 * the configuration of pop-before-smtp 1.42 switches its parts off this way); what is after `__END__` is no code.
 * A text that ends inside a quote gives a last token of the kind `torn`: from there on nothing is known.
 * Known limit: whether a slash divides or begins an expression is told by the token before it, as editors do.
 */

export type Token =
  /** The value of a quote in which nothing is put in place of anything. */
  | { readonly kind: 'text'; readonly value: string; readonly line: number }
  | { readonly kind: 'number'; readonly value: number; readonly line: number }
  /** The words of `qw( )`. */
  | { readonly kind: 'words'; readonly value: readonly string[]; readonly line: number }
  /** `$name`, `@name`, `%name`, with its package when it has one. */
  | { readonly kind: 'variable'; readonly value: string; readonly line: number }
  | { readonly kind: 'word' | 'symbol'; readonly value: string; readonly line: number }
  /** A quote whose value depends on something, or an expression. */
  | { readonly kind: 'opaque' | 'torn'; readonly value: string; readonly line: number };

const SPACE = /[ \t\r\f]+/y;
const POD = /=[A-Za-z]/y;
const VARIABLE = /[$@%](?:::)?[A-Za-z_]\w*(?:::\w+)*/y;
/** `$_`, `$1`, `$0`, `$!`, `$#x` and the like, which no setting is. */
const SPECIAL = /\$#\w*|\$\$(?!\w)|[$@](?:\d+|\^\w|[^\s\w{($;])/y;
const WORD = /[A-Za-z_]\w*(?:(?:::|')[A-Za-z_]\w*)*/y;
const NUMBER = /\d[\d_]*(?:\.\d+)?/y;
const HEREDOC = /<<~?(?:'([^'\n]*)'|"([^"\n]*)"|([A-Za-z_]\w*))/y;
/** With two parts behind them, and with one. */
const QUOTE_WORDS = new Set(['q', 'qq', 'qw', 'qr', 'm', 's', 'tr', 'y']);
const TWO_PARTS = new Set(['s', 'tr', 'y']);
const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}', '<': '>' };
/** Behind these a word is a name. */
const NAMED_BEHIND: ReadonlySet<unknown> = new Set(['sub', '>', '-']);
/** Behind these words an expression may begin. */
const BEFORE_EXPRESSION = new Set([
  ...['if', 'unless', 'while', 'until', 'and', 'or', 'not', 'split', 'grep', 'map', 'return', 'x'],
]);

export function perlTokens(text: string): Token[] {
  return new Lexer(text).tokens();
}

class Lexer {
  readonly #text: string;
  readonly #found: Token[] = [];
  #at = 0;
  #line = 1;
  /** Where the text of a heredoc begins that has been named on this line. */
  #pending: string[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  tokens(): Token[] {
    while (this.#at < this.#text.length && this.#step());
    return this.#found;
  }

  /** @returns false at the end of the code */
  #step(): boolean {
    const character = this.#text[this.#at] ?? '';
    if (character === '\n') return this.#newLine();
    if (this.#take(SPACE) !== null) return true;
    if (character === '#') return this.#skipTo('\n');
    if (this.#isLineStart() && this.#looksAt(POD)) return this.#skipPod();
    return this.#quoteOrRest(character);
  }

  #quoteOrRest(character: string): boolean {
    if (character === "'") return this.#push('text', singleQuoted(this.#delimited("'")));
    if (character === '"') return this.#pushDouble(this.#delimited('"'));
    if (character === '`') return this.#push('opaque', this.#delimited('`'));
    if (character === '/' && this.#mayBeginExpression())
      return this.#push('opaque', this.#delimited('/'));
    const heredoc = this.#mayBeginExpression() ? this.#match(HEREDOC) : null;
    if (heredoc !== null) {
      this.#pending.push(heredoc[1] ?? heredoc[2] ?? heredoc[3] ?? '');
      return this.#push('opaque', heredoc[0]);
    }
    return this.#plain(character);
  }

  #plain(character: string): boolean {
    const variable = this.#take(VARIABLE);
    if (variable !== null) return this.#push('variable', variable);
    const special = this.#take(SPECIAL);
    if (special !== null) return this.#push('opaque', special);
    const number = this.#take(NUMBER);
    if (number !== null) return this.#pushNumber(number);
    const word = this.#take(WORD);
    if (word !== null) return this.#word(word);
    this.#at++;
    return this.#push('symbol', character);
  }

  #word(word: string): boolean {
    if (word === '__END__' || word === '__DATA__') return false;
    // A key of a hash is a name, whatever it is called, and so are a function, a method and a file test (`-s`).
    const before = this.#last()?.value;
    const isName = this.#looksAt(/\s*(?:=>|\})/y) || NAMED_BEHIND.has(before);
    if (!QUOTE_WORDS.has(word) || isName || !this.#looksAt(/\s*[^\s\w,;)=]|=[^=>~]/y))
      return this.#push('word', word);
    return this.#quoteLike(word);
  }

  #quoteLike(word: string): boolean {
    this.#take(/\s*/y);
    const open = this.#text[this.#at] ?? '';
    const first = this.#delimited(open);
    if (TWO_PARTS.has(word) && first !== null) {
      const again = CLOSING[open] === undefined ? open : this.#nextOpen();
      if (CLOSING[open] === undefined) this.#at--;
      if (this.#delimited(again) === null) return this.#push('torn', word);
    }
    if (word !== 'qw' && word !== 'q' && word !== 'qq') this.#take(/[a-z]*/y);
    if (first === null) return this.#push('torn', word);
    if (word === 'qw') return this.#pushWords(first);
    if (word === 'q') return this.#push('text', singleQuoted(first));
    if (word === 'qq') return this.#pushDouble(first);
    return this.#push('opaque', word);
  }

  #nextOpen(): string {
    this.#take(/\s*/y);
    return this.#text[this.#at] ?? '';
  }

  /** What stands between a delimiter and the one that closes it; null when none does.  Goes behind it. */
  #delimited(open: string): string | null {
    const close = CLOSING[open] ?? open;
    let depth = 1;
    const start = this.#at + 1;
    for (let at = start; at < this.#text.length; at++) {
      const character = this.#text[at];
      if (character === '\\') at++;
      else if (character === close) depth--;
      else if (character === open) depth++;
      if (depth === 0) {
        this.#advance(at + 1);
        return this.#text.slice(start, at);
      }
    }
    this.#at = this.#text.length;
    return null;
  }

  #push(kind: Exclude<Token['kind'], 'number' | 'words'>, value: string | null): boolean {
    if (value === null) this.#found.push({ kind: 'torn', value: '', line: this.#line });
    else this.#found.push({ kind, value, line: this.#line });
    return value !== null && kind !== 'torn';
  }

  #pushNumber(text: string): boolean {
    this.#found.push({ kind: 'number', value: Number(text.replaceAll('_', '')), line: this.#line });
    return true;
  }

  #pushWords(text: string): boolean {
    this.#found.push({ kind: 'words', value: text.split(/\s+/).filter(Boolean), line: this.#line });
    return true;
  }

  /** With a variable, or an escape that is more than the character behind it, its value is not plain. */
  #pushDouble(text: string | null): boolean {
    if (text === null) return this.#push('torn', null);
    const isPlain = !/(?<!\\)(?:\\\\)*[$@]|\\[^\\"$@]/.test(text);
    return isPlain ? this.#push('text', text.replace(/\\(.)/gs, '$1')) : this.#push('opaque', text);
  }

  #newLine(): boolean {
    this.#at++;
    this.#line++;
    for (const end of this.#pending.splice(0)) {
      const found = new RegExp(`^[ \\t]*${escaped(end)}[ \\t]*$`, 'm').exec(
        this.#text.slice(this.#at),
      );
      if (found === null) return this.#push('torn', null);
      this.#advance(this.#at + found.index + found[0].length);
    }
    return true;
  }

  #skipPod(): boolean {
    const rest = this.#text.slice(this.#at + 1);
    const found = /^=cut\b.*$/m.exec(rest);
    this.#advance(
      found === null ? this.#text.length : this.#at + 1 + found.index + found[0].length,
    );
    return true;
  }

  #skipTo(text: string): boolean {
    const found = this.#text.indexOf(text, this.#at);
    this.#advance(found < 0 ? this.#text.length : found);
    return true;
  }

  #advance(to: number): void {
    for (let at = this.#at; at < to; at++) if (this.#text[at] === '\n') this.#line++;
    this.#at = to;
  }

  #isLineStart(): boolean {
    return this.#at === 0 || this.#text[this.#at - 1] === '\n';
  }

  #last(): Token | undefined {
    return this.#found.at(-1);
  }

  #mayBeginExpression(): boolean {
    const last = this.#last();
    if (last === undefined) return true;
    if (last.kind === 'symbol') return !')]}'.includes(last.value);
    return last.kind === 'word' && (BEFORE_EXPRESSION.has(last.value) || last.value === 'eval');
  }

  #looksAt(expression: RegExp): boolean {
    expression.lastIndex = this.#at;
    return expression.test(this.#text);
  }

  #match(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.#at;
    const found = expression.exec(this.#text);
    if (found !== null) this.#advance(this.#at + found[0].length);
    return found;
  }

  #take(expression: RegExp): string | null {
    const found = this.#match(expression)?.[0] ?? '';
    return found === '' ? null : found;
  }
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

const singleQuoted = (text: string | null): string | null =>
  text?.replace(/\\([\\'])/g, '$1') ?? null;
