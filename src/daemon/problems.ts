/**
 * Everything that is wrong with some settings: each option by itself, then what several come to, and what they name in files.
 *
 * A start tells the first error that it meets; who checks a file wants them all.
 * Leaves to others: what is not of the file, such as whether Postfix answers or the map can be written (doctor/).
 */
import { readFileSync } from 'node:fs';
import { Failure } from '../base/errors.ts';
import { parseNetworkList } from '../base/network.ts';
import { parseGivenMynetworks } from '../classifier/mynetworks-parser.ts';
import { parseListening } from '../control/listening.ts';
import { fleetOf, parseHostName, parsePrefix } from '../fleet/engine.ts';
import { parseGraceFor } from '../grant/grace.ts';
import { parseUserList } from '../grant/user-list.ts';
import { parseSize } from '../history/size.ts';
import { zoneOf } from '../line/zone.ts';
import { mapsOf } from '../map/spec.ts';
import { optionsOf, specOf } from '../options/options.ts';
import { someOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import { loadPatterns, patternsIn } from '../recogniser/load.ts';

type Check = (values: Values) => unknown;

/** What an entry of the table hands on as a text, each read by the room that knows its grammar. */
const CHECKS: readonly Check[] = [
  values =>
    mapsOf(
      someOf(
        values,
        'map',
        'postfix-config',
        'table-command',
        'map-rules',
        'makemap-prefix',
        'makemap-value',
      ),
    ),
  values => {
    const { graceFor } = someOf(values, 'grace-for');
    return graceFor && parseGraceFor(graceFor);
  },
  values => {
    const { exclude } = someOf(values, 'exclude');
    return parseNetworkList(exclude.value, exclude.origin);
  },
  values => {
    const { mynetworks } = someOf(values, 'mynetworks');
    return mynetworks && parseGivenMynetworks(mynetworks.value, contextOf(mynetworks.origin));
  },
  ...(['allow-users', 'deny-users'] as const).map(
    (name): Check =>
      values => {
        const [given = null] = Object.values(someOf(values, name));
        return given && parseUserList(given.value, given.origin);
      },
  ),
  values => {
    const { metricsListen } = someOf(values, 'metrics-listen');
    return metricsListen && parseListening(metricsListen.value, metricsListen.origin);
  },
  values => fleetOf(someOf(values, ...FLEET)),
  values => {
    const { fleetPrefix } = someOf(values, 'fleet-prefix');
    return parsePrefix(fleetPrefix.value, fleetPrefix.origin);
  },
  values => {
    const { fleetSentinelName: name } = someOf(values, 'fleet-sentinel-name');
    return parseHostName(name.value, name.origin);
  },
  values => {
    const { fleetName } = someOf(values, 'fleet-name');
    return fleetName && parseHostName(fleetName.value, fleetName.origin);
  },
  values => loadPatterns(patternsIn(someOf(values, 'patterns').patterns)),
  values => {
    const { dovecotElements } = someOf(values, 'dovecot-elements');
    return (
      dovecotElements &&
      loadPatterns(patternsIn(null), { elements: dovecotElements, instance: null })
    );
  },
  values => {
    const { trustedRelays } = someOf(values, 'trusted-relays');
    return trustedRelays && loadPatterns(patternsIn(null), undefined, trustedRelays);
  },
  values => zoneOf(someOf(values, 'watchlog-zone').watchlogZone),
  values => parseSize(someOf(values, 'history-size').historySize),
];

const FLEET = [
  'fleet',
  'fleet-role',
  'fleet-read',
  'fleet-user',
  'fleet-password-file',
  'fleet-ca',
  'fleet-sentinels',
  'fleet-sentinel-name',
  'fleet-sentinel-user',
  'fleet-sentinel-password-file',
  'fleet-sentinel-ca',
  'fleet-prefix',
  'fleet-name',
  'fleet-format',
  'fleet-renewal',
] as const;

const contextOf = (origin: string): Parameters<typeof parseGivenMynetworks>[1] => ({
  origin,
  readText: path => readFileSync(path, 'utf8'),
  warn: () => undefined,
});

/** In the order of the options; nothing twice. */
export async function problemsOf(values: Values): Promise<Failure[]> {
  const single = optionsOf('run').map(
    (name): Check =>
      all =>
        specOf(name).read(all.given(name)),
  );
  const found = new Map<string, Failure>();
  for (const check of [...single, ...CHECKS]) {
    try {
      await check(values);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      found.set(error.line, error);
    }
  }
  return [...found.values()];
}
