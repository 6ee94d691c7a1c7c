/**
 * All checks, in the order in which a login makes its way: configuration, log, map, daemon, Postfix.
 */
import { formatMapSpec } from '../map/map-types.ts';
import type { Check, Subject } from './check.ts';
import { clientsCheck } from './clients.ts';
import { configurationCheck } from './configuration.ts';
import { daemonCheck } from './daemon.ts';
import { type CheckName, type Finding, ok } from './finding.ts';
import { fleetCheck } from './fleet.ts';
import { instancesCheck } from './instances.ts';
import { loginsCheck } from './logins.ts';
import { clockCheck, logCheck } from './logs.ts';
import { lookupCheck } from './lookup.ts';
import { mapCheck, rowsCheck } from './map.ts';
import { otherMapsCheck } from './other-maps.ts';
import { isOfOtherMta, otherMtaCheck } from './other-mta.ts';
import { policyCheck } from './policy.ts';
import { policyServiceCheck } from './policy-service.ts';
import { postfixCheck } from './postfix.ts';
import { Interrupted } from './probe.ts';
import { relayCheck } from './relay.ts';
import { restrictionsCheck } from './restrictions.ts';
import { serviceCheck } from './service.ts';
import { mynetworksCheck } from './trusted-networks.ts';

const CHECKS: readonly Check[] = [
  configurationCheck,
  logCheck,
  loginsCheck,
  clockCheck,
  policyCheck,
  clientsCheck,
  mapCheck,
  rowsCheck,
  daemonCheck,
  serviceCheck,
  fleetCheck,
  otherMtaCheck,
  postfixCheck,
  restrictionsCheck,
  otherMapsCheck,
  policyServiceCheck,
  instancesCheck,
  mynetworksCheck,
  lookupCheck,
  relayCheck,
];

/** What is about Postfix and main.cf: of no use where another program reads the map. */
const OF_POSTFIX: ReadonlySet<CheckName> = new Set([
  'postfix',
  'restrictions',
  'maps',
  'policy socket',
  'mynetworks',
  'lookup',
]);

/**
 * What is found, as it is found.
 *
 * @throws Interrupted when the user ends it; no probe row is left then
 */
export async function* examine(subject: Subject): AsyncGenerator<Finding> {
  const isOther = await isOfOtherMta(subject);
  for (const { name, run } of CHECKS) {
    if (isOther && OF_POSTFIX.has(name)) continue;
    const verdicts = await run(subject);
    if (subject.ended.aborted) throw new Interrupted();
    for (const verdict of verdicts) yield { check: name, ...verdict };
  }
  if (!isOther) return;
  const name = formatMapSpec(subject.settings.map);
  yield { check: 'postfix', ...ok(`skipped: ${name} is for another program`) };
}
