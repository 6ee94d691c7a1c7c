/**
 * The command line with which a start script starts a program, read as text and never run.
 *
 * Understood are simple assignments and what is put in place of `$name` and `${name}`; `test` and `[` about files and empty texts, in
 * `if`, `elif`, `&&` and `||`.  Both branches of a condition that is not understood are
 * looked at, and what they assign is not known from then on.
 * Promises: a word whose value is not known is null, with its line and text; nothing is guessed.
 * Leaves to others: what the options mean; whether a file is there is asked through `kindOf`.
 */
import { ASSIGNMENT, type CommandLine, type Known, startIn, type Word } from './start-line.ts';
import { isUnit, readUnit } from './unit-reader.ts';

/** Null for nothing. */
export type PathKind = 'file' | 'directory' | null;

interface Simple {
  readonly words: readonly Word[];
  /** What stands before it: the end of another command, or what makes it depend on that. */
  readonly after: ';' | '&&' | '||';
}

/** @param text a script, or a unit of systemd @returns every start of the program, in their order */
export function readStarts(
  text: string,
  program: string,
  kindOf: (path: string) => PathKind,
): CommandLine[] {
  if (isUnit(text)) return readUnit(text, program);
  return new Script(program, kindOf).read(text);
}

class Script {
  readonly #program: string;
  readonly #kindOf: (path: string) => PathKind;
  readonly #values = new Map<string, Known>();
  /** Of each `if` that is open: whether the branch is taken, and whether one before it was. */
  readonly #branches: { now: boolean | null; before: boolean | null }[] = [];
  /** Another file was read: a variable that is not assigned here may have any value. */
  #sourced = false;

  constructor(program: string, kindOf: (path: string) => PathKind) {
    this.#program = program;
    this.#kindOf = kindOf;
  }

  read(text: string): CommandLine[] {
    const found: CommandLine[] = [];
    let number = 0;
    let joined = '';
    for (const each of text.split('\n')) {
      number++;
      joined += each;
      if (joined.endsWith('\\')) {
        joined = joined.slice(0, -1);
        continue;
      }
      found.push(...this.#line(joined, number));
      joined = '';
    }
    return found;
  }

  #line(text: string, line: number): CommandLine[] {
    const found: CommandLine[] = [];
    // Whether the last command on the line would have succeeded.
    let success: boolean | null = null;
    for (const { words, after } of this.#commands(text)) {
      const runs = combined(this.#isTaken(), runsAfter(after, success));
      success = this.#command(words, runs);
      const start = runs === false ? null : startIn(words, this.#program, line);
      if (start !== null) found.push(start);
    }
    return found;
  }

  /** Whether the code here is run; null when that cannot be told. */
  #isTaken(): boolean | null {
    return this.#branches.reduce<boolean | null>((all, { now }) => combined(all, now), true);
  }

  /** @returns whether it succeeds, or null */
  #command(words: readonly Word[], runs: boolean | null): boolean | null {
    const [first, ...rest] = words;
    switch (first?.text) {
      case undefined:
        return null;
      case 'if': {
        const holds = this.#command(rest, runs);
        this.#branches.push({ now: holds, before: holds });
        return holds;
      }
      case 'elif':
        this.#nextBranch(this.#command(rest, null));
        return null;
      case 'else':
        this.#nextBranch(true);
        return this.#command(rest, this.#isTaken());
      case 'fi':
        this.#branches.pop();
        return null;
      case 'then':
        return this.#command(rest, this.#isTaken());
      case 'while':
      case 'until':
      case 'for':
        this.#branches.push({ now: null, before: null });
        return null;
      case 'done':
        this.#branches.pop();
        return null;
      case 'test':
      case '[':
        return this.#test(rest.filter(({ text }) => text !== ']'));
      case '.':
      case 'source':
        if (runs !== false) this.#sourced = true;
        return null;
      case 'export':
      case 'local':
        return this.#command(rest, runs);
      default:
        return this.#assign(words, runs);
    }
  }

  #nextBranch(holds: boolean | null): void {
    const branch = this.#branches.at(-1);
    if (branch === undefined) return;
    const { before } = branch;
    branch.now = combined(before === null ? null : !before, holds);
    branch.before = before === true || holds === true ? true : before === null ? null : holds;
  }

  /** Only where there is nothing but assignments do they outlive the command. */
  #assign(words: readonly Word[], runs: boolean | null): boolean | null {
    if (!words.every(({ text }) => ASSIGNMENT.test(text))) return null;
    for (const { value, text } of words) {
      const name = ASSIGNMENT.exec(text)?.[1] ?? '';
      if (runs === null) this.#values.set(name, null);
      if (runs === true) this.#values.set(name, value?.slice(name.length + 1) ?? null);
    }
    return true;
  }

  #test(words: readonly Word[]): boolean | null {
    const negated = words[0]?.text === '!';
    const [operator, operand, ...more] = negated ? words.slice(1) : words;
    if (operator === undefined || more.length > 0) return null;
    const value = operand?.value ?? (operand === undefined ? '' : null);
    const holds = value === null ? null : this.#testOne(operator.text, value);
    return holds === null || !negated ? holds : !holds;
  }

  #testOne(operator: string, value: string): boolean | null {
    if (operator === '-n') return value !== '';
    if (operator === '-z') return value === '';
    const kind = this.#kindOf(value);
    if (operator === '-d') return kind === 'directory';
    if (operator === '-e') return kind !== null;
    return operator === '-f' || operator === '-r' || operator === '-x' ? kind === 'file' : null;
  }

  #commands(text: string): Simple[] {
    const commands: Simple[] = [];
    let after: Simple['after'] = ';';
    let words: Word[] = [];
    const end = (next: Simple['after']): void => {
      if (words.length > 0) commands.push({ words, after });
      words = [];
      after = next;
    };
    for (const part of text.match(PARTS) ?? []) {
      if (part.startsWith('#')) break;
      if (part === '&&' || part === '||') end(part);
      else if (/^[;&|()]/.test(part)) {
        // A label of `case`.
        if (part === ')' && commands.length === 0) words = [];
        end(';');
      } else if (!/^\d*[<>]/.test(part)) words.push(...this.#expanded(part));
    }
    end(';');
    return commands;
  }

  /** Without quotes around it, a value is as many words as it has. */
  #expanded(text: string): Word[] {
    const value = this.#valueOf(text);
    const isSplit = /^\$/.test(text) && value !== null;
    if (!isSplit) return [{ value, text }];
    return value
      .split(/\s+/)
      .filter(Boolean)
      .map(each => ({ value: each, text: each }));
  }

  #valueOf(text: string): Known {
    let value: Known = '';
    for (const piece of text.match(PIECES) ?? []) {
      const more = this.#pieceOf(piece);
      value = value === null || more === null ? null : value + more;
    }
    return value;
  }

  #pieceOf(piece: string): Known {
    if (piece.startsWith("'")) return piece.slice(1, -1);
    if (piece.startsWith('"')) return this.#valueOf(piece.slice(1, -1).replaceAll("'", "\\'"));
    if (piece.startsWith('\\')) return piece.slice(1);
    if (/^[$`]/.test(piece)) {
      const [, plain, braced] = /^\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})$/.exec(piece) ?? [];
      const name = plain ?? braced;
      if (name === undefined) return null;
      const known = this.#values.get(name);
      return known === undefined ? (this.#sourced ? null : '') : known;
    }
    return piece;
  }
}

/** Operators, redirections, comments and words, quotes and substitutions included. */
const PARTS =
  /#.*|&&|\|\||\d*[<>]+&?\s*\S+|[;&|()]|(?:\\.|'[^']*'|"(?:\\.|[^"\\])*"|`[^`]*`|\$\([^)]*\)|\$\{[^}]*\}|[^\s;&|()<>'"`\\])+/g;

/** What a word is made of. */
const PIECES =
  /\\.|'[^']*'|"(?:\\.|[^"\\])*"|`[^`]*`|\$\([^)]*\)|\$\{[^}]*\}|\$\w+|\$.?|[^\\'"`$]+/g;

const runsAfter = (after: Simple['after'], success: boolean | null): boolean | null => {
  if (after === ';') return true;
  if (success === null) return null;
  return after === '&&' ? success : !success;
};

/** Both hold. */
function combined(one: boolean | null, other: boolean | null): boolean | null {
  if (one === false || other === false) return false;
  return one === null || other === null ? null : true;
}
