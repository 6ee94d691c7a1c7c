/**
 * Where the relay test is made: which port Postfix listens on, and an address of this machine's that is a stranger to it.
 */
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { canonicalIp, type IpText } from '../base/address.ts';
import { opensOtherNetworks } from '../base/partial-address.ts';
import { loadClassifier } from '../classifier/classifier.ts';
import { words } from '../postfix/words.ts';
import { isProxied, type PostfixState, parametersOf, type Service } from './postfix-state.ts';
import type { Endpoint } from './smtp-session.ts';

export interface RelayPlace {
  readonly endpoint: Endpoint;
  /** A domain that it takes mail for. */
  readonly domain: string;
  /** As Postfix has it for this port, or the daemon. */
  readonly mynetworks: string;
  /** The service of master.cf that sets restrictions of its own; null where main.cf's count. */
  readonly override: string | null;
  /** Whether it wants to hear from a proxy first. */
  readonly isProxied: boolean;
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

/** A place of a server that tells nobody how it is set up. */
export const unknownPlace = (endpoint: Endpoint, mynetworks: string | null): RelayPlace => ({
  endpoint,
  domain: hostname(),
  mynetworks: mynetworks ?? '',
  override: null,
  isProxied: false,
});

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
    override: service !== null && setsRestrictions(service) ? service.name : null,
    isProxied: isProxied(values),
  };
}

const setsRestrictions = ({ parameters }: Service): boolean =>
  [...parameters.keys()].some(name => /^smtpd_\w+_restrictions$/.test(name));

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

/** The addresses of this machine's interfaces, as `os.networkInterfaces` gives them. */
const interfaceAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap(found => (found ?? []).map(({ address }) => address));

/**
 * An address of this machine's that is neither in mynetworks nor in the map and may have a row, or null when there is none.
 *
 * Loopback first, since only programs of this machine can come from there.
 *
 * @param own what the interfaces have
 * @throws Failure of mynetworks
 */
export async function strangerAddress(
  { endpoint, mynetworks }: RelayPlace,
  parts: {
    readonly postfixConfig: string | null;
    /** Keys that the map has. */
    readonly taken: ReadonlySet<string>;
    readonly wholeAddresses: boolean;
  },
  own: readonly string[] = interfaceAddresses(),
): Promise<IpText | null> {
  const { postfixConfig, taken, wholeAddresses } = parts;
  const all = candidates(endpoint.host.includes(':'), own)
    .filter(ip => !taken.has(ip))
    .filter(ip => wholeAddresses || !opensOtherNetworks(ip));
  const classifier = await loadClassifier({
    mynetworks: mynetworks.trim() === '' ? 'none' : mynetworks,
    mynetworksOrigin: 'mynetworks (from postconf)',
    postfixConfig,
    exclude: 'none',
    excludeOrigin: 'the relay test',
    wholeAddresses: true,
    warn: () => undefined,
  });
  await classifier.prepare(all);
  return all.find(ip => classifier.classify(ip).kind === 'grantable') ?? null;
}

/** Any address of 127.0.0.0/8 is this machine's on Linux. */
function candidates(ipv6: boolean, own: readonly string[]): IpText[] {
  const random = `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(2, 255)}`;
  // What is valid on one link only cannot be connected from without naming it.
  const usable = own.filter(text => text.includes(':') === ipv6 && !text.startsWith('fe80:'));
  return [ipv6 ? '::1' : random, ...usable].flatMap(text => canonicalIp(text) ?? []);
}
