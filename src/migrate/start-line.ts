/**
 * A command with which a program is started, once it is known of which words it is.
 *
 * Promises: a word whose value is not known is null; nothing is guessed.
 * Leaves to others: how it is written (shell-reader.ts, unit-reader.ts), and what the options mean.
 */

/** Null when it cannot be told. */
export type Known = string | null;

export interface Word {
  readonly value: Known;
  /** As it is written. */
  readonly text: string;
}

export interface CommandLine {
  readonly line: number;
  /** What is behind the name of the program. */
  readonly words: readonly Word[];
}

/** What starts a program that is named behind it. */
const RUNNERS = new Set([
  ...['daemon', 'exec', 'nice', 'nohup', 'setsid', 'env', 'perl', 'start_daemon', 'startproc'],
  'start-stop-daemon',
]);

export const ASSIGNMENT = /^([A-Za-z_]\w*)=/;

const baseOf = (path: string): string => path.split('/').at(-1) ?? '';

/** Assignments for the command alone may stand before it. */
export function startIn(all: readonly Word[], program: string, line: number): CommandLine | null {
  const isProgram = ({ value }: Word): boolean =>
    value?.startsWith('-') === false && baseOf(value) === program;
  const begin = all.findIndex(({ text }) => !ASSIGNMENT.test(text));
  const words = begin < 0 ? [] : all.slice(begin);
  const first = words[0];
  if (first === undefined) return null;
  if (isProgram(first)) return { line, words: words.slice(1) };
  const runner = baseOf(first.value ?? '');
  if (!RUNNERS.has(runner)) return null;
  const at = words.findIndex(isProgram);
  if (at < 0 || words.some(({ text }) => text === '--stop' || text === '-K')) return null;
  // What is meant for start-stop-daemon itself ends with `--`.
  const options = words.findIndex(({ text }) => text === '--');
  if (runner === 'start-stop-daemon')
    return { line, words: options < 0 ? [] : words.slice(options + 1) };
  return { line, words: words.slice(at + 1) };
}
