/**
 * Through which Redis or Valkey the hosts of a fleet share their grants, and what this host does there.
 *
 * Promises: an account's password is never taken from the address, where every user of the machine would see it.
 * Leaves to others: which of several engines is used (search.ts).
 */
import { hostname } from 'node:os';
import { failure } from '../base/errors.ts';
import type { Given } from '../base/given.ts';
import type { Format } from './pack.ts';

export type FleetRole = 'publish' | 'subscribe' | 'both';

export interface Engine {
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  readonly database: number;
}

/** Who is to be at the other end, and as whom this host comes to him. */
export interface Account {
  /** Null for the server's default user. */
  readonly user: string | null;
  /** Null for none, here and below. */
  readonly passwordFile: string | null;
  /** Certificates of those who may vouch for the server, in PEM; null for those that Node knows. */
  readonly caFile: string | null;
}

/** Where the engine is: one of several that are tried in turn, or whichever the sentinels name. */
export type Site =
  | { readonly kind: 'engines'; readonly engines: readonly Engine[] }
  | ({
      readonly kind: 'sentinels';
      /** Engines are spoken to as they are: with TLS or without, and in this database. */
      readonly sentinels: readonly Engine[];
      /** What they call the primary. */
      readonly primary: string;
    } & Account);

/** Whom a subscriber reads from where there is a choice. */
export type ReadFrom = 'primary' | 'replica';

export interface FleetSettings extends Account {
  readonly site: Site;
  readonly role: FleetRole;
  readonly readFrom: ReadFrom;
  /** What the names of the streams begin with. */
  readonly prefix: string;
  /** What this host is called in the streams. */
  readonly name: string;
  /** In which its logins are written. */
  readonly format: Format;
  /** Seconds within which a login that the fleet knows of is not told again. */
  readonly renewal: number;
}

const USUAL_PORT = 6379;
const SENTINEL_PORT = 26_379;

/**
 * Reads `redis://host:port/database` or, with TLS, `rediss://…` (the URI schemes registered with IANA).
 *
 * @param where named in the error
 * @param usualPort that of an address that names none
 * @throws Failure FLEET_URL
 */
export function parseEngine(value: string, where: string, usualPort = USUAL_PORT): Engine {
  const [, scheme, bracketed, plain, port = String(usualPort), database = '0'] =
    /^(rediss?):\/\/(?:\[([\da-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?(?:\/(\d{0,4}))?$/i.exec(value) ??
    [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw failure('FLEET_URL', { where, value: value.replace(/\/\/.*@/, '//…@') });
  }
  const tls = scheme?.toLowerCase() === 'rediss';
  return { tls, host, port: Number(port), database: Number(database) };
}

/** The one spelling of an engine, for the log and as the name of a place. */
export function formatEngine({ tls, host, port, database }: Engine): string {
  const shown = host.includes(':') ? `[${host}]` : host;
  return `${tls ? 'rediss' : 'redis'}://${shown}:${port}/${database}`;
}

/** What the place of a fleet is called, in the log and in what is kept of it. */
export const formatSite = (site: Site): string =>
  site.kind === 'engines'
    ? site.engines.map(formatEngine).join(', ')
    : `${site.primary} of the sentinels ${site.sentinels.map(formatEngine).join(', ')}`;

const NAME = /^[\w.-]{1,64}$/;
const PREFIX = /^[\w.:-]{1,64}$/;

/** @throws Failure FLEET_NAME */
export function parsePrefix(value: string, where: string): string {
  if (PREFIX.test(value)) return value;
  throw failure('FLEET_NAME', { where, value });
}

/**
 * @param value null for the name of the machine
 * @throws Failure FLEET_NAME
 */
export function parseHostName(value: string | null, where: string): string {
  const name = value ?? hostname();
  if (NAME.test(name)) return name;
  throw failure('FLEET_NAME', { where, value: name });
}

/** What the options of the fleet say. */
export interface FleetOptions {
  readonly fleet: Given<readonly string[]> | null;
  readonly fleetRole: FleetRole;
  readonly fleetRead: ReadFrom;
  readonly fleetUser: string | null;
  readonly fleetPasswordFile: string | null;
  readonly fleetCa: Given<string> | null;
  readonly fleetSentinels: Given<readonly string[]> | null;
  readonly fleetSentinelName: Given<string>;
  readonly fleetSentinelUser: string | null;
  readonly fleetSentinelPasswordFile: string | null;
  readonly fleetSentinelCa: Given<string> | null;
  readonly fleetPrefix: Given<string>;
  readonly fleetName: Given<string> | null;
  readonly fleetFormat: '1' | '2';
  /** Null for 0. */
  readonly fleetRenewal: number | null;
}

/**
 * Null without a fleet.
 *
 * @throws Failure FLEET_URL, FLEET_NAME, FLEET_TLS, FLEET_SITES, FLEET_SCHEMES
 */
export function fleetOf(options: FleetOptions): FleetSettings | null {
  const { fleetCa: ca, fleetPrefix: prefix, fleetName: name } = options;
  const site = siteOf(options);
  if (site === null) return null;
  requireTls(ca, site.kind === 'engines' ? site.engines : site.sentinels);
  return {
    site,
    role: options.fleetRole,
    readFrom: options.fleetRead,
    user: options.fleetUser,
    passwordFile: options.fleetPasswordFile,
    caFile: ca?.value ?? null,
    prefix: parsePrefix(prefix.value, prefix.origin),
    name: parseHostName(name?.value ?? null, name?.origin ?? '--fleet-name'),
    format: options.fleetFormat === '2' ? 2 : 1,
    renewal: options.fleetRenewal ?? 0,
  };
}

function siteOf(options: FleetOptions): Site | null {
  const { fleet, fleetSentinels: asked, fleetSentinelName: name, fleetSentinelCa: ca } = options;
  if (fleet !== null && asked !== null) {
    throw failure('FLEET_SITES', { where: asked.origin, other: fleet.origin });
  }
  if (asked !== null && asked.value.length > 0) {
    const sentinels = asked.value.map(value => parseEngine(value, asked.origin, SENTINEL_PORT));
    requireOneKind(sentinels, asked.origin);
    requireTls(ca, sentinels);
    return {
      kind: 'sentinels',
      sentinels,
      primary: parseHostName(name.value, name.origin),
      user: options.fleetSentinelUser,
      passwordFile: options.fleetSentinelPasswordFile,
      caFile: ca?.value ?? null,
    };
  }
  if (fleet === null || fleet.value.length === 0) return null;
  const engines = fleet.value.map(value => parseEngine(value, fleet.origin));
  return { kind: 'engines', engines };
}

/** A certificate that nobody asks for would be a false sense of safety. */
function requireTls(ca: Given<string> | null, engines: readonly Engine[]): void {
  const plain = engines.find(({ tls }) => !tls);
  if (ca === null || plain === undefined) return;
  throw failure('FLEET_TLS', { where: ca.origin, engine: formatEngine(plain) });
}

/** What the engines are spoken to with is read off the sentinels, so these must not differ. */
function requireOneKind(sentinels: readonly Engine[], where: string): void {
  const [first] = sentinels;
  const other = sentinels.find(
    ({ tls, database }) => tls !== first?.tls || database !== first.database,
  );
  if (first === undefined || other === undefined) return;
  const named = { one: formatEngine(first), other: formatEngine(other) };
  throw failure('FLEET_SCHEMES', { where, ...named });
}

export const publishes = ({ role }: FleetSettings): boolean => role !== 'subscribe';
export const subscribes = ({ role }: FleetSettings): boolean => role !== 'publish';
