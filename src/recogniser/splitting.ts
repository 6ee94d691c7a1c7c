/**
 * How a server's own logger tears long lines apart, as its pattern file says it: `splits-at` and `[[whole]]`.
 *
 * Promises: what is read is checked; a sign is told from the message alone, in time that grows with its length.
 * Leaves to others: what a sign leads to (torn-lines.ts).
 * Known limit: a first piece that reads like a whole line is known by its length only, and a transport that takes
 * blanks off the end of a line may have changed that.
 */
import { MAX_LINE } from '../line/length.ts';
import { lowest, single } from './byte-set.ts';
import { parseExpression, type Sequence } from './expression.ts';
import { checkExpression } from './rules.ts';
import { ExpressionError } from './scanner.ts';
import type { TomlTable } from './toml-table.ts';

export interface Splitting {
  /** After how many bytes, the priority word among them, the logger goes on in another line. */
  readonly at: number;
  readonly wholes: readonly Whole[];
}

/** A message that begins so is whole if it ends so. */
export interface Whole {
  readonly begins: string;
  /** The text with which `ends` begins. */
  readonly mark: string;
  /** Describes the message from the last mark on. */
  readonly ends: RegExp;
}

/** The longest priority word that a logger takes off, `DEBUG: ` or `ALERT: `, with room for a second blank. */
const PRIORITY_WORD = 8;
/** No server says so little: it is the end of a line that was cut, or blanks that were taken off. */
const NOTHING = 1;

/** rsyslog, `$RepeatedMsgReduction`, which cuts what it repeats at 800 bytes. */
const REPEATED = /^message repeated \d{1,9} times: \[ ?/;

/** Whether a message is a piece of a longer line for certain, or the first one, behind which others may come. */
export function isSign(message: string, splitting: Splitting): boolean {
  const [repeated = ''] = REPEATED.exec(message) ?? [];
  return repeated === ''
    ? isTorn(message, splitting)
    : isTorn(message.slice(repeated.length, message.endsWith(']') ? -1 : undefined), splitting);
}

/** Where the logger has gone on in another line, the first one is so long. */
export const tornLengths = ({ at }: Splitting): readonly [least: number, most: number] => [
  at - PRIORITY_WORD,
  at,
];

function isTorn(message: string, splitting: Splitting): boolean {
  const { length } = message;
  const [least, most] = tornLengths(splitting);
  const { wholes } = splitting;
  if (length <= NOTHING || (length <= most && length >= least)) return true;
  return wholes.some(whole => message.startsWith(whole.begins) && !endsWhole(message, whole));
}

function endsWhole(message: string, { mark, ends }: Whole): boolean {
  const at = message.lastIndexOf(mark);
  return at >= 0 && ends.test(message.slice(at));
}

/** Null for a server that writes every line as one. @throws Failure PATTERN_SYNTAX */
export function splittingOf(top: TomlTable): Splitting | null {
  const at = top.number('splits-at', MAX_LINE);
  const tables = top.tables('whole');
  if (at !== null) return { at, wholes: tables.map(wholeOf) };
  if (tables.length === 0) return null;
  throw top.error(
    'whole',
    'whole lines of a server that tears none',
    'add splits-at, or take [[whole]] out',
  );
}

function wholeOf(table: TomlTable): Whole {
  table.allow(['begins', 'ends']);
  const begins = table.string('begins');
  const text = table.strings('ends').join('');
  try {
    if (begins === '') throw new ExpressionError('it is empty', 'give the text of its beginning');
    const expression = parseExpression(text);
    checkExpression(expression);
    const mark = textAtStart(expression.sequence);
    if (mark === '')
      throw new ExpressionError(
        'the end of a message that begins with no fixed text',
        'begin it with the text behind which nothing is a stranger’s',
      );
    return { begins, mark, ends: expression.compiled };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw table.error(begins === '' ? 'begins' : 'ends', error.message, error.hint);
  }
}

/** The fixed text with which all that an expression describes begins. */
function textAtStart([part]: Sequence): string {
  if (part?.kind !== 'choice' || part.branches.length !== 1) return '';
  let text = '';
  for (const run of part.branches[0] ?? []) {
    if (run.kind !== 'run' || run.min !== 1 || run.max !== 1) break;
    const code = lowest(run.set);
    if (run.set !== single(code)) break;
    text += String.fromCharCode(code);
  }
  return text;
}
