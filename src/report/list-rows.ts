/**
 * The rows of `popbsmtp list`: the map's with what the daemon knows, sorted, as text in columns and as JSON.
 *
 * Promises: a million rows are handed on in blocks; nothing in a key, a value or a user's name commands a terminal.
 */
import { addressOf, canonicalIp } from '../base/address.ts';
import { type EpochSeconds, epoch } from '../base/clock.ts';
import type { GrantRow } from '../control/protocol.ts';
import type { Grace } from '../grant/grace.ts';
import type { Order } from '../grant/order.ts';
import { formatCtime, formatStamp } from '../line/stamp.ts';
import type { Row } from '../map/map.ts';
import { isoTime } from './print.ts';
import { roughly, shown } from './shown.ts';

export interface Listed {
  readonly row: Row;
  readonly user: string | null;
  readonly server: string | null;
  readonly since: EpochSeconds | null;
  readonly lastLogin: EpochSeconds | null;
  /** Seconds; null for a row of the administrator's, which does not end. */
  readonly expiresIn: number | null;
}

/**
 * @param known what the daemon knows, by address; null without one
 * @param grace for rows of which the daemon knows nothing
 * @returns sorted by address, IPv4 first, other keys last
 */
export function listedRows(
  rows: readonly Row[],
  known: ReadonlyMap<string, GrantRow> | null,
  grace: Grace,
  now: number,
): Listed[] {
  return rows
    .map(row => ({ order: sortKey(row.key), listed: listedRow(row, known, grace, now) }))
    .sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0))
    .map(({ listed }) => listed);
}

function listedRow(
  row: Row,
  known: ReadonlyMap<string, GrantRow> | null,
  grace: Grace,
  now: number,
): Listed {
  const { key, stamp } = row;
  const detail = stamp === null ? undefined : known?.get(key);
  if (stamp === null || detail === undefined) {
    const expiresIn = stamp === null ? null : timeLeft(key, stamp, grace, now);
    return { row, user: null, server: null, since: null, lastLogin: stamp, expiresIn };
  }
  const [, expiresIn, user, server, since, last] = detail;
  return {
    row,
    user,
    server,
    since: since === null ? null : epoch(since),
    lastLogin: last === null ? stamp : epoch(last),
    expiresIn,
  };
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

function jsonLine({ row, user, server, since, lastLogin, expiresIn }: Listed): string {
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
  })}\n`;
}

const isoOrNull = (time: EpochSeconds | null): string | null =>
  time === null ? null : isoTime(time);

const HEADER = ['ADDRESS', 'LAST LOGIN', 'EXPIRES IN', 'SINCE', 'SERVER', 'USER'] as const;
/** Of `Nov 25 00:10:00`, `59m 59s` and the longest name of a server that we know. */
const WIDTHS = [0, 15, 10, 15, 11, 0] as const;

/**
 * @param all as wide as the longest of these addresses
 * @param header whether the first block has one
 */
export function rowsText(
  all: readonly Listed[],
  header: boolean,
): (rows: readonly Listed[], first: boolean) => string {
  const width = all.reduce((most, { row }) => Math.max(most, shown(row.key).length), 15);
  const line = (cells: readonly string[]): string =>
    `${cells.map((cell, index) => cell.padEnd(index === 0 ? width : (WIDTHS[index] ?? 0))).join('  ')}`.trimEnd();
  return (rows, first) => {
    const lines = rows.map(listed => line(cellsOf(listed)));
    return (first && header ? [line(HEADER), ...lines] : lines).map(text => `${text}\n`).join('');
  };
}

function cellsOf({ row, user, server, since, lastLogin, expiresIn }: Listed): readonly string[] {
  const key = shown(row.key);
  if (expiresIn === null) return [key, `${shown(row.value)} (a row of your own)`];
  return [
    key,
    lastLogin === null ? '-' : formatStamp(lastLogin),
    expiresIn === 0 ? 'due' : roughly(expiresIn),
    since === null ? '-' : formatStamp(since),
    server === null ? '-' : shown(server),
    user === null ? '-' : shown(user),
  ];
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
