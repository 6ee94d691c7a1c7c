/**
 * How long a grant lasts after the latest login: the grace period, which may be another one for some networks.
 *
 * Promises: of the networks that an address lies in, the one with the longest prefix counts; a row of the map needs
 * no more than its stamp, since the grace period is that of its address whenever it is asked for.
 */
import { addressOf, type IpText } from '../base/address.ts';
import { parseDuration } from '../base/duration.ts';
import { failure } from '../base/errors.ts';
import type { Given } from '../base/given.ts';
import { type Network, parseNetwork } from '../base/network.ts';

interface NetworkGrace {
  readonly network: Network;
  /** Seconds. */
  readonly seconds: number;
}

export class Grace {
  /** In seconds, for every address that no network names. */
  readonly standard: number;
  /** The longest prefix first. */
  readonly #networks: readonly NetworkGrace[];

  constructor(standard: number, networks: readonly NetworkGrace[] = []) {
    this.standard = standard;
    this.#networks = networks.toSorted((a, b) => b.network.bits - a.network.bits);
  }

  /** In seconds. */
  of(ip: IpText): number {
    if (this.#networks.length === 0) return this.standard;
    const address = addressOf(ip);
    return (
      this.#networks.find(({ network }) => network.contains(address))?.seconds ?? this.standard
    );
  }

  /** In seconds: a login before that is worth nothing, wherever it came from. */
  get longest(): number {
    return Math.max(this.standard, ...this.#networks.map(({ seconds }) => seconds));
  }

  /** In seconds. */
  get shortest(): number {
    return Math.min(this.standard, ...this.#networks.map(({ seconds }) => seconds));
  }

  /** The same text for the same periods: `900`, `900 10.0.0.0/8=3600`. */
  toString(): string {
    const entries = this.#networks.map(({ network, seconds }) => `${network}=${seconds}`);
    return [this.standard, ...entries].join(' ');
  }
}

/**
 * @param options.grace seconds, for every address that no network names
 * @param options.graceFor entries as `parseGraceFor` takes them
 * @throws Failure GRACE_FOR, DURATION
 */
export const graceOf = ({
  grace,
  graceFor,
}: {
  readonly grace: number;
  readonly graceFor: Given<readonly string[]> | null;
}): Grace => new Grace(grace, graceFor === null ? [] : parseGraceFor(graceFor));

/**
 * Reads entries `NETWORK=DURATION`, such as `192.0.2.0/24=2h`.
 *
 * IPv4-mapped networks mean the IPv4 network, since no address is looked up in mapped form.
 *
 * @throws Failure GRACE_FOR, DURATION
 */
export function parseGraceFor({ value, origin }: Given<readonly string[]>): NetworkGrace[] {
  const known = new Set<string>();
  return value.map(entry => {
    const [, text = '', duration = ''] = /^([^=]*)=(.*)$/.exec(entry) ?? [];
    const parsed = parseNetwork(text);
    if ('problem' in parsed) {
      throw failure('GRACE_FOR', { origin, entry, problem: `"${text}": ${parsed.problem}` });
    }
    const network = parsed.network.folded();
    if (known.has(network.toString())) {
      throw failure('GRACE_FOR', { origin, entry, problem: 'the network stands there twice' });
    }
    known.add(network.toString());
    return { network, seconds: parseDuration(duration, `${origin}: ${entry}`) };
  });
}
