/**
 * Decides whether an address that logged in may get a grant.
 *
 * Promises: mynetworks first, then the exclusions: neither whom Postfix trusts anyway nor whom nobody
 * should trust gets one; nor does an address of this machine's own or of its way out, which all its clients may have in
 * common, nor one whose row would open other networks.  A table that fails while the daemon runs stops nothing: addresses whose answer
 * hangs on it count as outside mynetworks, and the failure is told once, until it has worked again.
 * Leaves to others: when to load the lists anew; a load that fails leaves the classifier in use as it is.
 */
import { readFileSync } from 'node:fs';
import { addressOf, type IpText } from '../base/address.ts';
import { type NetworkList, parseNetworkList } from '../base/network.ts';
import { opensOtherNetworks } from '../base/partial-address.ts';
import { askMynetworks } from '../postfix/postconf.ts';
import { postmapQuery, type TableQuery } from '../postfix/table-query.ts';
import type { Mynetworks } from './mynetworks.ts';
import { parseGivenMynetworks, parseMynetworks } from './mynetworks-parser.ts';
import { type OwnAddresses, ownAddresses } from './own-addresses.ts';
import { Table } from './table.ts';

/** Why the row of an address would let in others than who has logged in. */
export type Bar = 'own address' | 'gateway' | 'opens other networks';

export type NetworkReason = 'in mynetworks' | 'excluded' | Bar;

export type Verdict =
  | { readonly kind: 'grantable' }
  | { readonly kind: 'ignored'; readonly reason: NetworkReason };

export class Classifier {
  readonly #mynetworks: Mynetworks;
  readonly #exclude: NetworkList;
  readonly #tables: ReadonlyMap<string, Table>;
  readonly #own: () => OwnAddresses;
  readonly #wholeAddresses: boolean;
  /** Postfix's own mynetworks, as it was asked for them; null where somebody else gave them. */
  readonly asked: string | null;

  /**
   * @param warn told of tables that fail
   * @param own the addresses that stand for many, now; none when not given
   * @param wholeAddresses whether Postfix looks up whole addresses only; not so when not given
   */
  constructor(parts: {
    readonly mynetworks: Mynetworks;
    readonly exclude: NetworkList;
    readonly query: TableQuery;
    readonly warn: (text: string) => void;
    readonly own?: () => OwnAddresses;
    readonly wholeAddresses?: boolean;
    readonly asked?: string | null;
  }) {
    const { mynetworks, exclude, query, warn, own, wholeAddresses, asked } = parts;
    this.asked = asked ?? null;
    this.#mynetworks = mynetworks;
    this.#exclude = exclude;
    this.#own = own ?? (() => NOBODY);
    this.#wholeAddresses = wholeAddresses ?? false;
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
    const reason = this.bar(ip);
    return reason === null ? { kind: 'grantable' } : { kind: 'ignored', reason };
  }

  /** Why an address may not have a row, not even one that is there already; null for no reason. */
  bar(ip: IpText): Bar | null {
    const { own, gateways } = this.#own();
    if (own.has(ip)) return 'own address';
    if (gateways.has(ip)) return 'gateway';
    return !this.#wholeAddresses && opensOtherNetworks(ip) ? 'opens other networks' : null;
  }
}

const NOBODY: OwnAddresses = { own: new Set(), gateways: new Set() };

export interface ClassifierSettings {
  /** The list that the user gave, or null to ask postconf. */
  readonly mynetworks: string | null;
  /** Where the user gave it; for postconf's answer the origin is `mynetworks (from postconf)`. */
  readonly mynetworksOrigin: string;
  /** The directory of main.cf, or null for Postfix's default. */
  readonly postfixConfig: string | null;
  readonly exclude: string;
  readonly excludeOrigin: string;
  /** Whether Postfix looks up whole addresses only, so that every address may have a row; not so when left out. */
  readonly wholeAddresses?: boolean;
  /** Whether this machine's own addresses and its gateways are looked for, and refused; not so when left out. */
  readonly refuseOwn?: boolean;
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
  const { mynetworks, asked } = await loadMynetworks(settings);
  const query = postmapQuery(settings.postfixConfig);
  const { warn, wholeAddresses = false } = settings;
  const own = settings.refuseOwn === true ? { own: ownAddresses(warn) } : {};
  const parts = { mynetworks, asked, exclude, query, warn, wholeAddresses, ...own };
  const classifier = new Classifier(parts);
  await classifier.probe();
  return classifier;
}

async function loadMynetworks(
  settings: ClassifierSettings,
): Promise<{ readonly mynetworks: Mynetworks; readonly asked: string | null }> {
  const { mynetworks, mynetworksOrigin, postfixConfig, warn } = settings;
  const readText = (path: string): string => readFileSync(path, 'utf8');
  if (mynetworks !== null) {
    const context = { origin: mynetworksOrigin, readText, warn };
    return { mynetworks: parseGivenMynetworks(mynetworks, context), asked: null };
  }
  const asked = await askMynetworks(postfixConfig, warn);
  const context = { origin: 'mynetworks (from postconf)', readText, warn };
  return { mynetworks: parseMynetworks(asked, context), asked };
}
