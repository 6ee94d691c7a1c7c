/**
 * The site's rules about logins, besides the networks (classifier/): who may, and how.
 *
 * Pure: what a login leads to is read off the login and the rules; only the limits (limits.ts) need to remember others.
 */
import type { Given } from '../base/given.ts';
import type { LoginEvent } from '../recogniser/event.ts';
import type { Limit, LimitAction, LimitSettings } from './limits.ts';
import { parseUserList, type UserList } from './user-list.ts';

export type PolicyReason = 'not encrypted' | 'user not allowed';

export interface Policy {
  /** Only a login whose line says that the connection was encrypted counts. */
  readonly requireTls: boolean;
  /** Nobody else may; null for everybody. */
  readonly allowUsers: UserList | null;
  /** They may not, whatever `allowUsers` says; null for nobody. */
  readonly denyUsers: UserList | null;
  readonly limits: LimitSettings;
}

/** What the options of the policy say. */
export interface PolicyOptions {
  readonly requireTls: boolean;
  readonly allowUsers: Given<readonly string[]> | null;
  readonly denyUsers: Given<readonly string[]> | null;
  readonly maxUsersPerAddress: number | 'none' | null;
  readonly maxAddressesPerUser: number | 'none' | null;
  readonly limitAction: LimitAction;
}

/** Beyond it an address is more likely a proxy's or a gateway's than a person's; who has not asked for a limit is only warned. */
const USUAL_USERS: Limit = { most: 10, action: 'warn' };

/** @throws Failure USER_LIST */
export const policyOf = (options: PolicyOptions): Policy => ({
  requireTls: options.requireTls,
  allowUsers: usersOf(options.allowUsers),
  denyUsers: usersOf(options.denyUsers),
  limits: {
    usersPerAddress: limitOf(options.maxUsersPerAddress, options, USUAL_USERS),
    addressesPerUser: limitOf(options.maxAddressesPerUser, options, null),
  },
});

/** @param usual where none is given */
function limitOf(
  most: number | 'none' | null,
  { limitAction }: PolicyOptions,
  usual: Limit | null,
): Limit | null {
  if (most === null) return usual;
  return most === 'none' ? null : { most, action: limitAction };
}

const usersOf = (given: Given<readonly string[]> | null): UserList | null =>
  given && parseUserList(given.value, given.origin);

/** Has nothing against anybody. */
export const NO_POLICY: Policy = {
  requireTls: false,
  allowUsers: null,
  denyUsers: null,
  limits: { usersPerAddress: null, addressesPerUser: null },
};

/** Why a login counts for nothing; null when the policy has nothing against it. */
export function refusalOf({ tls, user }: LoginEvent, policy: Policy): PolicyReason | null {
  if (policy.requireTls && tls !== true) return 'not encrypted';
  return isAllowed(user, policy) ? null : 'user not allowed';
}

/** Somebody whom the log does not name is on no list: not allowed where there is one, and not denied. */
function isAllowed(user: string | null, { allowUsers, denyUsers }: Policy): boolean {
  if (user === null) return allowUsers === null;
  if (denyUsers?.includes(user) === true) return false;
  return allowUsers === null || allowUsers.includes(user);
}
