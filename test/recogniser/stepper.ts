/**
 * A matcher that counts: it walks an expression as a backtracking engine does, greedy, first branch first.
 *
 * It needs no clock to tell a linear expression from another, and no trust in an engine's optimisations.
 */
import { type ByteSet, single } from '../../src/recogniser/byte-set.ts';
import type { Part, Run, Sequence } from '../../src/recogniser/expression.ts';

export interface Walk {
  readonly matches: boolean;
  /** How often a byte of the text was looked at. */
  readonly steps: number;
}

/** Matches the whole of a text of bytes. */
export function walk(sequence: Sequence, text: string): Walk {
  const walker = new Walker(text);
  const matches = walker.sequence(sequence, 0, 0, end => end === text.length);
  return { matches, steps: walker.steps };
}

type Next = (at: number) => boolean;

class Walker {
  steps = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  sequence(parts: Sequence, index: number, at: number, next: Next): boolean {
    const part = parts[index];
    if (part === undefined) return next(at);
    return this.#part(part, at, end => this.sequence(parts, index + 1, end, next));
  }

  #part(part: Part, at: number, next: Next): boolean {
    switch (part.kind) {
      case 'run':
        return this.#run(part, at, next);
      case 'choice':
        return part.branches.some(branch => this.sequence(branch, 0, at, next));
      case 'refusal':
        return !part.places.every((set, offset) => this.#takes(set, at + offset)) && next(at);
    }
  }

  #run({ set, min, max }: Run, at: number, next: Next): boolean {
    let end = at;
    while (end - at < max && this.#takes(set, end)) end++;
    for (; end - at >= min; end--) if (next(end)) return true;
    return false;
  }

  #takes(set: ByteSet, at: number): boolean {
    this.steps++;
    return at < this.#text.length && (set & single(this.#text.charCodeAt(at))) !== 0n;
  }
}
