/** What a summary of a time of the history is: counts, and rows for each table (summary.ts makes them, report/ shows them). */
import type { IpText } from '../base/address.ts';

export interface Counts {
  /** Logins that granted something, and that did not. */
  granted: number;
  ignored: number;
  /** Grants that began, and ended. */
  grants: number;
  ended: number;
  /** By a grant. */
  messages: number;
  recipients: number;
  bytes: number;
  /** Messages of clients that had authenticated. */
  authenticated: number;
  /** Recipients that Postfix would not relay to. */
  refused: number;
}

export const COUNTS: Readonly<Counts> = {
  ...{ granted: 0, ignored: 0, grants: 0, ended: 0, messages: 0, recipients: 0 },
  ...{ bytes: 0, authenticated: 0, refused: 0 },
};

/** What one address has relayed by grants whose latest user was this one. */
export interface RelayedRow {
  readonly ip: IpText;
  readonly user: string | null;
  server: string | null;
  messages: number;
  recipients: number;
  bytes: number;
  first: number;
  last: number;
}

export interface LoginRow {
  readonly user: string | null;
  readonly ip: IpText;
  readonly server: string | null;
  readonly tls: boolean | null;
  logins: number;
  last: number;
}

export interface SharedRow {
  readonly ip: IpText;
  readonly users: readonly string[];
}

export interface OpenRow {
  readonly ip: IpText;
  readonly user: string | null;
  readonly from: number;
  readonly to: number;
}

export interface RefusedRow {
  readonly ip: IpText;
  readonly user: string | null;
  refused: number;
  last: number;
}

/** `relays`: by a grant, so he needs it; `authenticates` when he sends; `never` sends. */
export type Need = 'relays' | 'authenticates' | 'never';

export interface NeedRow {
  readonly user: string;
  readonly need: Need;
  readonly addresses: readonly IpText[];
  readonly logins: number;
  readonly messages: number;
  readonly authenticated: number;
  readonly last: number;
}

export interface Summed {
  readonly since: number;
  readonly until: number;
  readonly totals: Counts;
  /** By local days, `2026-11-27`, each of the time. */
  readonly days: readonly (readonly [day: string, counts: Counts])[];
  /** By the local hour of the day, 0 to 23. */
  readonly hours: readonly Counts[];
  readonly logins: readonly LoginRow[];
  readonly relayed: readonly RelayedRow[];
  readonly ignored: readonly (readonly [reason: string, logins: number])[];
  readonly shared: readonly SharedRow[];
  readonly longest: readonly OpenRow[];
  readonly refused: readonly RefusedRow[];
  readonly withoutTls: readonly LoginRow[];
  readonly needs: readonly NeedRow[];
}
