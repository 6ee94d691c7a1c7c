/**
 * Tells which of some expressions describes a message, by one look at each of its bytes, whatever their number.
 *
 * Reason: to make a string of each message, and to try one regular expression after the other on it, took half of the time
 * of `match --count`; here a byte costs one look into a table.
 *
 * The table is made as the messages come: a state is all the places in the expressions at which a message that
 * begins so may be, and what there is behind each byte is found out when it comes for the first time.
 *
 * Promises: the number of an expression only where its regular expression (recogniser/expression.ts) describes the message, the ones
 * before it do not, and the text of the address is one, whatever the way through the expression; NONE only where none
 * describes it.  For all else, OPEN: somebody has to look.  Time: a step a byte.  Memory: bounded, MOST_STATES.
 * test/recogniser/automaton.test.ts compares it with the expressions.
 */
import { ADDRESSES } from './address-steps.ts';
import { Graph } from './graph.ts';
import type { ScanMemory } from './scan-memory.ts';
import type { ByteClass, Steps } from './steps.ts';

/** Instead of the number of an expression: none describes the message. */
export const NONE = -1;
/** Instead of the number of an expression: that cannot be told here. */
export const OPEN = -2;

export interface Alternative {
  readonly steps: Steps;
  /** Whether it also counts where it is gone through without an address. */
  readonly mayLackAddress: boolean;
}

/** More are not made; the shipped expressions of a server come to some hundred on a busy host's log. */
const MOST_STATES = 4096;
const FIRST_STATES = 256;
/** An entry of the table has four bytes. */
const ENTRY_BITS = 2;
const ADDRESS: readonly Alternative[] = [{ steps: ADDRESSES, mayLackAddress: true }];
/** Of states: what follows is not known yet; no expression goes on so; there is no room for what follows. */
const UNKNOWN = 0;
const NOWHERE = 1;
const LOST = 2;

/** Of a way through an expression. */
type Address = 'none yet' | 'is one' | 'may be one';

/** A place in an expression, and what is to be known of the way there. */
interface Place {
  readonly node: number;
  readonly address: Address;
  /** The state of what reads addresses, within one; null elsewhere. */
  readonly within: number | null;
  readonly refusals: readonly Refused[];
}

/** What must not go on like this. */
interface Refused {
  readonly node: number;
  /** How much of it has come. */
  readonly count: number;
}

const keyOf = ({ node, address, within, refusals }: Place): string =>
  `${node} ${address} ${within} ${refusals.map(({ node: at, count }) => `${at}:${count}`).join()}`;

export class Automaton {
  readonly #graph: Graph;
  readonly #alternatives: readonly Alternative[];
  /** Reads addresses; null for that one itself. */
  readonly #addresses: Automaton | null;
  /** Which kind each byte is of: all of a kind are the same to it. */
  readonly #kinds: Uint8Array;
  /** How many bits the numbers of these have. */
  readonly #bits: number;
  readonly #memory: ScanMemory;
  /** Where the kinds are in the memory, and the table. */
  readonly #kindsPlace: number;
  #place: number;
  /** The row of the state behind each state and kind of byte. */
  #table: Uint32Array;
  readonly #places: (readonly Place[])[] = [[], [], []];
  readonly #verdicts: number[] = [NONE, NONE, OPEN];
  readonly #numbers = new Map<string, number>();
  readonly #start: number;

  /**
   * @param memory that the messages are in
   * @param addresses null for what reads addresses itself
   */
  constructor(
    alternatives: readonly Alternative[],
    memory: ScanMemory,
    addresses: Automaton | null = new Automaton(ADDRESS, memory, null),
  ) {
    this.#alternatives = alternatives;
    this.#memory = memory;
    this.#addresses = addresses;
    this.#graph = new Graph(alternatives.map(({ steps }) => steps));
    this.#kindsPlace = memory.take(256);
    this.#kinds = memory.bytes(this.#kindsPlace, 256);
    this.#bits = this.#tellKinds();
    this.#place = memory.take(4 * (FIRST_STATES << this.#bits));
    this.#table = memory.numbers(this.#place, FIRST_STATES << this.#bits);
    const starts = this.#graph.starts.map(
      (node): Place => ({ node, address: 'none yet', within: null, refusals: [] }),
    );
    this.#start = this.#stateOf(starts);
  }

  /** All sets of bytes that matter to it. */
  get sets(): ReadonlySet<ByteClass> {
    return new Set([...this.#graph.sets, ...(this.#addresses?.sets ?? [])]);
  }

  get start(): number {
    return this.#start;
  }

  /**
   * @param bytes of a block in the memory
   * @returns the number of the expression that describes them, NONE or OPEN
   */
  match(bytes: Buffer, from: number, end: number): number {
    const memory = this.#memory;
    const kinds = this.#kindsPlace;
    const special = this.#rowOf(LOST);
    const last = bytes.byteOffset + end;
    let at = bytes.byteOffset + from;
    let row = this.#rowOf(this.#start);
    for (;;) {
      row = memory.walk(this.#place, kinds, special, row, at, last);
      if (row > special) return this.verdict(this.#stateIn(row));
      if (row !== UNKNOWN) return row === special ? OPEN : NONE;
      at += memory.walked;
      const state = this.next(this.#stateIn(memory.before), bytes[at - bytes.byteOffset] ?? 0);
      if (state <= LOST) return state === LOST ? OPEN : NONE;
      row = this.#rowOf(state);
      at++;
    }
  }

  /** The state behind one and a byte. */
  next(state: number, byte: number): number {
    const at = (state << this.#bits) | (this.#kinds[byte] ?? 0);
    const known = this.#stateIn(this.#table[at] ?? UNKNOWN);
    if (known !== UNKNOWN) return known;
    const places = this.#places[state] ?? [];
    const next = this.#stateOf(places.flatMap(place => this.#goOn(place, byte)));
    this.#table[at] = this.#rowOf(next);
    return next;
  }

  /** Where a state's row in the table begins, in bytes. */
  #rowOf(state: number): number {
    return state << (this.#bits + ENTRY_BITS);
  }

  #stateIn(row: number): number {
    return row >>> (this.#bits + ENTRY_BITS);
  }

  /** What comes of a message that ends in a state. */
  verdict(state: number): number {
    return this.#verdicts[state] ?? OPEN;
  }

  /** @returns how many bits the numbers of the kinds have */
  #tellKinds(): number {
    const sets = [...this.sets];
    const kinds = new Map<string, number>();
    for (let byte = 0; byte < 256; byte++) {
      const membership = sets.map(set => set[byte]).join('');
      const kind = kinds.get(membership) ?? kinds.size;
      kinds.set(membership, kind);
      this.#kinds[byte] = kind;
    }
    return Math.ceil(Math.log2(Math.max(2, kinds.size)));
  }

  /** Where a byte leads; nowhere, or to one place, or out of an address as well. */
  #goOn({ node: at, address, within, refusals }: Place, byte: number): Place[] {
    const node = this.#graph.nodes[at];
    if (node?.kind !== 'byte' && node?.kind !== 'address') return [];
    const left = node.set[byte] === 1 ? this.#refusalsBehind(refusals, byte) : null;
    if (left === null) return [];
    if (node.kind === 'byte') return [{ node: node.to, address, within: null, refusals: left }];
    const addresses = this.#addresses;
    if (addresses === null) return [];
    const read = addresses.next(within ?? addresses.start, byte);
    const isOne = addresses.verdict(read) >= 0;
    return [
      { node: at, address, within: read, refusals: left },
      {
        node: node.to,
        address: isOne ? 'is one' : 'may be one',
        within: null,
        refusals: left,
      },
    ];
  }

  /** What still must not follow; null if all of a refusal has come. */
  #refusalsBehind(refusals: readonly Refused[], byte: number): readonly Refused[] | null {
    if (refusals.length === 0) return refusals;
    const left: Refused[] = [];
    for (const { node: at, count } of refusals) {
      const node = this.#graph.nodes[at];
      const places = node?.kind === 'refusal' ? node.places : [];
      if (places[count]?.[byte] !== 1) continue;
      if (count + 1 === places.length) return null;
      left.push({ node: at, count: count + 1 });
    }
    return left;
  }

  /** The state of these places, and of all to which they lead without a byte. */
  #stateOf(places: readonly Place[]): number {
    const found = new Map<string, Place>();
    const open = [...places];
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      const key = keyOf(place);
      if (found.has(key)) continue;
      found.set(key, place);
      open.push(...this.#waysFrom(place));
    }
    if (found.size === 0) return NOWHERE;
    const key = [...found.keys()].sort().join();
    return this.#numbers.get(key) ?? this.#add(key, [...found.values()]);
  }

  #waysFrom(place: Place): Place[] {
    const node = this.#graph.nodes[place.node];
    if (node?.kind === 'split') return node.to.map(to => ({ ...place, node: to }));
    if (node?.kind !== 'refusal') return [];
    if (node.places.length === 0) return [];
    const refusals = [...place.refusals, { node: place.node, count: 0 }];
    return [{ ...place, node: node.to, refusals }];
  }

  #add(key: string, places: readonly Place[]): number {
    const state = this.#places.length;
    if (state === MOST_STATES) return LOST;
    if (state + 1 > this.#table.length >> this.#bits) {
      const { length } = this.#table;
      this.#place = this.#memory.take(8 * length);
      const table = this.#memory.numbers(this.#place, 2 * length);
      table.set(this.#table);
      this.#table = table;
    }
    this.#places.push(places);
    this.#verdicts.push(this.#verdictOf(places));
    this.#numbers.set(key, state);
    return state;
  }

  #verdictOf(places: readonly Place[]): number {
    const ends = places.flatMap(({ node: at, address }) => {
      const node = this.#graph.nodes[at];
      return node?.kind === 'end' ? [{ alternative: node.alternative, address }] : [];
    });
    for (const [index, { mayLackAddress }] of this.#alternatives.entries()) {
      const ways = new Set(
        ends.filter(({ alternative }) => alternative === index).map(({ address }) => address),
      );
      if (ways.size === 0) continue;
      if (ways.size > 1 || ways.has('may be one')) return OPEN;
      if (ways.has('is one') || mayLackAddress) return index;
    }
    return NONE;
  }
}
