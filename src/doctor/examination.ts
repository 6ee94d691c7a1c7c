/**
 * All checks, in the order in which a login makes its way: configuration, log, map, daemon, Postfix.
 */
import type { Check, Subject } from './check.ts';
import { clientsCheck } from './clients.ts';
import { configurationCheck } from './configuration.ts';
import { daemonCheck } from './daemon.ts';
import type { CheckName, Finding } from './finding.ts';
import { fleetCheck } from './fleet.ts';
import { instancesCheck } from './instances.ts';
import { loginsCheck } from './logins.ts';
import { clockCheck, logCheck } from './logs.ts';
import { lookupCheck } from './lookup.ts';
import { mapCheck, rowsCheck } from './map.ts';
import { otherMapsCheck } from './other-maps.ts';
import { isOfOtherServer, otherServerCheck } from './other-server.ts';
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
  otherServerCheck,
  postfixCheck,
  restrictionsCheck,
  otherMapsCheck,
  instancesCheck,
  mynetworksCheck,
  lookupCheck,
  relayCheck,
];

/** What is about Postfix and main.cf: of no use where another program reads the map, which has a check of its own instead. */
const OF_POSTFIX: ReadonlySet<CheckName> = new Set([
  'postfix',
  'restrictions',
  'maps',
  'instances',
  'mynetworks',
  'lookup',
]);
const OF_OTHERS: ReadonlySet<CheckName> = new Set(['server']);

/**
 * What is found, as it is found.
 *
 * @throws Interrupted when the user ends it; no probe row is left then
 */
export async function* examine(subject: Subject): AsyncGenerator<Finding> {
  const leftOut = (await isOfOtherServer(subject)) ? OF_POSTFIX : OF_OTHERS;
  for (const { name, run } of CHECKS) {
    if (leftOut.has(name)) continue;
    const verdicts = await run(subject);
    if (subject.ended.aborted) throw new Interrupted();
    for (const verdict of verdicts) yield { check: name, ...verdict };
  }
}
