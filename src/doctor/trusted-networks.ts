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
import { canBeTold, commandLine, type Edit } from '../postfix/edit.ts';
import { words } from '../postfix/words.ts';
import { check, type Subject } from './check.ts';
import { error, failed, ok, type Verdict, warning } from './finding.ts';
import { isLocal, isSmtpd, type PostfixState } from './postfix-state.ts';
import { isServiceActive, RELOAD_SERVICE } from './service-state.ts';

/** One list that is in force somewhere, read. */
export interface TrustedNetworks {
  readonly origin: string;
  readonly entries: readonly Entry[] | Failure;
  /** The command that takes away what opens the relay to the world; null where none is sure. */
  readonly closing: string | null;
}

/** A list as it stands somewhere. */
interface Place {
  readonly origin: string;
  readonly file: Edit['file'];
  /** As PostfixState.written has it. */
  readonly name: string;
  readonly text: string;
}

export const mynetworksCheck = check('mynetworks', gather, judgeTrustedNetworks);

async function gather({ settings, postfix, service }: Subject): Promise<TrustedNetworks[]> {
  const answer = await postfix();
  if (answer.kind !== 'known') return [];
  const { state } = answer;
  // The daemon has read main.cf's, and may run with it.
  const then = isServiceActive(await service()) ? ` && ${RELOAD_SERVICE}` : '';
  return placesIn(state).map(place => ({
    origin: place.origin,
    entries: entriesOf(place.text, place.origin),
    closing: closingIn(
      place,
      state.written.get(place.name) ?? place.text,
      settings.postfixConfig,
      then,
    ),
  }));
}

function placesIn({ parameters, services }: PostfixState): Place[] {
  const text = parameters.get('mynetworks') ?? '';
  return [
    { origin: 'main.cf', file: 'main.cf', name: 'mynetworks', text },
    ...services
      .filter(service => isSmtpd(service) && !isLocal(service))
      .flatMap(({ name, parameters: own }): Place[] => {
        const found = own.get('mynetworks');
        if (found === undefined) return [];
        const [origin, at] = [`master.cf for ${name}`, `${name}/mynetworks`];
        return [{ origin, file: 'master.cf', name: at, text: found }];
      }),
  ];
}

/** For a host whose list is empty then; as Debian sets it. */
const LOOPBACK = '127.0.0.0/8, [::1]/128';

/**
 * @param written the list with its variables
 * @param config the directory of main.cf, or null for Postfix's default
 * @param then what is to be done behind it
 */
export function closingIn(
  { origin, file, name, text }: Place,
  written: string,
  config: string | null,
  then: string,
): string | null {
  const [expanded, original] = [words(text), words(written)];
  if (expanded.length !== original.length) return null;
  const kept = original.filter((_, index) => !opensAlone(expanded[index] ?? '', origin));
  const edit = { file, name, value: kept.length === 0 ? LOOPBACK : kept.join(', ') };
  return kept.length < original.length && canBeTold(edit)
    ? `${commandLine([edit], config)}${then}`
    : null;
}

/** Whether this word of a list, which names no file, opens the relay to the world. */
function opensAlone(word: string, origin: string): boolean {
  if (word.startsWith('/')) return false;
  const entries = entriesOf(word, origin);
  return (
    !(entries instanceof Failure) &&
    entries.some(entry => entry.included && openingOf(entry) !== null)
  );
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
  return lists.flatMap(({ origin, entries, closing }) =>
    entries instanceof Failure ? [failed(entries)] : judgeList(origin, entries, closing),
  );
}

function judgeList(origin: string, all: readonly Entry[], closing: string | null): Verdict[] {
  const entries = all.filter(({ included }) => included);
  const open = entries.flatMap(entry => openingOf(entry) ?? []);
  const wide = publicOf(entries).filter(
    ({ family, bits }) => bits >= WORLD[family] && bits < WIDE[family],
  );
  const verdicts: Verdict[] = open.map(text =>
    error(
      `${origin}: mynetworks holds ${text}, so strangers may relay without any login`,
      `name only networks whose every machine you answer for${closing === null ? '' : `: ${closing}`}`,
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
