/**
 * The words of the control socket: JSON Lines, a request a line, answered by lines of rows and one last line.
 *
 * Promises: `parseRequest` takes any text and gives a request or what is wrong with it; what it gives is within bounds.
 */
import { canonicalIp, type IpText } from '../base/address.ts';
import { type Failure, failure } from '../base/errors.ts';
import type { IgnoreReason } from '../grant/decision.ts';
import type { Ending, Ignored } from '../grant/history.ts';
import { MAX_SECONDS, type Order } from '../grant/order.ts';
import type { ConfigurationState } from './configuration-state.ts';
import type { Status } from './status.ts';

/** The most bytes of a request, with its line end. */
export const MAX_REQUEST = 65_536;
/** The most addresses that one request revokes, or lifts the orders of. */
export const MAX_ADDRESSES = 100;
/** The most characters of a user's name. */
const MAX_USER = 1024;
/** The longest that a row of the doctor's lasts, in seconds. */
export const MAX_PROBE_SECONDS = 120;
/** What takes nothing but its name, and changes nothing. */
export const QUESTIONS = [
  'status',
  'metrics',
  'list',
  'latest',
  'orders',
  'configuration',
] as const;

export type Request =
  | { readonly command: (typeof QUESTIONS)[number] }
  | { readonly command: 'about'; readonly address: IpText }
  | {
      /** Writes a row for a test of the doctor's, which ends by itself; `unprobe` ends it at once. */
      readonly command: 'probe';
      readonly address: IpText;
      readonly seconds: number;
    }
  | { readonly command: 'unprobe'; readonly address: IpText }
  | { readonly command: 'allow'; readonly address: IpText; readonly seconds: number }
  | {
      readonly command: 'revoke';
      /** The addresses, or the one user. */
      readonly addresses: readonly IpText[];
      readonly user: string | null;
      readonly seconds: number;
    }
  | {
      readonly command: 'lift';
      readonly addresses: readonly IpText[];
      readonly user: string | null;
    }
  | ({
      readonly command: 'login';
      readonly address: IpText;
      /** Whether the connection was encrypted; null where it is not known. */
      readonly tls: true | null;
      readonly session: string | null;
    } & SessionOfUser)
  | ({ readonly command: 'logout'; readonly session: string } & SessionOfUser);

/** Whose session, and what serves it. */
interface SessionOfUser {
  readonly user: string | null;
  readonly server: string;
}

/** What may be asked of the login socket. */
export const LOGIN_COMMANDS: readonly Request['command'][] = ['login', 'logout'];

/**
 * Of a grant: address, seconds that are left, user, server, first and latest login in Unix time; null if not known.  Then what a
 * daemon of 1.0.0 does not tell: who else has logged in, until when it is allowed by hand, how many open sessions keep it, and how many
 * messages it has relayed to how many recipients, where a history is kept.
 * A row that is due and still there, since the map cannot be written, has no seconds left.
 */
export type GrantRow = readonly [
  ip: IpText,
  left: number,
  user: string | null,
  server: string | null,
  since: number | null,
  last: number | null,
  others?: readonly string[],
  allowedUntil?: number | null,
  sessions?: number,
  sent?: { readonly messages: number; readonly recipients: number } | null,
];

/** What happened to the row of an address; null when the map cannot be written now, and it will happen later. */
export interface RowEffect {
  readonly ip: IpText;
  readonly effect: 'added' | 'renewed' | 'removed' | 'absent' | 'foreign' | null;
}

/** What an order has led to. */
export type OrderResult =
  | { readonly kind: 'needless' | 'refused'; readonly reason: string }
  | {
      readonly kind: 'done';
      readonly until: number;
      readonly rows: readonly RowEffect[];
      /** Grants whose user is not known, which an order about a user cannot find. */
      readonly unknown: number;
    };

/** The orders that were taken back, and the rows of what was allowed. */
export interface LiftResult {
  readonly orders: readonly Order[];
  readonly rows: readonly RowEffect[];
}

/** What a login has led to. */
export type LoginResult =
  | { readonly kind: 'granted' | 'refreshed'; readonly until: number }
  | { readonly kind: 'ignored'; readonly reason: IgnoreReason };

/** Whether a logout has ended a session that was known to be open. */
export interface LogoutResult {
  readonly address: IpText | null;
}

/** Whether the row of a test is in the map, and why not. */
export type ProbeResult =
  | { readonly kind: 'written' }
  | { readonly kind: 'refused' | 'not written'; readonly reason: string };

/** Whether the row of a test is gone. */
export interface UnprobeResult {
  readonly gone: boolean;
}

/** What is known of one address; what has happened to it, as long as it is remembered (grant/history.ts). */
export interface About {
  readonly grant: GrantRow | null;
  readonly order: Order | null;
  readonly end: Ending | null;
  readonly ignored: Ignored | null;
}

/** What the last line of each command's answer holds. */
export interface Results {
  readonly status: Status;
  readonly metrics: string;
  /** How many rows there were. */
  readonly list: { readonly grants: number };
  readonly orders: readonly Order[];
  readonly about: About;
  /** The newest grants, in that order; not all. */
  readonly latest: readonly GrantRow[];
  readonly allow: OrderResult;
  readonly revoke: OrderResult;
  readonly lift: LiftResult;
  readonly login: LoginResult;
  readonly logout: LogoutResult;
  /** Null of a daemon that was not told what it was configured with. */
  readonly configuration: ConfigurationState | null;
  readonly probe: ProbeResult;
  readonly unprobe: UnprobeResult;
}

/** A `Failure` on its way. */
export interface SentError {
  readonly code: string;
  readonly text: string;
  readonly hint: string;
}

export type AnswerLine =
  | { readonly rows: readonly GrantRow[] }
  | { readonly result: Results[keyof Results] }
  | { readonly error: SentError };

export const errorLine = ({ code, message, hint }: Failure): AnswerLine => ({
  error: { code, text: message, hint },
});

export const refusal = (problem: string): AnswerLine =>
  errorLine(failure('CONTROL_REQUEST', { problem }));

/** @returns the request, or what is wrong with it */
export function parseRequest(text: string): Request | string {
  const fields = objectIn(text);
  if (fields === null) return 'a request is one JSON object on one line';
  const { command, seconds } = fields;
  const question = QUESTIONS.find(name => name === command);
  if (question !== undefined) return { command: question };
  if (command === 'about') return aboutIn(fields);
  if (command === 'probe' || command === 'unprobe') return probeIn(command, fields);
  if (command === 'lift') {
    const whom = whomIn(fields);
    return typeof whom === 'string' ? whom : { command, ...whom };
  }
  if (command === 'login') return loginIn(fields);
  if (command === 'logout') return logoutIn(fields);
  if (command !== 'allow' && command !== 'revoke') return 'no such command';
  if (!isDuration(seconds)) return `seconds is to be a whole number from 1 to ${MAX_SECONDS}`;
  if (command === 'allow') return allowIn(fields, seconds);
  const whom = whomIn(fields);
  return typeof whom === 'string' ? whom : { command, ...whom, seconds };
}

function probeIn(command: 'probe' | 'unprobe', { address, seconds }: Fields): Request | string {
  const ip = ipOf(address);
  if (ip === null) return 'address is to be an IPv4 or IPv6 address';
  if (command === 'unprobe') return { command, address: ip };
  return isDuration(seconds) && seconds <= MAX_PROBE_SECONDS
    ? { command, address: ip, seconds }
    : `seconds is to be a whole number from 1 to ${MAX_PROBE_SECONDS}`;
}

function aboutIn({ address }: Fields): Request | string {
  const ip = ipOf(address);
  return ip === null
    ? 'address is to be an IPv4 or IPv6 address'
    : { command: 'about', address: ip };
}

function allowIn({ address }: Record<string, unknown>, seconds: number): Request | string {
  const ip = ipOf(address);
  return ip === null
    ? 'address is to be an IPv4 or IPv6 address'
    : { command: 'allow', address: ip, seconds };
}

function loginIn({ address, tls = null, session = null, ...whose }: Fields): Request | string {
  const ip = ipOf(address);
  if (ip === null) return 'address is to be an IPv4 or IPv6 address';
  if (tls !== null && tls !== true) return 'tls is to be true or null';
  if (session !== null && !isName(session)) return `session is to have 1 to ${MAX_USER} characters`;
  const found = sessionOfUser(whose);
  return typeof found === 'string'
    ? found
    : { command: 'login', address: ip, tls, session, ...found };
}

function logoutIn({ session, ...whose }: Fields): Request | string {
  if (!isName(session)) return `session is to have 1 to ${MAX_USER} characters`;
  const found = sessionOfUser(whose);
  return typeof found === 'string' ? found : { command: 'logout', session, ...found };
}

/** A server's name is a label of metrics, and stands in log lines as it is. */
const SERVER = /^[\w.-]{1,40}$/;

function sessionOfUser({ user = null, server }: Fields): SessionOfUser | string {
  if (user !== null && !isName(user)) return `user is to have 1 to ${MAX_USER} characters`;
  if (typeof server !== 'string' || !SERVER.test(server))
    return 'server is to have 1 to 40 letters, digits, and any of _.-';
  return { user, server };
}

const isName = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= MAX_USER;

type Fields = Record<string, unknown>;

interface Whom {
  readonly addresses: readonly IpText[];
  readonly user: string | null;
}

function whomIn({ addresses = [], user = null }: Record<string, unknown>): Whom | string {
  if (!Array.isArray(addresses) || (user === null) === (addresses.length === 0)) {
    return 'name either addresses or a user';
  }
  if (user !== null) {
    if (!isName(user)) {
      return `user is to have 1 to ${MAX_USER} characters`;
    }
    return { addresses: [], user };
  }
  if (addresses.length > MAX_ADDRESSES) return `at most ${MAX_ADDRESSES} addresses at once`;
  const ips = addresses.map(ipOf).filter(ip => ip !== null);
  if (ips.length < addresses.length) return 'addresses are to be IPv4 or IPv6 addresses';
  return { addresses: [...new Set(ips)], user: null };
}

function objectIn(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    return Object.fromEntries(Object.entries(value));
  } catch {
    return null;
  }
}

const ipOf = (value: unknown): IpText | null =>
  typeof value === 'string' ? canonicalIp(value) : null;

const isDuration = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_SECONDS;
