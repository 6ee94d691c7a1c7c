/**
 * All checks, in the order in which a login makes its way: configuration, log, map, daemon, Postfix.
 */
import type { Check, Subject } from './check.ts';
import { clientsCheck } from './clients.ts';
import { configurationCheck } from './configuration.ts';
import { daemonCheck } from './daemon.ts';
import type { Finding } from './finding.ts';
import { fleetCheck } from './fleet.ts';
import { instancesCheck } from './instances.ts';
import { loginsCheck } from './logins.ts';
import { clockCheck, logCheck } from './logs.ts';
import { lookupCheck } from './lookup.ts';
import { mapCheck, rowsCheck } from './map.ts';
import { otherMapsCheck } from './other-maps.ts';
import { policyCheck } from './policy.ts';
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
  postfixCheck,
  restrictionsCheck,
  otherMapsCheck,
  instancesCheck,
  mynetworksCheck,
  lookupCheck,
  relayCheck,
];

/**
 * What is found, as it is found.
 *
 * @throws Interrupted when the user ends it; no probe row is left then
 */
export async function* examine(subject: Subject): AsyncGenerator<Finding> {
  for (const { name, run } of CHECKS) {
    const verdicts = await run(subject);
    if (subject.ended.aborted) throw new Interrupted();
    for (const verdict of verdicts) yield { check: name, ...verdict };
  }
}
