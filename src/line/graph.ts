/**
 * Steps as a graph, through which an automaton goes on all ways at once (automaton.ts).
 */
import type { ByteClass, Step, Steps } from './steps.ts';

export type Node =
  | { readonly kind: 'byte'; readonly set: ByteClass; readonly to: number }
  | { readonly kind: 'split'; readonly to: readonly number[] }
  | { readonly kind: 'refusal'; readonly places: readonly ByteClass[]; readonly to: number }
  /** One byte or more. */
  | { readonly kind: 'address'; readonly set: ByteClass; readonly to: number }
  /** @param alternative which of those that the graph was made of is at its end */
  | { readonly kind: 'end'; readonly alternative: number };

export class Graph {
  readonly nodes: Node[] = [];
  /** Where each alternative begins, in their order. */
  readonly starts: readonly number[];

  constructor(alternatives: readonly Steps[]) {
    this.starts = alternatives.map((steps, alternative) =>
      this.#sequence(steps, this.#add({ kind: 'end', alternative })),
    );
  }

  /** All sets of bytes that matter to it. */
  get sets(): ReadonlySet<ByteClass> {
    return new Set(
      this.nodes.flatMap(node => {
        if (node.kind === 'refusal') return node.places;
        return node.kind === 'byte' || node.kind === 'address' ? [node.set] : [];
      }),
    );
  }

  #add(node: Node): number {
    return this.nodes.push(node) - 1;
  }

  #sequence(steps: Steps, to: number): number {
    return steps.reduceRight((next, step) => this.#step(step, next), to);
  }

  #step(step: Step, to: number): number {
    switch (step.kind) {
      case 'text':
        return step.text.reduceRight((next, byte) => this.#byte(single(byte), next), to);
      case 'run':
        return this.#run(step.set, step.min, step.max, to);
      case 'refusal':
        return this.#add({ kind: 'refusal', places: step.places, to });
      case 'address':
        return this.#add({ kind: 'address', set: step.set, to });
      case 'choice':
        return this.#add({
          kind: 'split',
          to: step.branches.map(branch => this.#sequence(branch, to)),
        });
    }
  }

  #byte(set: ByteClass, to: number): number {
    return this.#add({ kind: 'byte', set, to });
  }

  #run(set: ByteClass, min: number, max: number, to: number): number {
    let next = to;
    if (max === Number.POSITIVE_INFINITY) {
      const again = this.nodes.length + 1;
      const byte = this.#byte(set, again);
      next = this.#add({ kind: 'split', to: [byte, to] });
    } else {
      for (let more = min; more < max; more++)
        next = this.#add({ kind: 'split', to: [this.#byte(set, next), to] });
    }
    for (let count = 0; count < min; count++) next = this.#byte(set, next);
    return next;
  }
}

const SINGLES = new Map<number, ByteClass>();

function single(byte: number): ByteClass {
  const known =
    SINGLES.get(byte) ?? Uint8Array.from({ length: 256 }, (_, at) => Number(at === byte));
  SINGLES.set(byte, known);
  return known;
}
