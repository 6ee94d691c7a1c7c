/**
 * What the installed Postfix says of itself: map types, the parameters that decide who may relay, and its smtpd services
 * with what master.cf sets for each of them.
 *
 * Promises: values as smtpd sees them, with variables expanded (postconf(1), `-x` and `-P`, Postfix 2.11 and later).
 */
import { REDIRECTION_PARAMETERS } from '../map/redirection.ts';
import { complaint, runPostfixCommand } from '../postfix/command.ts';
import { parseParameters } from '../postfix/parameters.ts';
import { words } from '../postfix/words.ts';
import { LISTS } from './restriction-list.ts';

/** A service that speaks SMTP with clients. */
export interface Service {
  /** As postconf names it: `smtp/inet`, `127.0.0.1:10025/inet`. */
  readonly name: string;
  readonly command: 'smtpd' | 'postscreen';
  /** What master.cf sets for it alone. */
  readonly parameters: ReadonlyMap<string, string>;
}

export interface PostfixState {
  /** The types of maps that it knows. */
  readonly types: readonly string[];
  /** Of main.cf, or by default. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly services: readonly Service[];
  /** As main.cf and master.cf have them, with their variables; those of master.cf as `service/type/parameter`. */
  readonly written: ReadonlyMap<string, string>;
}

/** The state, or why it is not to be had. */
export type PostfixAnswer =
  | { readonly kind: 'known'; readonly state: PostfixState }
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly reason: string };

const CLASSES = 'smtpd_restriction_classes';
/** Who tells smtpd, or postscreen, its clients. */
const PROXY = 'smtpd_upstream_proxy_protocol';
const PARAMETERS = [
  ...LISTS.map(({ name }) => name),
  CLASSES,
  'inet_interfaces',
  'inet_protocols',
  PROXY,
  'postscreen_upstream_proxy_protocol',
  'mydestination',
  'myhostname',
  'mynetworks',
  'queue_directory',
  'smtpd_policy_service_default_action',
  ...REDIRECTION_PARAMETERS,
];

/** Postfix reads a main.cf of the last seconds again and again until it is older (src/util/dict.c). */
const TIMEOUT_MS = 15_000;

class NoAnswer extends Error {}
class NoPostfix extends Error {}

/** @param config the directory of main.cf, or null for Postfix's default */
export async function askPostfix(config: string | null): Promise<PostfixAnswer> {
  try {
    return { kind: 'known', state: await stateOf(config) };
  } catch (error) {
    if (error instanceof NoPostfix) return { kind: 'missing' };
    if (error instanceof NoAnswer) return { kind: 'failed', reason: error.message };
    throw error;
  }
}

async function stateOf(config: string | null): Promise<PostfixState> {
  const [types = '', services = '', overrides = '', parameters = '', main = '', master = ''] =
    await Promise.all(
      [['-m'], ['-M'], ['-x', '-P'], ['-x', ...PARAMETERS], ['-n'], ['-P']].map(args =>
        postconf(config, args),
      ),
    );
  const known = parseParameters(parameters);
  const classes = words(known.get(CLASSES) ?? '');
  const members = classes.length === 0 ? '' : await postconf(config, ['-x', ...classes]);
  return {
    types: words(types.replaceAll('\n', ' ')),
    parameters: new Map([...known, ...parseParameters(members)]),
    services: parseServices(services, overrides),
    written: new Map([...parseParameters(main), ...parseParameters(master)]),
  };
}

async function postconf(config: string | null, args: readonly string[]): Promise<string> {
  const result = await runPostfixCommand('postconf', args, { config, timeoutMs: TIMEOUT_MS });
  if (result.kind === 'missing') throw new NoPostfix();
  if (result.kind === 'broken') throw new NoAnswer(result.reason);
  const { status, stdout, stderr } = result;
  if (status !== 0) throw new NoAnswer(complaint(stderr) || `status ${status}`);
  return stdout;
}

/** @param table from `postconf -M` @param overrides from `postconf -P` */
export function parseServices(table: string, overrides: string): Service[] {
  const settings = Array.from(
    overrides.matchAll(/^(\S+\/[a-z-]+)\/([^\s/]+) = ?(.*)$/gm),
    ([, service = '', name = '', value = '']) => ({ service, name, value }),
  );
  return table.split('\n').flatMap((line): Service[] => {
    const [service, type, , , , , , command] = line.trim().split(/\s+/);
    if (command !== 'smtpd' && command !== 'postscreen') return [];
    const name = `${service}/${type}`;
    const own = settings.filter(setting => setting.service === name);
    return [{ name, command, parameters: new Map(own.map(set => [set.name, set.value])) }];
  });
}

/** The parameters in force for a service. */
export const parametersOf = (
  { parameters }: PostfixState,
  service: Service,
): ReadonlyMap<string, string> => new Map([...parameters, ...service.parameters]);

/** Whether a proxy in front tells it the clients. */
export const isProxied = (values: ReadonlyMap<string, string>): boolean =>
  (values.get(PROXY) ?? '') !== '' ||
  (values.get('postscreen_upstream_proxy_protocol') ?? '') !== '';

/** Whether only programs of this machine can reach a service. */
export const isLocal = ({ name }: Service): boolean =>
  /^(?:127\.|\[?::1\]?:|localhost:)/.test(name) || name.endsWith('/unix');

/** What a postscreen in front hands its clients to has the type `pass` (master(5)). */
export const isSmtpd = ({ command }: Service): boolean => command === 'smtpd';
