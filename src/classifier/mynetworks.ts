/**
 * Postfix's mynetworks as a list of entries, and whether an address is in it.
 *
 * Promises: what Postfix 3.7 decides (match_list(3), src/util/match_list.c): entries are asked from the
 * left, and the first that matches decides.
 * Leaves to others: the grammar (mynetworks-parser.ts), the tables' answers (postmap.ts).
 */
import type { Address } from '../base/address.ts';
import type { Network } from '../base/network.ts';

/** What a table says of an address; `unknown` when it could not be asked. */
export type TableAnswer = 'found' | 'absent' | 'unknown';

/** `included` is false after an odd number of exclamation marks: what matches is then not in the list. */
export type Entry = { readonly included: boolean } & (
  | { readonly kind: 'network'; readonly network: Network }
  | { readonly kind: 'table'; readonly table: string }
);

export class Mynetworks {
  readonly entries: readonly Entry[];

  constructor(entries: readonly Entry[]) {
    this.entries = entries;
  }

  /** The tables that entries name, `type:path` each, none twice. */
  get tables(): string[] {
    const named = this.entries.flatMap(entry => (entry.kind === 'table' ? [entry.table] : []));
    return [...new Set(named)];
  }

  /** Whether the networks before the first table leave the answer for this address open. */
  needsTables(address: Address): boolean {
    let needed = false;
    this.includes(address, () => {
      needed = true;
      return 'unknown';
    });
    return needed;
  }

  /**
   * Whether the address is in mynetworks.
   *
   * An unknown answer ends the search with no, whatever follows: Postfix itself would answer 451, and
   * a grant that was not needed does no harm, while a missing one keeps a user from sending.
   */
  includes(address: Address, ask: (table: string) => TableAnswer): boolean {
    for (const entry of this.entries) {
      const answer = entry.kind === 'table' ? ask(entry.table) : contains(entry.network, address);
      if (answer === 'unknown') return false;
      if (answer === 'found') return entry.included;
    }
    return false;
  }
}

function contains(network: Network, address: Address): TableAnswer {
  return network.contains(address) ? 'found' : 'absent';
}
