/**
 * Who still needs POP before SMTP: whoever relays by a grant, against whoever authenticates when he sends, or never sends.
 *
 * Known limits: names are compared as they were logged, without regard to capitals, and to a domain where only one of two has one; who
 * logs in under one name and authenticates under another counts as two.
 */
import type { IpText } from '../base/address.ts';
import type { Need, NeedRow } from './summary-rows.ts';

const NEEDS: readonly Need[] = ['relays', 'authenticates', 'never'];

interface OfUser {
  readonly name: string;
  readonly addresses: Set<IpText>;
  logins: number;
  messages: number;
  authenticated: number;
  last: number;
}

export class Needs {
  /** In lower case, and as each was written. */
  readonly #byUser = new Map<string, OfUser>();
  readonly #byName = new Map<string, OfUser>();

  add(
    {
      ip,
      user,
      last,
    }: Pick<NeedRow, 'last'> & {
      readonly ip: IpText | null;
      readonly user: string | null;
    },
    what: 'logins' | 'messages' | 'authenticated',
    more: number,
  ): void {
    if (user === null && what === 'authenticated') return;
    // A device of which no server logs the user is known by its address.
    const name = user ?? ip ?? '';
    const found = this.#byName.get(name) ?? this.#named(name);
    found[what] += more;
    found.last = Math.max(found.last, last);
    if (ip !== null && what !== 'authenticated') found.addresses.add(ip);
  }

  #named(name: string): OfUser {
    const key = name.toLowerCase();
    const found = this.#byUser.get(key) ?? {
      ...{ name, addresses: new Set<IpText>(), logins: 0, messages: 0, authenticated: 0, last: 0 },
    };
    this.#byUser.set(key, found);
    this.#byName.set(name, found);
    return found;
  }

  rows(): NeedRow[] {
    const rows = [...this.#byUser].flatMap(([key, { name, addresses, ...counts }]) => {
      // Who only ever sends with a password has nothing to do with this.
      if (counts.logins === 0 && counts.messages === 0) return [];
      const authenticated = counts.authenticated + this.#underOtherName(key);
      const need = counts.messages > 0 ? 'relays' : authenticated > 0 ? 'authenticates' : 'never';
      return [
        { user: name, need, addresses: [...addresses], ...counts, authenticated } satisfies NeedRow,
      ];
    });
    return rows.sort(
      (a, b) =>
        NEEDS.indexOf(a.need) - NEEDS.indexOf(b.need) ||
        b.messages - a.messages ||
        b.logins - a.logins,
    );
  }

  /** What a user has sent under the same name with a domain, or without; where only one of both logs in. */
  #underOtherName(key: string): number {
    const at = key.indexOf('@');
    if (at >= 0) {
      const bare = this.#byUser.get(key.slice(0, at));
      return bare !== undefined && bare.logins === 0 ? bare.authenticated : 0;
    }
    let sum = 0;
    for (const [other, { logins, authenticated }] of this.#senders())
      if (other.startsWith(`${key}@`) && logins === 0) sum += authenticated;
    return sum;
  }

  #senders(): Iterable<[string, OfUser]> {
    this.#sending ??= [...this.#byUser].filter(
      ([key, { authenticated }]) => authenticated > 0 && key.includes('@'),
    );
    return this.#sending;
  }

  #sending: [string, OfUser][] | null = null;
}
