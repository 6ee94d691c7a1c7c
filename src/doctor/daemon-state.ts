/**
 * The daemon of the map as it says itself, asked over its control socket.
 *
 * Promises: one that hangs is given up soon (client.ts); that it may not be asked is an answer, and no error.
 */
import { orFailure } from '../base/attempt.ts';
import { Failure } from '../base/errors.ts';
import { ask } from '../control/client.ts';
import type { ConfigurationState } from '../control/configuration-state.ts';
import type { Status } from '../control/status.ts';
import type { MapSpec } from '../map/map.ts';
import { ownerOf } from '../map/owner.ts';

export type DaemonAnswer =
  | {
      readonly kind: 'status';
      readonly status: Status;
      /** Null of a daemon of another version, which does not know the question; else why it did not tell. */
      readonly configuration: ConfigurationState | null | Failure;
    }
  /** Nothing listens at its socket. */
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly problem: Failure };

export interface DaemonState {
  readonly owner: number | 'unknown' | 'hidden' | null | Failure;
  readonly answer: DaemonAnswer;
}

export async function daemonState(map: MapSpec): Promise<DaemonState> {
  return { owner: await orFailure(() => ownerOf(map)), answer: await askStatus(map) };
}

async function askStatus(map: MapSpec): Promise<DaemonAnswer> {
  const status = await orFailure(() => ask(map, { command: 'status' }));
  if (status instanceof Failure) return { kind: 'failed', problem: status };
  if (status === null) return { kind: 'none' };
  const configuration = await orFailure(() => ask(map, { command: 'configuration' }));
  return { kind: 'status', status, configuration: isUnknown(configuration) ? null : configuration };
}

/** What is answered to a command that is not known. */
const isUnknown = (answer: unknown): boolean =>
  answer instanceof Failure && answer.code === 'CONTROL_REQUEST';
