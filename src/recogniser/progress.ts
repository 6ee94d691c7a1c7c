/**
 * How far an expression describes a message: for people who want to know why a line is no login.
 *
 * Walks the parsed form of the very expression that the daemon matches with, and notes the furthest byte that
 * any way through its alternatives reaches, and what each of those ways wanted there.
 *
 * Relies on the rules of rules.ts: a run cannot take what follows it, so it takes all that it can and gives
 * nothing back; and the ways through the alternatives are bounded.
 */
import { type ByteSet, lowest, NO_BYTE, sample, single } from './byte-set.ts';
import type { Part, Refusal, Run, Sequence } from './expression.ts';

export interface Progress {
  /** Bytes from the message's first one. */
  readonly reached: number;
  /**
   * What the expression wanted there, an entry for each way: a text in quotation marks, a run as it is
   * written, or `the end`; none when it describes the whole message.
   */
  readonly expected: readonly string[];
}

/** @param sequence of an expression that has passed `checkExpression` */
export function progress(sequence: Sequence, message: string): Progress {
  const walker = new Walker(message);
  const matches = walker.walk({ sequence, index: 0, behind: null }, 0);
  const { reached, expected } = walker;
  return matches ? { reached: message.length, expected: [] } : { reached, expected: [...expected] };
}

/** A place in an expression: the parts from `index` on, and then what stands behind their group. */
interface Place {
  readonly sequence: Sequence;
  readonly index: number;
  readonly behind: Place | null;
}

class Walker {
  reached = 0;
  readonly expected = new Set<string>();
  readonly #message: string;

  constructor(message: string) {
    this.#message = message;
  }

  /** Whether the expression from a place on describes the message from a byte on. */
  walk(from: Place, start: number): boolean {
    let place: Place | null = from;
    let at = start;
    for (;;) {
      const part = partAt(place);
      if (place === null || part === null) return this.#end(at);
      if (part.kind === 'choice') return this.#choice(part.branches, following(place), at);
      const end = part.kind === 'run' ? this.#run(part, at, place) : this.#refusal(part, at);
      if (end === null) return false;
      at = end;
      place = following(place);
    }
  }

  #end(at: number): boolean {
    return at === this.#message.length || this.#stop(at, () => 'the end');
  }

  #choice(branches: readonly Sequence[], behind: Place | null, at: number): boolean {
    return branches.some(sequence => this.walk({ sequence, index: 0, behind }, at));
  }

  /** Where the run ends, or null when it is too short. */
  #run({ set, min, max }: Run, at: number, place: Place): number | null {
    let end = at;
    while (end - at < max && end < this.#message.length && this.#isIn(set, end)) end++;
    if (end - at >= min) return end;
    this.#stop(end, () => describePlace(place));
    return null;
  }

  #refusal(part: Refusal, at: number): number | null {
    const { length } = part.places;
    const found =
      at + length <= this.#message.length &&
      part.places.every((set, offset) => this.#isIn(set, at + offset));
    if (!found) return at;
    this.#stop(at, () => `anything but ${quote(part.places.map(byteText).join(''))}`);
    return null;
  }

  #isIn(set: ByteSet, at: number): boolean {
    return (set & single(this.#message.charCodeAt(at))) !== 0n;
  }

  #stop(at: number, wanted: () => string): false {
    if (at > this.reached) this.expected.clear();
    if (at >= this.reached) {
      this.reached = at;
      this.expected.add(wanted());
    }
    return false;
  }
}

/** The part at a place, or the first one behind its group; null at the end of the expression. */
function partAt(place: Place | null): Part | null {
  for (let here = place; here !== null; here = here.behind) {
    const part = here.sequence[here.index];
    if (part !== undefined) return part;
  }
  return null;
}

/** The place behind the part that `partAt` gives. */
function following(place: Place): Place {
  let here = place;
  while (here.index >= here.sequence.length && here.behind !== null) here = here.behind;
  return { ...here, index: here.index + 1 };
}

/** The run at a place as it is written; a literal text with all of it that follows. */
function describePlace(place: Place): string {
  let text = '';
  let here = place;
  for (;;) {
    const part = partAt(here);
    const byte = literalOf(part);
    if (byte === null) return text === '' ? written(part) : quote(text);
    text += byte;
    here = following(here);
  }
}

const written = (part: Part | null): string =>
  part?.kind === 'run' ? part.text || sample(part.set) : '';

function literalOf(part: Part | null): string | null {
  if (part?.kind !== 'run' || part.min !== 1 || part.max !== 1) return null;
  return isOne(part.set) ? byteText(part.set) : null;
}

const isOne = (set: ByteSet): boolean => set !== NO_BYTE && (set & (set - 1n)) === NO_BYTE;

const byteText = (set: ByteSet): string => (isOne(set) ? String.fromCharCode(lowest(set)) : '?');

const quote = (text: string): string => `"${text}"`;
