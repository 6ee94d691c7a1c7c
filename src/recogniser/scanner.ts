/**
 * An expression's text with a place in it, and the error that says what is wrong there.
 */

/** What is wrong with an expression, and what to do about it. */
export class ExpressionError extends Error {
  readonly hint: string;

  constructor(problem: string, hint: string) {
    super(problem);
    this.name = 'ExpressionError';
    this.hint = hint;
  }
}

/** Goes through a text from left to right. */
export class Scanner {
  readonly text: string;
  /** The index of the next character. */
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** The next character, which stays; empty at the end. */
  peek(): string {
    return this.text.charAt(this.at);
  }

  /** The next character; empty at the end. */
  next(): string {
    const character = this.peek();
    this.at++;
    return character;
  }

  /** Whether a text comes next; it is passed over then. */
  take(expected: string): boolean {
    const found = this.text.startsWith(expected, this.at);
    if (found) this.at += expected.length;
    return found;
  }

  /** @param at where the fault is, if it is not the next character */
  error(problem: string, hint: string, at = this.at): ExpressionError {
    return new ExpressionError(`${problem}, at character ${at + 1} of the expression`, hint);
  }
}
