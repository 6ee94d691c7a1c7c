/** Whether the SMTP server that is there instead of Postfix names the map, and whether its networks were given to us. */
import { failure } from '../base/errors.ts';
import type { MapSpec } from '../map/map.ts';
import { formatMapSpec, isForPostfix } from '../map/map-types.ts';
import { check, type Subject } from './check.ts';
import { failed, skipped, type Verdict, warning } from './finding.ts';
import type { OtherMtaState } from './other-mta-state.ts';

export interface OtherMtaFacts {
  readonly map: MapSpec;
  readonly state: OtherMtaState | null;
  readonly hasMynetworks: boolean;
}

/** Whether the map is read by another server than Postfix: it cannot be Postfix's, or there is no Postfix, but such a server. */
export async function isOfOtherMta({ settings, postfix, otherMta }: Subject): Promise<boolean> {
  if (!isForPostfix(settings.map)) return true;
  return (await otherMta()) !== null && (await postfix()).kind === 'missing';
}

export const otherMtaCheck = check(
  'mta',
  async ({ settings, otherMta }) => ({
    map: settings.map,
    state: await otherMta(),
    hasMynetworks: settings.mynetworks.value !== null,
  }),
  judgeOtherMta,
);

export function judgeOtherMta({ map, state, hasMynetworks }: OtherMtaFacts): Verdict[] {
  // Of a map that is none of Postfix's the configuration's check tells that.
  const missing =
    hasMynetworks || !isForPostfix(map) ? [] : [failed(failure('POSTCONF_MISSING', {}))];
  if (state === null)
    return [
      ...missing,
      skipped(`not looked at: ${formatMapSpec(map)} is for a program that cannot be asked`),
    ];
  const { server, configuration } = state;
  if (configuration.kind === 'unknown')
    return [
      ...missing,
      warning(
        `the configuration of ${server.name} cannot be looked at: ${configuration.reason}`,
        'run "popbsmtp doctor" as root',
      ),
    ];
  return [...missing, ...server.judge(configuration.text, map)];
}
