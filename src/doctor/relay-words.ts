/** What an SMTP server says when it lets nobody relay, and what to do about it there: for the verdicts of the relay test. */

import type { MapSpec } from '../map/map.ts';
import { formatMapSpec } from '../map/map-types.ts';
import type { OtherMta } from './map-reader.ts';

export interface RelayWords {
  readonly server: string;
  /** What it says to whom it lets not relay, and to nobody else. */
  readonly refusal: RegExp;
  /** What it says when its own set-up or a table is broken. */
  readonly broken: RegExp;
  readonly brokenCure: string;
  /** What to do where it does not answer. */
  readonly silentCure: string;
  /** What to do where strangers may relay. */
  readonly openCure: string;
  /** What to do where it refuses whom the map has. */
  readonly unnamedCure: string;
  /** What to do where it lets relay whom the map had. */
  readonly staleCure: string;
}

/** @param override the service of master.cf whose own restrictions count; null for main.cf's */
export const postfixWords = (override: string | null): RelayWords => ({
  server: 'Postfix',
  // What reject_unauth_destination and reject say, and a broken table (smtpd_check.c).
  refusal: /(?:relay )?access denied/i,
  broken: /^451 4\.3\.[05] /,
  brokenCure: 'its log says what it lacks: a table that it cannot open, or a wrong line in main.cf',
  silentCure:
    'if "postfix status" says that it does not run, start it: systemctl start postfix, or postfix start; else look what it logs; --smtp HOST:PORT names another port',
  openCure: `let smtpd_relay_restrictions${override === null ? '' : ` of ${override} in master.cf`} end in reject_unauth_destination, and look at what stands before it`,
  unnamedCure: `name the map ${override === null ? 'in main.cf' : `in the -o options of ${override} in master.cf`} as the check of the restrictions says, then "postfix reload"`,
  staleCure:
    'look whether Postfix asks this very file: "postfix reload" lets it open its maps again',
});

/** @param server null where it is none that we know */
export function otherWords(server: OtherMta | null, map: MapSpec): RelayWords {
  const name = formatMapSpec(map);
  return {
    server: server?.name ?? 'the SMTP server',
    refusal: server?.refusal ?? /relay/i,
    broken: /^4[25]1 .*(?:problem|unable|fail|not available)/i,
    brokenCure: `its log says what it lacks: a map that it may not read, or a wrong line in its configuration`,
    silentCure: 'see that it runs, and what it logs; --smtp HOST:PORT names another port',
    openCure: `let nobody relay but those whom ${name} has, your own networks and who has authenticated; popbsmtp-mta(7) says where its line belongs`,
    unnamedCure: `name the map in its configuration as popbsmtp-mta(7) says, and ${server?.reload ?? 'restart it'}`,
    staleCure: `look whether it reads ${name}, and learns of its changes (popbsmtp-mta(7))`,
  };
}
