/**
 * The rows of `popbsmtp list`: the map's with what the daemon knows, sorted, as text in columns and as JSON.
 *
 * Promises: a million rows are handed on in blocks; nothing in a key, a value or a user's name commands a terminal.
 */
import { addressOf, canonicalIp } from '../base/address.ts';
import { type EpochSeconds, epoch } from '../base/clock.ts';
import { quantity } from '../base/quantity.ts';
import type { GrantRow } from '../control/protocol.ts';
import type { Grace } from '../grant/grace.ts';
import type { Order } from '../grant/order.ts';
import { formatCtime, formatStamp } from '../line/stamp.ts';
import type { Row } from '../map/map.ts';
import { type Colour, type Paint, plainPaint } from './colour.ts';
import { isoTime } from './print.ts';
import { roughly, shown } from './shown.ts';

/** What a row is there for. */
export type RowState =
  /** A login earned it. */
  | 'login'
  /** An open session keeps it: it ends the grace period after that. */
  | 'session open'
  | 'by hand'
  /** Nothing keeps it, and it is still there. */
  | 'due'
  /** The administrator's own. */
  | 'your own';

export interface Listed {
  readonly row: Row;
  readonly state: RowState;
  /** Of the latest login. */
  readonly user: string | null;
  /** All that have logged in since the grant was made, the latest first; none without a daemon. */
  readonly users: readonly string[];
  readonly server: string | null;
  readonly since: EpochSeconds | null;
  readonly lastLogin: EpochSeconds | null;
  /** Seconds, at least; null for a row of the administrator's, which does not end. */
  readonly expiresIn: number | null;
  /** Until when it is allowed by hand; null when it is not. */
  readonly allowedUntil: EpochSeconds | null;
  /** Open sessions that keep it. */
  readonly sessions: number;
  /** What it has relayed; not told without a history. */
  readonly sent?: { readonly messages: number; readonly recipients: number };
}

/** What is known besides the rows. */
export interface Known {
  /** What the daemon knows, by address; null without one. */
  readonly details: ReadonlyMap<string, GrantRow> | null;
  /** Without one, until when addresses are allowed by hand, in Unix time. */
  readonly allowed?: ReadonlyMap<string, number>;
  /** Without one, the rows that are due. */
  readonly due?: ReadonlySet<string>;
  /** For rows of which the daemon knows nothing. */
  readonly grace: Grace;
}

/** @returns sorted by address, IPv4 first, other keys last */
export function listedRows(rows: readonly Row[], known: Known, now: number): Listed[] {
  return rows
    .map(row => ({ order: sortKey(row.key), listed: listedRow(row, known, now) }))
    .sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0))
    .map(({ listed }) => listed);
}

function listedRow(row: Row, known: Known, now: number): Listed {
  const { key, stamp } = row;
  const nobody = { user: null, users: [], server: null, since: null, sessions: 0 };
  if (stamp === null) {
    const endless = { lastLogin: null, expiresIn: null, allowedUntil: null };
    return { row, state: 'your own', ...nobody, ...endless };
  }
  const detail = known.details?.get(key);
  if (detail === undefined) {
    const until = known.allowed?.get(key) ?? null;
    const isDue = known.due?.has(key) ?? false;
    const left = Math.max(timeLeft(key, stamp, known.grace, now), (until ?? now) - now);
    const expiresIn = isDue ? 0 : Math.ceil(left);
    const told = { expiresIn, allowedUntil: until === null ? null : epoch(until), sessions: 0 };
    return { row, state: stateOf(told), ...nobody, lastLogin: stamp, ...told };
  }
  const [, expiresIn, user, server, since, last, others = [], until = null, sessions = 0, sent] =
    detail;
  const told = { expiresIn, allowedUntil: until === null ? null : epoch(until), sessions };
  return {
    row,
    state: stateOf(told),
    user,
    users: user === null ? others : [user, ...others],
    server,
    since: since === null ? null : epoch(since),
    lastLogin: last === null ? stamp : epoch(last),
    ...told,
    ...(sent ? { sent } : {}),
  };
}

function stateOf({
  expiresIn,
  allowedUntil,
  sessions,
}: {
  readonly expiresIn: number;
  readonly allowedUntil: EpochSeconds | null;
  readonly sessions: number;
}): RowState {
  if (sessions > 0) return 'session open';
  if (expiresIn <= 0) return 'due';
  return allowedUntil === null ? 'login' : 'by hand';
}

/** A key that is no address is no grant, and nothing ends it; it is shown as any other would end. */
function timeLeft(key: string, stamp: EpochSeconds, grace: Grace, now: number): number {
  const ip = canonicalIp(key);
  const seconds = ip === null ? grace.standard : grace.of(ip);
  return Math.max(0, Math.min(stamp, now) + seconds - now);
}

function sortKey(key: string): string {
  const ip = canonicalIp(key);
  if (ip === null || ip !== key) return `9${key}`;
  const address = addressOf(ip);
  return `${address.kind() === 'ipv4' ? 4 : 6}${Buffer.from(address.toByteArray()).toString('hex')}`;
}

/** JSON Lines. */
export const rowsJson = (rows: readonly Listed[]): string => rows.map(jsonLine).join('');

function jsonLine(listed: Listed): string {
  const { row, state, user, users, server, since, lastLogin, expiresIn } = listed;
  const { key, value, stamp } = row;
  return `${JSON.stringify({
    ip: key,
    value,
    time: isoOrNull(stamp),
    user,
    server,
    since: isoOrNull(since),
    lastLogin: isoOrNull(lastLogin),
    expiresIn,
    state,
    users,
    allowedUntil: isoOrNull(listed.allowedUntil),
    sessions: listed.sessions,
    ...listed.sent,
  })}\n`;
}

const isoOrNull = (time: EpochSeconds | null): string | null =>
  time === null ? null : isoTime(Math.floor(time));

const HEADER = [
  'ADDRESS',
  'LAST LOGIN',
  'EXPIRES IN',
  'STATE',
  'SINCE',
  'SERVER',
  'MESSAGES',
  'USERS',
] as const;
/** Of `Nov 25 00:10:00`, `59m 59s`, `session open` and the longest name of a server that we know. */
const WIDTHS = [0, 15, 10, 12, 15, 11, 8, 0] as const;
const STATE_COLUMN = 3;
/** Shown where one of the grants has relayed something. */
const MESSAGES_COLUMN = 6;

const COLOURS: Readonly<Record<RowState, Colour | null>> = {
  login: null,
  'session open': 'green',
  'by hand': 'yellow',
  due: 'red',
  'your own': 'cyan',
};

/**
 * @param all as wide as the longest of these addresses
 * @param header whether the first block has one
 */
export function rowsText(
  all: readonly Listed[],
  header: boolean,
  paint: Paint = plainPaint,
): (rows: readonly Listed[], first: boolean) => string {
  const width = all.reduce((most, { row }) => Math.max(most, shown(row.key).length), 15);
  const isAnySent = all.some(({ sent }) => (sent?.messages ?? 0) > 0);
  const line = (cells: readonly string[], colour: Colour | null): string =>
    cells
      .flatMap((cell, index) => {
        if (index === MESSAGES_COLUMN && !isAnySent) return [];
        const padded = cell.padEnd(index === 0 ? width : (WIDTHS[index] ?? 0));
        return [index === STATE_COLUMN ? paint(padded, colour) : padded];
      })
      .join('  ')
      .trimEnd();
  return (rows, first) => {
    const lines = rows.map(listed => line(cellsOf(listed), COLOURS[listed.state]));
    return (first && header ? [line(HEADER, null), ...lines] : lines)
      .map(text => `${text}\n`)
      .join('');
  };
}

function cellsOf(listed: Listed): readonly string[] {
  const { row, state, server, since, lastLogin, expiresIn } = listed;
  const key = shown(row.key);
  if (expiresIn === null) return [key, `${shown(row.value)} (a row of your own)`];
  return [
    key,
    lastLogin === null ? '-' : formatStamp(lastLogin),
    state === 'session open' ? '-' : expiresIn === 0 ? 'due' : roughly(expiresIn),
    state,
    since === null ? '-' : formatStamp(since),
    server === null ? '-' : shown(server),
    String(listed.sent?.messages ?? '-'),
    listed.users.length === 0 ? '-' : listed.users.map(user => shown(user)).join(', '),
  ];
}

/** The rows in numbers: `2 of 5 rows: 1 login, 1 by hand`. @param all how many the map has */
export function countText(rows: readonly Listed[], all: number): string {
  const states = Object.keys(COLOURS).flatMap(state => {
    const count = rows.filter(row => row.state === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  const some = rows.length === all ? '' : `${rows.length} of `;
  return `${some}${quantity(all, 'row')}${states.length === 0 ? '' : `: ${states.join(', ')}`}`;
}

/** What `allow` and `revoke` have ordered. */
export function ordersText(orders: readonly Order[], json: boolean): string {
  return orders
    .map(({ kind, subject, made, until }) => {
      const [ip, user] = subject.kind === 'address' ? [subject.ip, null] : [null, subject.user];
      if (json) {
        const times = { made: isoTime(Math.floor(made)), until: isoTime(Math.floor(until)) };
        return `${JSON.stringify({ order: kind, ip, user, ...times })}\n`;
      }
      const whom = ip ?? `user ${JSON.stringify(shown(user ?? ''))}`;
      return `${kind.padEnd(6)}  until ${formatCtime(epoch(Math.floor(until)))}  ${whom}\n`;
    })
    .join('');
}
