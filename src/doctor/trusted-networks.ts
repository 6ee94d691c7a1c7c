/**
 * Whom Postfix lets relay anyway: mynetworks, of main.cf and of each service.
 *
 * Private networks and small public ones are an administrator's usual choice; whole blocks of the Internet are a slip.
 */

import { readFileSync } from 'node:fs';
import { Failure } from '../base/errors.ts';
import { type Network, parseNetwork } from '../base/network.ts';
import type { Entry } from '../classifier/mynetworks.ts';
import { parseMynetworks } from '../classifier/mynetworks-parser.ts';
import { check, type Subject } from './check.ts';
import { error, failed, ok, type Verdict, warning } from './finding.ts';
import { isLocal, isSmtpd } from './postfix-state.ts';

/** One list that is in force somewhere, read. */
export interface TrustedNetworks {
  readonly origin: string;
  readonly entries: readonly Entry[] | Failure;
}

export const mynetworksCheck = check('mynetworks', gather, judgeTrustedNetworks);

async function gather({ postfix }: Subject): Promise<TrustedNetworks[]> {
  const answer = await postfix();
  if (answer.kind !== 'known') return [];
  const { parameters, services } = answer.state;
  const lists = [
    { origin: 'main.cf', text: parameters.get('mynetworks') ?? '' },
    ...services
      .filter(service => isSmtpd(service) && !isLocal(service))
      .flatMap(({ name, parameters: own }) => {
        const text = own.get('mynetworks');
        return text === undefined ? [] : [{ origin: `master.cf for ${name}`, text }];
      }),
  ];
  return lists.map(({ origin, text }) => ({ origin, entries: entriesOf(text, origin) }));
}

function entriesOf(text: string, origin: string): readonly Entry[] | Failure {
  try {
    const readText = (path: string): string => readFileSync(path, 'utf8');
    return parseMynetworks(text, { origin, readText, warn: () => undefined }).entries;
  } catch (problem) {
    if (problem instanceof Failure) return problem;
    throw problem;
  }
}

/**
 * RFC 1918, 6598 (shared by a provider's customers), 3927, 4193, and loopback: no stranger comes from there over the
 * Internet.
 */
const PRIVATE = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '100.64.0.0/10',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
].flatMap(text => {
  const parsed = parseNetwork(text);
  return 'network' in parsed ? [parsed.network] : [];
});

/** Prefixes shorter than these are no single organisation's (the largest blocks that registries give away). */
const WORLD = { ipv4: 8, ipv6: 16 } as const;
/** Shorter than these is more than most administrators mean. */
const WIDE = { ipv4: 16, ipv6: 32 } as const;

const isPrivate = (network: Network): boolean => PRIVATE.some(each => network.within(each));

export function judgeTrustedNetworks(lists: readonly TrustedNetworks[]): Verdict[] {
  return lists.flatMap(({ origin, entries }) =>
    entries instanceof Failure ? [failed(entries)] : judgeList(origin, entries),
  );
}

function judgeList(origin: string, all: readonly Entry[]): Verdict[] {
  const entries = all.filter(({ included }) => included);
  const open = entries.flatMap(entry => openingOf(entry) ?? []);
  const wide = publicOf(entries).filter(
    ({ family, bits }) => bits >= WORLD[family] && bits < WIDE[family],
  );
  const verdicts: Verdict[] = open.map(text =>
    error(
      `${origin}: mynetworks holds ${text}, so strangers may relay without any login`,
      'name only networks whose every machine you answer for',
    ),
  );
  if (wide.length > 0)
    verdicts.push(
      warning(
        `${origin}: mynetworks holds ${wide.join(', ')}, wider than most mean it`,
        'make sure that every machine there may relay',
      ),
    );
  return verdicts.length > 0 ? verdicts : [ok(`${origin}: ${summary(entries)}`)];
}

/** What opens the relay for much of the Internet. */
function openingOf(entry: Entry): string | null {
  if (entry.kind === 'table') return entry.table.startsWith('static:') ? entry.table : null;
  const network = entry.network.folded();
  return !isPrivate(network) && network.bits < WORLD[network.family] ? `${network}` : null;
}

const publicOf = (entries: readonly Entry[]): Network[] =>
  entries
    .flatMap(entry => (entry.kind === 'network' ? [entry.network.folded()] : []))
    .filter(network => !isPrivate(network));

function summary(entries: readonly Entry[]): string {
  const outside = publicOf(entries);
  const tables = entries.flatMap(entry => (entry.kind === 'table' ? [entry.table] : []));
  return [
    outside.length === 0
      ? 'mynetworks holds private networks only'
      : `mynetworks also holds public networks: ${outside.join(', ')}`,
    ...(tables.length === 0 ? [] : [`and what ${tables.join(', ')} holds, which is not looked at`]),
  ].join(', ');
}
