/**
 * What the daemon decided, as data: the one vocabulary of debug lines, log lines, JSON and tests.
 *
 * The core emits decisions and imports no logger; who wants to see them formats them (report/decisions.ts tells what a new
 * kind takes).
 */
import type { IpText } from '../base/address.ts';
import type { EpochSeconds } from '../base/clock.ts';
import type { Bar, NetworkReason } from '../classifier/classifier.ts';
import type { LoginEvent, LogoutEvent } from '../recogniser/event.ts';
import type { Effect } from './change.ts';
import type { Grant } from './grant-table.ts';
import type { LimitAction, LimitReason } from './limits.ts';
import type { Allowance, Given, Lift, Order, Revocation } from './order.ts';
import type { OrderNews } from './orders.ts';
import type { PolicyReason } from './policy.ts';

/** Why a login granted nothing. */
export type IgnoreReason =
  | NetworkReason
  | PolicyReason
  | LimitReason
  | 'revoked'
  | 'too old'
  | 'no time stamp';

/**
 * What a login led to.  `effect` is what its row in the map went through, null when there was nothing to
 * change (a refresh within the same second) or the map could not be written.
 */
export type Outcome =
  | { readonly kind: 'granted' | 'refreshed'; readonly effect: Effect | null }
  | { readonly kind: 'ignored'; readonly reason: IgnoreReason };

/** Who was behind a grant: the user and the server of its latest login, null where it is not known. */
export interface Holder {
  readonly user: string | null;
  readonly server: string | null;
}

/** The host of the fleet that has told us; left out of what happened here. */
type HostName = string;

export type Decision =
  | {
      readonly kind: 'login';
      readonly login: LoginEvent;
      readonly outcome: Outcome;
      readonly from?: HostName;
    }
  /** A login is over a limit; told once in a grace period for each address and each user. */
  | {
      readonly kind: 'limit exceeded';
      readonly login: LoginEvent;
      readonly reason: LimitReason;
      readonly most: number;
      readonly action: LimitAction;
    }
  /** A grant has ended before its time: by a limit, or since its address may have none any more. */
  | {
      readonly kind: 'withdrawn';
      readonly grant: Grant;
      readonly reason: LimitReason | Bar;
      readonly holder?: Holder;
      readonly from?: HostName;
    }
  /** The end of a session; `ip` is null when it was not known to be open. */
  | { readonly kind: 'logout'; readonly logout: LogoutEvent; readonly ip: IpText | null }
  /** The holder is added by who keeps a roster; the grants themselves have none. */
  | { readonly kind: 'purged'; readonly grant: Grant; readonly holder?: Holder }
  /** A grant was due, but a session is still open, or the address is allowed by hand: it lasts on. */
  | { readonly kind: 'kept'; readonly grant: Grant; readonly from?: HostName }
  /** There were more grants than there may be: these, of those who have most, have ended. */
  | { readonly kind: 'evicted'; readonly grants: readonly Grant[] }
  /** The administrator allows an address; `effect` as for a login. */
  | {
      readonly kind: 'allowed';
      readonly order: Allowance;
      readonly effect: Effect | null;
      readonly from?: HostName;
    }
  /** The administrator refuses addresses or a user, which has ended these grants. */
  | {
      readonly kind: 'revoked';
      readonly orders: readonly Revocation[];
      readonly grants: readonly Grant[];
      readonly from?: HostName;
    }
  /** The administrator takes back what he has ordered, which has ended the grants of what he had allowed. */
  | {
      readonly kind: 'lifted';
      readonly orders: readonly Lift[];
      /** What of it was in force here: nothing where only other hosts may know of it. */
      readonly ended: readonly Order[];
      readonly grants: readonly Grant[];
      readonly from?: HostName;
    }
  /** Postfix has asked about a message whose client has this grant: whose it is, by the latest login. */
  | {
      readonly kind: 'identified';
      readonly ip: IpText;
      readonly holder: Holder;
      /** The latest login; null for an allowance. */
      readonly login: EpochSeconds | null;
      /** The message's; null before it has one. */
      readonly queueId: string | null;
    }
  /** The doctor has a row of its own in the map for so many seconds, as a test; null when that has ended. */
  | { readonly kind: 'probed'; readonly ip: IpText; readonly seconds: number | null }
  /** An order was dropped for want of room, or cut short since another host was given it; the first is told. */
  | { readonly kind: 'order bounded'; readonly what: OrderNews['what']; readonly order: Given }
  /** At a start: what was ordered before, and still is in force. */
  | { readonly kind: 'in force'; readonly orders: readonly Order[] }
  /**
   * The map cannot be written; its changes are kept and tried again.  It has lasted for so many seconds, and so many rows
   * that were to be taken away may still be there.
   */
  | {
      readonly kind: 'map failed';
      readonly line: string;
      readonly seconds: number;
      readonly overdue: number;
    }
  | { readonly kind: 'map recovered'; readonly changes: number };

export type Report = (decision: Decision) => void;
