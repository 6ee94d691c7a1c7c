/**
 * Which Redis or Valkey the hosts of a fleet share their grants through, and what this host does there.
 *
 * Promises: an account's password is never taken from the address, where every user of the machine would see it.
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

export interface FleetSettings {
  readonly engine: Engine;
  readonly role: FleetRole;
  /** Null for the server's default user. */
  readonly user: string | null;
  /** Null for none, here and below. */
  readonly passwordFile: string | null;
  /** Certificates of those who may vouch for the server, in PEM; null for those that Node knows. */
  readonly caFile: string | null;
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

/**
 * Reads `redis://host:port/database` or, with TLS, `rediss://…` (the URI schemes registered with IANA).
 *
 * @param where named in the error
 * @throws Failure FLEET_URL
 */
export function parseEngine(value: string, where: string): Engine {
  const [, scheme, bracketed, plain, port = String(USUAL_PORT), database = '0'] =
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
  readonly fleet: Given<string> | null;
  readonly fleetRole: FleetRole;
  readonly fleetUser: string | null;
  readonly fleetPasswordFile: string | null;
  readonly fleetCa: Given<string> | null;
  readonly fleetPrefix: Given<string>;
  readonly fleetName: Given<string> | null;
  readonly fleetFormat: '1' | '2';
  /** Null for 0. */
  readonly fleetRenewal: number | null;
}

/**
 * Null without a fleet.
 *
 * @throws Failure FLEET_URL, FLEET_NAME, FLEET_TLS
 */
export function fleetOf(options: FleetOptions): FleetSettings | null {
  const { fleet, fleetCa: ca, fleetPrefix: prefix, fleetName: name } = options;
  if (fleet === null) return null;
  const engine = parseEngine(fleet.value, fleet.origin);
  if (ca !== null && !engine.tls) {
    throw failure('FLEET_TLS', { where: ca.origin, engine: formatEngine(engine) });
  }
  return {
    engine,
    role: options.fleetRole,
    user: options.fleetUser,
    passwordFile: options.fleetPasswordFile,
    caFile: ca?.value ?? null,
    prefix: parsePrefix(prefix.value, prefix.origin),
    name: parseHostName(name?.value ?? null, name?.origin ?? '--fleet-name'),
    format: options.fleetFormat === '2' ? 2 : 1,
    renewal: options.fleetRenewal ?? 0,
  };
}

export const publishes = ({ role }: FleetSettings): boolean => role !== 'subscribe';
export const subscribes = ({ role }: FleetSettings): boolean => role !== 'publish';
