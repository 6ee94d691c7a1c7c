/**
 * Whether Postfix itself reads a row that is written as the daemon writes it (`postmap -q`).
 */
import { randomInt } from 'node:crypto';
import { canonicalIp, type IpText } from '../base/address.ts';
import { Failure } from '../base/errors.ts';
import { formatMapSpec } from '../map/map-types.ts';
import { postmapQuery } from '../postfix/table-query.ts';
import { check, type Subject } from './check.ts';
import { error, ok, skipped, type Verdict } from './finding.ts';
import { keysOf, type Probed, withProbeRow } from './probe.ts';

export interface LookupFacts {
  readonly ip: IpText;
  readonly map: string;
  /** Whether the row was found; null when Postfix is not there to be asked. */
  readonly probed: Probed<boolean | Failure> | null;
}

export const lookupCheck = check('lookup', gather, judgeLookup);

async function gather(subject: Subject): Promise<LookupFacts> {
  const { map, postfixConfig } = subject.settings;
  const name = formatMapSpec(map);
  const ip = freeAddress(await keysOf(subject));
  const answer = await subject.postfix();
  if (answer.kind !== 'known' || !answer.state.types.includes(map.type))
    return { ip, map: name, probed: null };
  const query = postmapQuery(postfixConfig);
  const probed = await withProbeRow(subject, ip, async () => {
    try {
      return (await query(name, [ip])).has(ip);
    } catch (problem) {
      if (problem instanceof Failure) return problem;
      throw problem;
    }
  });
  return { ip, map: name, probed };
}

/** One without a row, in a block for documentation (RFC 5737), so that it is nobody's. */
function freeAddress(taken: ReadonlySet<string>): IpText {
  for (;;) {
    const ip = canonicalIp(`192.0.2.${randomInt(1, 255)}`);
    if (ip !== null && !taken.has(ip)) return ip;
  }
}

export function judgeLookup({ ip, map, probed }: LookupFacts): Verdict[] {
  if (probed === null) return [skipped(`not tried: no Postfix that reads ${map} can be asked`)];
  if (probed.kind === 'skipped') return [probed.verdict];
  const { result, leftOver } = probed;
  return [resultVerdict(result, ip, map), ...(leftOver === null ? [] : [leftOver])];
}

function resultVerdict(result: boolean | Failure, ip: IpText, map: string): Verdict {
  if (result instanceof Failure)
    return error(
      `Postfix cannot read the map: ${result.message}`,
      'it defers all mail then: fix that, or take the map out of main.cf until it is fixed',
    );
  if (result) return ok(`Postfix finds a row that is written to ${map}`);
  return error(
    `a row of ${ip} was written to ${map}, but Postfix does not find it`,
    'make the map anew: stop the daemon, move the file away, start the daemon, then "postfix reload"',
  );
}
