/**
 * Whether the program that reads a map instead of Postfix, or beside it, names that map, and whether the networks of the first one's
 * clients were given to us.
 */
import { failure } from '../base/errors.ts';
import { formatMapSpec, isForPostfix } from '../map/map-types.ts';
import { check, type Subject } from './check.ts';
import { failed, skipped, type Verdict, warning } from './finding.ts';
import type { Reader } from './other-mta-state.ts';

export interface OtherMtaFacts {
  /** Of the first map; null where Postfix reads that. */
  readonly first: Reader | null;
  /** Of the maps behind it. */
  readonly others: readonly Reader[];
  readonly hasMynetworks: boolean;
}

/** Whether the map is read by another server than Postfix: it cannot be Postfix's, or there is no Postfix, but such a server. */
export async function isOfOtherMta({ settings, postfix, otherMta }: Subject): Promise<boolean> {
  if (!isForPostfix(settings.map)) return true;
  return (await otherMta()) !== null && (await postfix()).kind === 'missing';
}

export const otherMtaCheck = check(
  'mta',
  async (subject): Promise<OtherMtaFacts> => {
    const { settings, otherMta, otherReaders } = subject;
    const isOther = await isOfOtherMta(subject);
    return {
      first: isOther ? { map: settings.map, state: await otherMta() } : null,
      others: await otherReaders(),
      hasMynetworks: settings.mynetworks.value !== null,
    };
  },
  judgeOtherMta,
);

export function judgeOtherMta({ first, others, hasMynetworks }: OtherMtaFacts): Verdict[] {
  // Of a map that is none of Postfix's the configuration's check tells that.
  const isMissed = first !== null && !hasMynetworks && isForPostfix(first.map);
  return [
    ...(isMissed ? [failed(failure('POSTCONF_MISSING', {}))] : []),
    ...[...(first === null ? [] : [first]), ...others].flatMap(judgeReader),
  ];
}

function judgeReader({ map, state }: Reader): Verdict[] {
  if (state === null)
    return [skipped(`not looked at: ${formatMapSpec(map)} is for a program that cannot be asked`)];
  const { server, configuration } = state;
  if (configuration.kind === 'known')
    return server.judge(configuration.text, map, configuration.rules);
  return [
    warning(
      `the configuration of ${server.name} cannot be looked at: ${configuration.reason}`,
      'run "popbsmtp doctor" as root',
    ),
  ];
}
