/**
 * Which rows `popbsmtp list` shows, and in which order.
 *
 * Pure.  Leaves to others: the rows (report/list-rows.ts), and that they come sorted by address.
 */
import { addressOf, canonicalIp } from '../base/address.ts';
import { failure } from '../base/errors.ts';
import { NetworkList, parseNetwork } from '../base/network.ts';
import type { Settings } from '../options/settings.ts';
import type { Listed } from '../report/list-rows.ts';

type Sort = Settings<'list'>['sort'];

/** Null for what makes no difference. */
export interface Choice {
  readonly networks: NetworkList | null;
  readonly user: string | null;
  readonly server: string | null;
}

/**
 * @param operands addresses and networks
 * @throws Failure LIST_OPERAND
 */
export function networksIn(operands: readonly string[]): NetworkList | null {
  if (operands.length === 0) return null;
  return new NetworkList(
    operands.map(operand => {
      const parsed = parseNetwork(operand);
      if ('network' in parsed) return parsed.network.folded();
      throw failure('LIST_OPERAND', { value: operand, problem: parsed.problem });
    }),
  );
}

/** Upper and lower case of names are the same, as for grants. */
export function chosen(rows: readonly Listed[], { networks, user, server }: Choice): Listed[] {
  const wanted = user?.toLowerCase();
  return rows.filter(row => {
    const ip = canonicalIp(row.row.key);
    if (networks !== null && (ip === null || !networks.contains(addressOf(ip)))) return false;
    if (server !== null && row.server !== server) return false;
    return wanted === undefined || row.users.some(one => one.toLowerCase() === wanted);
  });
}

/** Rows that are equal in it stay sorted by address. */
export function sorted(rows: readonly Listed[], sort: Sort): readonly Listed[] {
  switch (sort) {
    case 'address':
      return rows;
    case 'latest':
      return rows.toSorted((a, b) => (b.lastLogin ?? 0) - (a.lastLogin ?? 0));
    case 'end':
      return rows.toSorted((a, b) => endOf(a) - endOf(b) || 0);
    case 'user':
      return rows.toSorted((a, b) => compare(nameOf(a), nameOf(b)));
  }
}

/** What an open session keeps comes behind what ends, and what never ends last. */
function endOf({ expiresIn, state }: Listed): number {
  if (expiresIn === null) return Number.MAX_VALUE;
  return state === 'session open' ? Number.MAX_VALUE / 2 : expiresIn;
}

/** Those of whom no user is known come last. */
const nameOf = ({ users: [first] }: Listed): string =>
  first === undefined ? '1' : `0${first.toLowerCase()}`;

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** What was asked for, for a word when nothing fits it. */
export function choiceText(operands: readonly string[], { user, server }: Choice): string {
  return [
    ...operands,
    ...(user === null ? [] : [`--user ${user}`]),
    ...(server === null ? [] : [`--server ${server}`]),
  ].join(' ');
}
