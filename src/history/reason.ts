/** The reasons that `why` gives: a contract, since programs read them. */

export type Reason = (typeof REASONS)[number];
export const REASONS = [
  'granted',
  'in-mynetworks',
  'no-login',
  'ended',
  'too-old',
  'excluded',
  'own-address',
  'revoked',
  'not-encrypted',
  'user-not-allowed',
  'limit',
  'other-family',
  'other-address',
  'later-login',
  'daemon-down',
  'not-by-map',
] as const;

/** What became of a login that granted nothing, by what its entry says. */
const REASON_OF: Readonly<Record<string, Reason>> = {
  'in mynetworks': 'in-mynetworks',
  excluded: 'excluded',
  'own address': 'own-address',
  gateway: 'own-address',
  'opens other networks': 'excluded',
  'not encrypted': 'not-encrypted',
  'user not allowed': 'user-not-allowed',
  'too many users': 'limit',
  'too many addresses': 'limit',
  'too many messages': 'limit',
  'too many recipients': 'limit',
  revoked: 'revoked',
  'too old': 'too-old',
  'no time stamp': 'too-old',
};

/** @param what of the entry; null where it says nothing that is a reason */
export const reasonOfLogin = (what: string | null): Reason | null => REASON_OF[what ?? ''] ?? null;
