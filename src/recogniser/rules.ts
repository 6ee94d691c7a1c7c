/**
 * What every expression must keep to, checked when its file is loaded.
 *
 * 1. A run ends by itself: it must not be able to take the byte that follows it.  So there is only one way
 *    in which a run can match, nothing taken is ever given back, and the time to match grows with the
 *    length of the line and no faster, whatever the line holds.
 * 2. What ends a text that an outsider may choose, before the address, must not come again in a run behind
 *    the address.  The server writes that end behind the text in every line; if an imitation inside the text
 *    ended it early (`x, ip=[192.0.2.1]`), the true end stands further right, where nothing takes it, and
 *    the line is none.  A run is taken for such a text unless it is plain: letters, digits, `_`, `.`, `-`, or what
 *    an address is made of.  The same holds for `(?<tls>…)`, which is a fixed text, so that nobody can put it there.
 * 3. The ways through alternatives are bounded, since each might be walked; a text that tells them apart,
 *    as in all shipped expressions, leaves one.
 *
 * Known limit of rule 2: literal text behind the address is not looked at, so an expression that spells out
 * `, ip=[…]` a second time there is the author's own fault; the injection samples of a file are to show it.
 */
import {
  ADDRESS,
  type ByteSet,
  lowest,
  NO_BYTE,
  PLAIN,
  sample,
  single,
  without,
} from './byte-set.ts';
import type { Choice, Expression, Part, Run, Sequence } from './expression.ts';
import { ExpressionError } from './scanner.ts';

/** Fourteen things that may be left out; to walk all those ways through a line takes milliseconds. */
const MOST_WAYS = 2 ** 14;

/** A choice, or a run that may be longer than one byte, and the bytes that may follow it. */
interface Place {
  readonly part: Run | Choice;
  readonly next: ByteSet;
}

interface RunInPlace extends Place {
  readonly part: Run;
}

const isRun = (place: Place): place is RunInPlace => place.part.kind === 'run';

/** Whether no outsider's text is looked for in a run. */
const isOurs = ({ set }: Run): boolean =>
  without(set, PLAIN) === NO_BYTE || without(set, ADDRESS) === NO_BYTE;

/** @throws ExpressionError */
export function checkExpression({
  sequence,
  address,
  tls,
}: Pick<Expression, 'sequence' | 'address' | 'tls'>): void {
  if (waysThrough(sequence) > MOST_WAYS)
    throw new ExpressionError(
      `there are more than ${MOST_WAYS} ways through its alternatives`,
      'make it several expressions',
    );
  const places = [...placesOf(sequence, NO_BYTE)];
  for (const place of places) if (isRun(place)) checkEnd(place);
  if (tls !== null) checkText(tls);
  checkMark(places, address, '{ip}');
  checkMark(places, tls, '(?<tls>…)');
}

/** Rule 2, for a part whose true place in the line matters. */
function checkMark(places: readonly Place[], mark: Run | Choice | null, name: string): void {
  const at = places.findIndex(({ part }) => part === mark);
  for (const before of places.slice(0, Math.max(at, 0)).filter(isRun)) {
    for (const behind of places.slice(at + 1).filter(isRun)) checkTail(before, behind, name);
  }
}

/** What marks an encrypted connection is a text, or one of several, and never nothing. */
function checkText({ branches }: Choice): void {
  const isFixed = (part: Part): boolean =>
    part.kind === 'run' && part.max === 1 && part.set === single(lowest(part.set));
  if (branches.every(branch => branch.length > 0 && branch.every(isFixed))) return;
  throw new ExpressionError(
    '(?<tls>…) holds more than a text',
    'write (?<tls>TLS)? for a text that may stand there, or (?<tls>ssl|starttls)?',
  );
}

/** Rule 1. */
function checkEnd({ part: run, next }: RunInPlace): void {
  const taken = run.set & next;
  if (run.min === run.max || taken === NO_BYTE) return;
  throw new ExpressionError(
    `the run ${run.text} may take the ${sample(taken)} that can follow it`,
    'take that character out of the run: a run has to end by itself',
  );
}

/** Rule 2. */
function checkTail({ part, next }: RunInPlace, behind: RunInPlace, mark: string): void {
  const taken = behind.part.set & next;
  if (isOurs(part) || taken === NO_BYTE) return;
  throw new ExpressionError(
    `the run ${behind.part.text} behind ${mark} may take the ${sample(taken)} that ends ${part.text}`,
    'take that character out of it: an imitation in the first could be followed by the true end',
  );
}

/** Runs and choices in the order in which they stand; `next` is what may follow the sequence. */
function* placesOf(sequence: Sequence, next: ByteSet): Generator<Place> {
  for (const [index, part] of sequence.entries()) {
    const rest = firstOf(sequence.slice(index + 1), next);
    if (part.kind === 'choice' || (part.kind === 'run' && part.max > 1)) yield { part, next: rest };
    if (part.kind === 'choice') for (const branch of part.branches) yield* placesOf(branch, rest);
  }
}

/** The bytes that a sequence may begin with, or what follows it when it may be empty. */
function firstOf(sequence: Sequence, next: ByteSet): ByteSet {
  let first = NO_BYTE;
  for (const part of sequence) {
    first |= firstOfPart(part);
    if (!mayBeEmpty(part)) return first;
  }
  return first | next;
}

function firstOfPart(part: Part): ByteSet {
  if (part.kind === 'run') return part.set;
  if (part.kind === 'refusal') return NO_BYTE;
  return part.branches.reduce((set, branch) => set | firstOf(branch, NO_BYTE), NO_BYTE);
}

function mayBeEmpty(part: Part): boolean {
  if (part.kind === 'run') return part.min === 0;
  return part.kind === 'refusal' || part.branches.some(branch => branch.every(mayBeEmpty));
}

function waysThrough(sequence: Sequence): number {
  return sequence.reduce((ways, part) => ways * waysThroughPart(part), 1);
}

function waysThroughPart(part: Part): number {
  if (part.kind !== 'choice') return 1;
  return part.branches.reduce((ways, branch) => ways + waysThrough(branch), 0);
}
