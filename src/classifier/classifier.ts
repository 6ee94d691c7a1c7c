/**
 * Decides whether an address that logged in may get a grant.
 *
 * Promises: mynetworks first, then the exclusions: neither whom Postfix trusts anyway nor whom nobody
 * should trust gets one.  A table that fails while the daemon runs stops nothing: addresses whose answer
 * hangs on it count as outside mynetworks, and the failure is told once, until it has worked again.
 * Leaves to others: when to load the lists anew; a load that fails leaves the classifier in use as it is.
 */
import { readFileSync } from 'node:fs';
import { addressOf, type IpText } from '../base/address.ts';
import { type NetworkList, parseNetworkList } from '../base/network.ts';
import { askMynetworks } from '../postfix/postconf.ts';
import { postmapQuery, type TableQuery } from '../postfix/table-query.ts';
import type { Mynetworks } from './mynetworks.ts';
import { parseGivenMynetworks, parseMynetworks } from './mynetworks-parser.ts';
import { Table } from './table.ts';

export type NetworkReason = 'in mynetworks' | 'excluded';

export type Verdict =
  | { readonly kind: 'grantable' }
  | { readonly kind: 'ignored'; readonly reason: NetworkReason };

export class Classifier {
  readonly #mynetworks: Mynetworks;
  readonly #exclude: NetworkList;
  readonly #tables: ReadonlyMap<string, Table>;

  /** @param warn told of tables that fail */
  constructor(parts: {
    readonly mynetworks: Mynetworks;
    readonly exclude: NetworkList;
    readonly query: TableQuery;
    readonly warn: (text: string) => void;
  }) {
    const { mynetworks, exclude, query, warn } = parts;
    this.#mynetworks = mynetworks;
    this.#exclude = exclude;
    this.#tables = new Map(mynetworks.tables.map(name => [name, new Table(name, query, warn)]));
  }

  /** @throws Failure POSTMAP_FAILED if a table of mynetworks cannot be asked */
  async probe(): Promise<void> {
    await Promise.all([...this.#tables.values()].map(table => table.probe()));
  }

  /**
   * Asks the tables for these addresses, before `classify` is called for any of them; the answers are
   * those of the last call.
   *
   * @returns null when there is nothing to ask
   */
  prepare(ips: readonly IpText[]): Promise<void> | null {
    if (this.#tables.size === 0) return null;
    const open = [...new Set(ips)].filter(ip => this.#mynetworks.needsTables(addressOf(ip)));
    if (open.length === 0) return null;
    return Promise.all([...this.#tables.values()].map(table => table.ask(open))).then(
      () => undefined,
    );
  }

  classify(ip: IpText): Verdict {
    const address = addressOf(ip);
    if (
      this.#mynetworks.includes(address, table => this.#tables.get(table)?.answer(ip) ?? 'unknown')
    ) {
      return { kind: 'ignored', reason: 'in mynetworks' };
    }
    if (this.#exclude.contains(address)) return { kind: 'ignored', reason: 'excluded' };
    return { kind: 'grantable' };
  }
}

export interface ClassifierSettings {
  /** The list that the user gave, or null to ask postconf. */
  readonly mynetworks: string | null;
  /** Where the user gave it; for postconf's answer the origin is `mynetworks (from postconf)`. */
  readonly mynetworksOrigin: string;
  /** The directory of main.cf, or null for Postfix's default. */
  readonly postfixConfig: string | null;
  readonly exclude: string;
  readonly excludeOrigin: string;
  /** Told in one line each what does not stop the classifier: warnings of postconf, tables that fail. */
  readonly warn: (text: string) => void;
}

/**
 * Reads both lists and tries each table once.
 *
 * @throws Failure NETWORK_LIST, MYNETWORKS_ENTRY, POSTCONF_MISSING, POSTCONF_FAILED, POSTMAP_FAILED
 */
export async function loadClassifier(settings: ClassifierSettings): Promise<Classifier> {
  const exclude = parseNetworkList(settings.exclude, settings.excludeOrigin);
  const mynetworks = await loadMynetworks(settings);
  const query = postmapQuery(settings.postfixConfig);
  const classifier = new Classifier({ mynetworks, exclude, query, warn: settings.warn });
  await classifier.probe();
  return classifier;
}

async function loadMynetworks(settings: ClassifierSettings): Promise<Mynetworks> {
  const { mynetworks, mynetworksOrigin, postfixConfig, warn } = settings;
  const readText = (path: string): string => readFileSync(path, 'utf8');
  if (mynetworks !== null) {
    return parseGivenMynetworks(mynetworks, { origin: mynetworksOrigin, readText, warn });
  }
  const text = await askMynetworks(postfixConfig, warn);
  return parseMynetworks(text, { origin: 'mynetworks (from postconf)', readText, warn });
}
