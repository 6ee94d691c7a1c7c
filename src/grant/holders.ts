/**
 * Whose the grants are, and which is to go when there are too many: one of whoever has most.
 *
 * A grant counts for the user who logged in, where the log names him, and an IPv6 one for the /64 as well, since its
 * client may take any address there; an IPv4 address has one grant at most.
 * Promises: a grant goes only if its user has as many as any user, or its /64 has as many as any and more than twice as
 * many as any user: so that an account goes before its neighbours in the network from which it fills the table, and a
 * network with many accounts goes before everybody else.  A grant that several users share counts for the one who has
 * fewest, so that nobody makes another's grant one of his many.  Each step is O(1) amortised.
 */
import type { IpText } from '../base/address.ts';
import { type AddressKey, ipOf } from '../base/address-key.ts';
import { subnetOf } from '../base/subnet.ts';
import { NONE } from './lists.ts';
import { Shares } from './shares.ts';

/** Where a grant stands among those of its user, and of its network; NONE for nobody's, and for an IPv4 address. */
export interface Held {
  readonly user: number;
  readonly network: number;
}

export class Holders {
  readonly #users = new Shares();
  readonly #networks = new Shares();

  /** What is to go next; undefined when nobody has more than one. */
  get next(): AddressKey | undefined {
    const [ofUser, ofNetwork] = [this.#users.most, this.#networks.most];
    if (Math.max(ofUser, ofNetwork) < 2) return undefined;
    return 2 * ofUser >= ofNetwork ? this.#users.next : this.#networks.next;
  }

  /** The addresses whose grants count for a user. */
  ofUser(user: string): IpText[] {
    return Array.from(this.#users.of(folded(user)), ipOf);
  }

  /** @param user null when he is not known */
  add(key: AddressKey, ip: IpText, user: string | null): Held {
    return {
      user: user === null ? NONE : this.#users.add(folded(user), key),
      network: typeof key === 'number' ? NONE : this.#networks.add(subnetOf(ip), key),
    };
  }

  /** Where a grant stands that this user has a share in as well. */
  share(key: AddressKey, held: Held, user: string): Held {
    const name = folded(user);
    if (held.user === NONE) return { ...held, user: this.#users.add(name, key) };
    // Never when it is his already.
    if (this.#users.sizeOf(name) + 1 < this.#users.sizeAt(held.user)) {
      this.#users.move(held.user, name);
    }
    return held;
  }

  /** It was used: of his grants it is the last to go. */
  touch({ user, network }: Held): void {
    if (user !== NONE) this.#users.touch(user);
    if (network !== NONE) this.#networks.touch(network);
  }

  remove({ user, network }: Held): void {
    if (user !== NONE) this.#users.remove(user);
    if (network !== NONE) this.#networks.remove(network);
  }
}

/** Servers that take a name in any case would otherwise give a user a share for each spelling. */
const folded = (user: string): string => user.toLowerCase();
