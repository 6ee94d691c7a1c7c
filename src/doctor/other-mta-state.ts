/**
 * Which program other than Postfix reads the map on this machine, and what its configuration says.
 *
 * Promises: a server is looked for only by what its packages install, and only where the map is of a type that it reads.
 * Leaves to others: what the configuration has to say (other-mtas.ts).
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { errnoOf, reasonOf } from '../base/errors.ts';
import type { MapSpec } from '../map/map.ts';
import { isAmongRules } from '../map/smtpaccess-format.ts';
import { complaint, runSystemCommand } from '../postfix/command.ts';
import type { CompiledRules, OtherMta } from './map-reader.ts';
import { OTHER_MTAS } from './other-mtas.ts';

export interface OtherMtaState {
  readonly server: OtherMta;
  /** Its text, or why it is not to be had. */
  readonly configuration: Configuration;
}

/** A map with the program that reads it; null where none is known here. */
export interface Reader {
  readonly map: MapSpec;
  readonly state: OtherMtaState | null;
}

type Configuration =
  | {
      readonly kind: 'known';
      readonly text: string;
      /** Where rules are compiled, for those who do so. */
      readonly rules: CompiledRules | null;
    }
  | { readonly kind: 'unknown'; readonly reason: string };

type Text =
  | Exclude<Configuration, { kind: 'known' }>
  | { readonly kind: 'known'; readonly text: string };

const TIMEOUT_MS = 15_000;

/** A file names others, and those may name others; no more than anybody nests. */
const MOST_INCLUDES = 100;

/** Null where no server that reads such a map is installed. */
export async function otherMtaState(map: MapSpec): Promise<OtherMtaState | null> {
  for (const server of OTHER_MTAS) {
    if (!server.types.includes(map.type)) continue;
    const text = await textOf(server);
    if (text === null) continue;
    if (text.kind === 'unknown') return { server, configuration: text };
    const directory = server.rulesIn?.(text.text) ?? null;
    const rules = directory === null ? null : rulesIn(directory, map);
    return { server, configuration: { ...text, rules } };
  }
  return null;
}

const rulesIn = (directory: string, map: MapSpec): CompiledRules => ({
  directory,
  hasMap: isAmongRules(directory, map),
  isCompiled: existsSync(`${directory}.dat`),
});

/** Null where the server is not installed. */
async function textOf({ source }: OtherMta): Promise<Text | null> {
  if (source.kind === 'file') return inFiles(source.paths);
  for (const program of source.programs) {
    const result = await runSystemCommand(program, source.args, { timeoutMs: TIMEOUT_MS });
    if (result.kind === 'missing') continue;
    if (result.kind === 'broken') return { kind: 'unknown', reason: result.reason };
    const { status, stdout, stderr } = result;
    return status === 0
      ? { kind: 'known', text: stdout }
      : { kind: 'unknown', reason: complaint(stderr) || `status ${status}` };
  }
  return null;
}

function inFiles(paths: readonly string[]): Text | null {
  for (const path of paths) {
    try {
      return { kind: 'known', text: withIncludes(path) };
    } catch (problem) {
      if (errnoOf(problem) !== 'ENOENT')
        return { kind: 'unknown', reason: `${path}: ${reasonOf(problem)}` };
    }
  }
  return null;
}

/** The text of a file, and behind it those of the files that it includes (smtpd.conf(5): `include "file"`). */
function withIncludes(path: string): string {
  const texts: string[] = [];
  const files = [path];
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    texts.push(text);
    for (const [, name = ''] of text.matchAll(/^\s*include\s+"([^"]+)"/gm)) {
      const included = isAbsolute(name) ? name : join(dirname(path), name);
      if (!files.includes(included) && files.length < MOST_INCLUDES) files.push(included);
    }
  }
  return texts.join('\n');
}
