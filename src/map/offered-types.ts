/** Which types of maps the Postfix of this machine offers, and what is missing for others. */

import { failure } from '../base/errors.ts';
import { askPostconf } from '../postfix/command.ts';
import type { MapSpec } from './map.ts';

/** Debian's packages of types that are not in the package `postfix` itself; `lmdb:` is written without asking Postfix. */
const PACKAGES: ReadonlyMap<string, string> = new Map([['cdb', 'postfix-cdb']]);

/** What `postconf -m` prints; null when there is no Postfix to ask. */
export function offeredTypes(config: string | undefined): readonly string[] | null {
  return (
    askPostconf(['-m'], config ?? null)
      ?.split('\n')
      .filter(Boolean) ?? null
  );
}

/**
 * Postfix would defer all mail over a map that it cannot read.
 *
 * @param supported the types that we write
 * @throws Failure MAP_TYPE_MISSING
 */
export function requireOffered(
  { type, path, config }: MapSpec,
  supported: readonly string[],
): void {
  const offered = offeredTypes(config);
  if (offered === null || offered.includes(type)) return;
  const named = PACKAGES.get(type);
  throw failure('MAP_TYPE_MISSING', {
    spec: `${type}:${path}`,
    type,
    remedy: named === undefined ? '' : `install ${named}, or `,
    supported: supported.filter(one => offered.includes(one)).join(', '),
  });
}
