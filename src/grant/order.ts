/**
 * What an order by hand is: an address that is allowed, an address or a user that is refused, or that either is taken back.
 *
 * Leaves to others: which are in force, and what they lead to (orders.ts).
 */
import type { IpText } from '../base/address.ts';
import { type EpochSeconds, epoch } from '../base/clock.ts';

/** The longest order: some thirty years. */
export const MAX_SECONDS = 1_000_000_000;

export type Subject =
  | { readonly kind: 'address'; readonly ip: IpText }
  | { readonly kind: 'user'; readonly user: string };

interface Span {
  /** When it was given, and when it ends, in wall time as the machine told it then. */
  readonly made: EpochSeconds;
  readonly until: EpochSeconds;
}

export type Allowance = Span & {
  readonly kind: 'allow';
  readonly subject: Extract<Subject, { kind: 'address' }>;
};

export type Revocation = Span & { readonly kind: 'revoke'; readonly subject: Subject };

/** What can be in force. */
export type Order = Allowance | Revocation;

/** Takes back what was ordered about a subject before; until its end nothing older about it is taken. */
export type Lift = Span & { readonly kind: 'lift'; readonly subject: Subject };

/** What is kept, and what hosts tell each other. */
export type Given = Order | Lift;

/** The same for all orders about one subject. */
export const keyOf = (subject: Subject): string =>
  subject.kind === 'address' ? subject.ip : `user ${folded(subject.user)}`;

/** Of two that were given in one moment, the one that refuses counts. */
export function isNewer(order: Given, held: Given): boolean {
  if (order.made !== held.made) return order.made > held.made;
  return order.kind === 'revoke' && (held.kind !== 'revoke' || order.until > held.until);
}

/** @param seconds how long it lasts */
export const spanOf = (seconds: number, made: EpochSeconds): Span => ({
  made,
  until: epoch(made + seconds),
});

/** Servers that take a name in any case would otherwise let a user in under another spelling. */
export const folded = (user: string): string => user.toLowerCase();
