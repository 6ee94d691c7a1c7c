/**
 * Settings ready to use: no optional field, every value parsed.  cli/settings.ts makes them.
 */

import type { Listening } from '../control/listener.ts';
import type { FleetSettings } from '../fleet/engine.ts';
import type { Grace } from '../grant/grace.ts';
import type { Policy } from '../grant/policy.ts';
import type { MapSpec } from '../map/map.ts';
import type { PatternsDirectory } from '../recogniser/load.ts';

/** What decides about a line: everything that a reload reads again. */
export interface RuleSettings {
  readonly patterns: PatternsDirectory;
  /** How long a grant lasts after the last login. */
  readonly grace: Grace;
  /** The value is null when Postfix is to be asked. */
  readonly mynetworks: { readonly value: string | null; readonly origin: string };
  readonly postfixConfig: string | null;
  readonly exclude: { readonly value: string; readonly origin: string };
  readonly policy: Policy;
}

interface PipelineSettings extends RuleSettings {
  readonly map: MapSpec;
  /** Further maps, kept equal to that one. */
  readonly mirrors: readonly MapSpec[];
  readonly debug: boolean;
  /** Null for standard output. */
  readonly logto: string | null;
  readonly logFormat: 'text' | 'json';
  /** How the names of users are shown, in the log and on standard output. */
  readonly logUsers: 'plain' | 'hashed' | 'none';
  readonly nowrite: boolean;
  /** The most grants that there may be at once. */
  readonly maxGrants: number;
  /** Seconds for which an open session keeps its grant at most; null when it keeps nothing. */
  readonly sessionLimit: number | null;
}

export interface ReplaySettings extends PipelineSettings {
  readonly json: boolean;
}

export interface RunSettings extends PipelineSettings {
  /** The file that names the maps, also by leaving them to the default; null when the command line names them. */
  readonly configuration: string | null;
  /** Whether any entry of the journal is taken, or only such as the patterns declare to be the server's own. */
  readonly journalTrust: 'declared' | 'any';
  /** Empty when the usual mail logs are to be looked for. */
  readonly watchlog: readonly string[];
  /** The pid file, when it is to go to the background. */
  readonly daemon: string | null;
  readonly reprocess: boolean;
  /** Where to write the metrics, and where to serve them; null for nowhere. */
  readonly metricsFile: string | null;
  readonly metricsListen: Listening | null;
  /** Null for a host that is alone. */
  readonly fleet: FleetSettings | null;
}
