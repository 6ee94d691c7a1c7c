/**
 * The command line with which a unit of systemd starts a program, by its `ExecStart=`.
 *
 * Promises: a word with what systemd puts in place of something (`$NAME`, `%i`), or an escape, has no value; nothing is guessed.
 * Known limit: what the unit sets by `Environment=` is not looked up.
 * Source: systemd.syntax(7), continued lines and comments; systemd.service(5), command lines.
 */
import { type CommandLine, startIn, type Word } from './start-line.ts';

export const isUnit = (text: string): boolean => /^\[Service\]\s*$/m.test(text);

/** With the lines that continue it. */
const START = /^ExecStart\s*=\s*[-@:+!|]*((?:.*\\\n(?:\s*[#;].*\n)*)*.*)$/gm;

/** A comment between continued lines is left out. */
const CONTINUED = /\\\n(?:\s*[#;].*\n)*/g;

/** Quotes may stand around a word, or a part of it. */
const WORDS = /(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\s"'])+/g;

/** @returns every start of the program, in their order */
export function readUnit(text: string, program: string): CommandLine[] {
  return [...text.matchAll(START)].flatMap(found => {
    const line = text.slice(0, found.index).split('\n').length;
    const words = (found[1] ?? '').replaceAll(CONTINUED, ' ').match(WORDS) ?? [];
    return startIn(words.map(wordOf), program, line) ?? [];
  });
}

function wordOf(text: string): Word {
  const isPlain = !/[$%\\]/.test(text);
  return { value: isPlain ? text.replace(/"([^"]*)"|'([^']*)'/g, '$1$2') : null, text };
}
