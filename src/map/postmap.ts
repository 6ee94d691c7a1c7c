/**
 * Runs Postfix's own `postmap` on a map.
 *
 * Leaves to others: when, on which file, and what the output means.
 */

import { failure } from '../base/errors.ts';
import { complaint, isFatal, runPostfixCommand } from '../postfix/command.ts';
import type { MapSpec } from './map.ts';

/** A million rows take seconds. */
const TIMEOUT_MS = 60_000;

export interface Task {
  readonly map: MapSpec;
  /** The map that the user knows, for an error. */
  readonly named: MapSpec;
  /** For an error: postmap could not … the map. */
  readonly what: 'make' | 'read' | 'write';
  /** As for postmap(1), without the map. */
  readonly options: readonly string[];
  /** What it reads from standard input. */
  readonly input?: string;
}

const nameOf = ({ type, path }: MapSpec): string => `${type}:${path}`;

/**
 * @returns what it prints
 * @throws Failure POSTMAP_MISSING, MAP_POSTMAP
 */
export async function postmap({ map, named, what, options, input = '' }: Task): Promise<string> {
  const spec = nameOf(named);
  const failed = (reason: string): Error => failure('MAP_POSTMAP', { what, spec, reason });
  const run = { config: map.config ?? null, input, timeoutMs: TIMEOUT_MS };
  const result = await runPostfixCommand('postmap', [...options, nameOf(map)], run);
  if (result.kind === 'missing') throw failure('POSTMAP_MISSING', { spec });
  if (result.kind === 'broken') throw failed(result.reason);
  const { status, stdout, stderr } = result;
  // Status 1 without a fatal error says that there was no row to print or to remove.
  if (status > 1 || isFatal(stderr)) throw failed(complaint(stderr) || `status ${status}`);
  return stdout;
}
