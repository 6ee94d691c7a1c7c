/**
 * What the history holds: one entry for each thing that happened to an address, a user, or the daemon.
 *
 * Promises: nothing of a message but whose it was, how many recipients it had elsewhere and how large it was: no sender, recipient or
 * subject.  The names of users are as `log-users` has them.
 */
import type { IpText } from '../base/address.ts';
import type { Decision } from '../grant/decision.ts';
import type { MailEvent } from '../mta/mail-event.ts';
import type { Relayed } from '../mta/messages.ts';

/**
 * - `login`: `what` is `granted`, `refreshed`, or why it granted nothing.
 * - `ended`: the end of a grant, with its reason.
 * - `order`: `allow`, `revoke` or `lift`, until a time.
 * - `relayed`: a message, or further recipients of one (`messages` is 0).
 * - `sent`: a message of a client that had authenticated.
 * - `refused`: a recipient, with the rule that refused it.
 * - `limit`: a limit was exceeded.
 * - `daemon`: it `started`, it `stopped`, or at its start it found that it had been `lost` at that time.
 */
export type EntryKind = (typeof ENTRY_KINDS)[number];
export const ENTRY_KINDS = [
  'login',
  'ended',
  'order',
  'relayed',
  'sent',
  'refused',
  'limit',
  'daemon',
] as const;

export interface Entry {
  readonly kind: EntryKind;
  /** Unix time in seconds, to the millisecond. */
  readonly time: number;
  readonly ip: IpText | null;
  readonly user: string | null;
  readonly server: string | null;
  readonly what: string | null;
  readonly tls: boolean | null;
  /** The message's host and queue id. */
  readonly id: string | null;
  readonly messages: number;
  readonly recipients: number;
  readonly bytes: number;
  /** Of an order, in Unix time; 0 for none. */
  readonly until: number;
}

/** Spelt out: from a spread it took three times as long, for each login. */
export const entryOf = (
  kind: EntryKind,
  time: number,
  {
    ip = null,
    user = null,
    server = null,
    what = null,
    tls = null,
    id = null,
    messages = 0,
    recipients = 0,
    bytes = 0,
    until = 0,
  }: Partial<Omit<Entry, 'kind' | 'time'>>,
): Entry => ({
  kind,
  time,
  ip,
  user,
  server,
  what,
  tls,
  id,
  messages,
  recipients,
  bytes,
  until,
});

/** What a login may have led to, other than a reason for which it led to nothing. */
export const isGranting = ({ kind, what }: Pick<Entry, 'kind' | 'what'>): boolean =>
  kind === 'login' && (what === 'granted' || what === 'refreshed');

/** The entries of a decision. @param now in Unix time */
export function entriesOf(decision: Decision, now: number): Entry[] {
  switch (decision.kind) {
    case 'login': {
      const { login, outcome } = decision;
      const { ip, user, server, tls } = login;
      const what = outcome.kind === 'ignored' ? outcome.reason : outcome.kind;
      return [entryOf('login', login.time ?? now, { ip, user, server, tls, what })];
    }
    case 'limit exceeded': {
      const { login, reason } = decision;
      const { ip, user, server } = login;
      return [entryOf('limit', now, { ip, user, server, what: reason })];
    }
    case 'purged':
    case 'withdrawn': {
      const { grant, holder } = decision;
      const what = decision.kind === 'purged' ? 'purged' : decision.reason;
      const { user = null, server = null } = holder ?? {};
      return [entryOf('ended', now, { ip: grant.ip, user, server, what })];
    }
    case 'evicted':
      return decision.grants.map(({ ip }) => entryOf('ended', now, { ip, what: 'evicted' }));
    case 'allowed':
      return [orderEntry('allow', decision.order, now)];
    case 'revoked':
    case 'lifted': {
      const what = decision.kind === 'revoked' ? 'revoke' : 'lift';
      return [
        ...decision.orders.map(order => orderEntry(what, order, now)),
        ...decision.grants.map(({ ip }) => entryOf('ended', now, { ip, what: decision.kind })),
      ];
    }
    case 'logout':
    case 'kept':
    case 'in force':
    case 'identified':
    case 'probed':
    case 'order bounded':
    case 'map failed':
    case 'map recovered':
      return [];
    default:
      return decision satisfies never;
  }
}

type Given =
  | Extract<Decision, { kind: 'revoked' | 'lifted' }>['orders'][number]
  | Extract<Decision, { kind: 'allowed' }>['order'];

function orderEntry(what: string, { subject, until }: Given, now: number): Entry {
  const whom = subject.kind === 'address' ? { ip: subject.ip } : { user: subject.user };
  return entryOf('order', now, { ...whom, what, until: Math.floor(until) });
}

export const relayedEntry = ({ message, time, ...fields }: Relayed): Entry =>
  entryOf('relayed', time, { id: message, ...fields });

/** The entry of a line of Postfix that stands for itself; null where it does not. */
export function mailEntry(event: MailEvent, now: number): Entry | null {
  if (event.event === 'refused') {
    const { ip, why, time } = event;
    return entryOf('refused', time ?? now, { ip, what: why });
  }
  if (event.event !== 'authenticated') return null;
  const { ip, user, message, time } = event;
  return entryOf('sent', time ?? now, { ip, user, id: message });
}
