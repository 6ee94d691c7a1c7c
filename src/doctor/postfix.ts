/**
 * Whether Postfix is there, can be asked, knows the types of the maps, and takes them for what they are.
 */
import { failure } from '../base/errors.ts';
import type { MapSpec } from '../map/map.ts';
import { isForPostfix } from '../map/map-types.ts';
import { redirectionOf } from '../map/redirection.ts';
import { allOf } from '../map/spec.ts';
import { words } from '../postfix/words.ts';
import { check } from './check.ts';
import { error, failed, ok, type Verdict } from './finding.ts';
import {
  isLocal,
  isProxied,
  type PostfixAnswer,
  type PostfixState,
  parametersOf,
} from './postfix-state.ts';

export interface PostfixFacts {
  readonly answer: PostfixAnswer;
  /** The map of the daemon, and those that follow it, but for types that are none of Postfix's. */
  readonly maps: readonly MapSpec[];
}

export const postfixCheck = check(
  'postfix',
  async ({ settings, postfix }) => ({
    answer: await postfix(),
    maps: allOf(settings).filter(isForPostfix),
  }),
  judgePostfix,
);

export function judgePostfix({ answer, maps }: PostfixFacts): Verdict[] {
  switch (answer.kind) {
    case 'missing':
      return [
        error(
          'postconf was not found, so Postfix cannot be looked at',
          'install Postfix, or run this where it is',
        ),
      ];
    case 'failed':
      return [
        error(
          `postconf cannot say how Postfix is set up: ${answer.reason}`,
          'fix main.cf or master.cf, or name their directory with --postfix-config',
        ),
      ];
    case 'known':
      return [
        ...maps.map(map => mapVerdict(map, answer.state)),
        ...interfaceVerdicts(answer.state),
      ];
  }
}

const LOCAL: ReadonlySet<string> = new Set([
  'loopback-only',
  'localhost',
  '127.0.0.1',
  '::1',
  '[::1]',
]);

/** Where all that speaks SMTP listens for programs of this machine only, and no proxy stands in front of it. */
function interfaceVerdicts(state: PostfixState): Verdict[] {
  const open = state.services.filter(service => {
    const values = parametersOf(state, service);
    const interfaces = words(values.get('inet_interfaces') ?? 'all');
    const everywhere = /^[^:]*\/inet$/.test(service.name);
    const isShut = everywhere ? interfaces.every(each => LOCAL.has(each)) : isLocal(service);
    return service.name.endsWith('/inet') && (!isShut || isProxied(values));
  });
  if (open.length > 0 || state.services.length === 0) return [];
  const interfaces = state.parameters.get('inet_interfaces') ?? '';
  return [
    error(
      `no client can reach this Postfix: it listens on this machine's loopback only (inet_interfaces = ${interfaces})`,
      'let it listen for clients: postconf -e "inet_interfaces = all", then restart it: systemctl restart postfix',
    ),
  ];
}

function mapVerdict({ type, path }: MapSpec, { types, parameters }: PostfixState): Verdict {
  if (!types.includes(type))
    return error(
      `it has no maps of type ${type} (postconf -m), so a map of that type stops all mail`,
      `install the package for it (Debian: postfix-${type}), then restart Postfix`,
    );
  const taken = redirectionOf(type, parameters);
  if (taken === null) return ok(`it reads maps of type ${type}`);
  return failed(failure('MAP_REDIRECTED', { type, path, target: taken.type, level: taken.level }));
}
