/**
 * A program other than Postfix that a map may be for, an SMTP server or a firewall: how it is asked for its configuration, and whether that names the map.
 *
 * Promises of each: nothing is run but the program's own command that prints its configuration, and what is asked tells nobody anything.
 */
import type { MapSpec } from '../map/map.ts';
import { formatMapSpec } from '../map/map-types.ts';
import { error, ok, type Verdict } from './finding.ts';

/** Where its configuration is to be had: printed by a program, or in a file. */
export type ConfigurationSource =
  | {
      readonly kind: 'printed';
      /** By any of its names. */
      readonly programs: readonly string[];
      readonly args: readonly string[];
    }
  | { readonly kind: 'file'; readonly paths: readonly string[] };

export interface OtherMta {
  readonly name: string;
  /** The types of maps that it reads. */
  readonly types: readonly string[];
  readonly source: ConfigurationSource;
  /** What it answers whom it lets not relay; null where it is none that speaks SMTP. */
  readonly refusal: RegExp | null;
  /** What becomes of a change of the configuration. */
  readonly reload: string;
  /** The directory of rules that its access file is made of; null where it has none. */
  rulesIn?(configuration: string): string | null;
  judge(configuration: string, map: MapSpec, rules: CompiledRules | null): Verdict[];
}

/** A directory of rules that a program compiles. */
export interface CompiledRules {
  readonly directory: string;
  /** Whether the map is in it, or a link to it. */
  readonly hasMap: boolean;
  /** Whether there is what is made of it. */
  readonly isCompiled: boolean;
}

export const named = (server: string, map: MapSpec): Verdict =>
  ok(`${server} names ${formatMapSpec(map)}`);

export const unnamed = (server: string, map: MapSpec, cure: string): Verdict =>
  error(
    `${server} does not name ${formatMapSpec(map)} in its configuration, so logins open nothing`,
    `write it there as popbsmtp-mta(7) says: ${cure}`,
  );

export const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
