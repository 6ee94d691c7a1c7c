/**
 * Where the relay test is made: which port Postfix listens on, and an address of this machine's that is a stranger to it.
 */
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { canonicalIp, type IpText } from '../classifier/address.ts';
import { loadClassifier } from '../classifier/classifier.ts';
import { words } from '../classifier/words.ts';
import { type PostfixState, parametersOf, type Service } from './postfix-state.ts';
import type { Endpoint } from './smtp-session.ts';

export interface RelayPlace {
  readonly endpoint: Endpoint;
  /** A domain that it takes mail for. */
  readonly domain: string;
  /** As Postfix has it for this port. */
  readonly mynetworks: string;
}

const SERVICES = '/etc/services';

/** The place that master.cf tells, or null when nothing there speaks plain SMTP over TCP. */
export function findPlace(state: PostfixState, services = SERVICES): RelayPlace | null {
  const places = state.services.flatMap(service => {
    const endpoint = endpointOf(state, service, services);
    return endpoint === null ? [] : [placeAt(endpoint, state, service)];
  });
  return places.find(({ endpoint }) => endpoint.port === 25) ?? places[0] ?? null;
}

/** The place at an endpoint that the user named. */
export function placeNamed(endpoint: Endpoint, state: PostfixState): RelayPlace {
  const service = state.services.find(each => {
    const found = endpointOf(state, each, SERVICES);
    return found?.port === endpoint.port && found.host === endpoint.host;
  });
  return placeAt(endpoint, state, service ?? null);
}

function placeAt(endpoint: Endpoint, state: PostfixState, service: Service | null): RelayPlace {
  const values = service === null ? state.parameters : parametersOf(state, service);
  const domains = words(values.get('mydestination') ?? '').filter(word => /^[\w-]+\./.test(word));
  return {
    endpoint,
    domain: domains[0] ?? values.get('myhostname') ?? 'localhost',
    mynetworks: values.get('mynetworks') ?? '',
  };
}

/** Null for what is no TCP port, or speaks TLS from the start. */
function endpointOf(state: PostfixState, service: Service, services: string): Endpoint | null {
  const [, host, name] = /^(?:\[?([^\]]*)\]?:)?([\w-]+)\/inet$/.exec(service.name) ?? [];
  const values = parametersOf(state, service);
  if (name === undefined || values.get('smtpd_tls_wrappermode') === 'yes') return null;
  const port = /^\d+$/.test(name) ? Number(name) : portOf(name, services);
  return port === null ? null : { host: host || hostOf(values), port };
}

/** Where Postfix listens when master.cf names no host (postconf(5), inet_interfaces). */
function hostOf(values: ReadonlyMap<string, string>): string {
  const loopback = values.get('inet_protocols') === 'ipv6' ? '::1' : '127.0.0.1';
  const [first = 'all'] = words(values.get('inet_interfaces') ?? '');
  return ['all', 'loopback-only', 'localhost'].includes(first) ? loopback : first;
}

function portOf(name: string, services: string): number | null {
  if (name === 'smtp') return 25;
  const line = new RegExp(
    String.raw`^(?:${name}\s+(\d+)/tcp|\S+\s+(\d+)/tcp.*\s${name}(?:\s|$))`,
    'm',
  );
  try {
    const found = line.exec(readFileSync(services, 'utf8'));
    return found === null ? null : Number(found[1] ?? found[2]);
  } catch {
    return null;
  }
}

/**
 * An address of this machine's that is neither in mynetworks nor in the map, or null when there is none.
 *
 * Loopback first, since only programs of this machine can come from there.
 *
 * @throws Failure of mynetworks
 */
export async function strangerAddress(
  { endpoint, mynetworks }: RelayPlace,
  postfixConfig: string | null,
  taken: ReadonlySet<string>,
): Promise<IpText | null> {
  const candidates = ownAddresses(endpoint.host.includes(':')).filter(ip => !taken.has(ip));
  const classifier = await loadClassifier({
    mynetworks: mynetworks.trim() === '' ? 'none' : mynetworks,
    mynetworksOrigin: 'mynetworks (from postconf)',
    postfixConfig,
    exclude: 'none',
    excludeOrigin: 'the relay test',
    warn: () => undefined,
  });
  await classifier.prepare(candidates);
  return candidates.find(ip => classifier.classify(ip).kind === 'grantable') ?? null;
}

/** Addresses that programs of this machine can come from. */
function ownAddresses(ipv6: boolean): IpText[] {
  const random = `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(2, 255)}`;
  const others = Object.values(networkInterfaces())
    .flatMap(addresses => addresses ?? [])
    .filter(({ internal, family }) => !internal && family === (ipv6 ? 'IPv6' : 'IPv4'))
    .map(({ address }) => address)
    .filter(address => !address.startsWith('fe80:'));
  return [ipv6 ? '::1' : random, ...others].flatMap(text => canonicalIp(text) ?? []);
}
