/**
 * What is examined, from the settings: whatever several checks need is gathered when the first one asks, and once.
 */

import { epoch } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import { registryFor } from '../daemon/rules.ts';
import type { RunSettings } from '../daemon/settings.ts';
import { daemonAccount } from './account.ts';
import type { Subject } from './check.ts';
import { type LogState, logStates } from './log-state.ts';
import { mapState } from './map-state.ts';
import { askPostfix } from './postfix-state.ts';

/** @param smtp where the relay test is made @param ended aborted when the user wants to end */
export function subjectOf(
  settings: RunSettings,
  smtp: Subject['smtp'],
  ended: AbortSignal,
): Subject {
  const now = () => epoch(Date.now() / 1000);
  const readLogs = async (): Promise<readonly LogState[]> => {
    try {
      const account = await daemonAccount(settings.map);
      // What the daemon would warn of is told by another check.
      const registry = await registryFor(settings, () => undefined);
      return await logStates(settings, registry, account, now);
    } catch (problem) {
      // Of the patterns or of the map, which checks of their own tell.
      if (problem instanceof Failure) return [];
      throw problem;
    }
  };
  return {
    settings,
    now,
    logs: once(readLogs),
    map: once(() => mapState(settings.map)),
    postfix: once(() => askPostfix(settings.postfixConfig)),
    smtp,
    ended,
  };
}

function once<T>(gather: () => Promise<T>): () => Promise<T> {
  let gathered: Promise<T> | null = null;
  return () => {
    gathered ??= gather();
    return gathered;
  };
}
