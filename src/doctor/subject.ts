/**
 * What is examined, from the settings: whatever several checks need is gathered when the first one asks, and once.
 */

import { epoch } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import { rehearse } from '../daemon/rehearsal.ts';
import { registryFor } from '../daemon/rules.ts';
import type { RunSettings } from '../daemon/settings.ts';
import { isForPostfix } from '../map/map-types.ts';
import { daemonAccount } from './account.ts';
import type { Subject } from './check.ts';
import { daemonState } from './daemon-state.ts';
import { type LogStates, loginsIn, logStates, NO_LOGS } from './log-state.ts';
import { mapState } from './map-state.ts';
import { otherMtaState } from './other-mta-state.ts';
import { askPostfix } from './postfix-state.ts';
import { serviceState } from './service-state.ts';

/**
 * @param smtp where the relay test is made
 * @param ended aborted when the user wants to end
 * @param areLogsNamed whether the user wants these logs looked at, whatever the daemon reads
 */
export function subjectOf(
  settings: RunSettings,
  smtp: Subject['smtp'],
  ended: AbortSignal,
  areLogsNamed: boolean = settings.watchlog.length > 0,
): Subject {
  const now = () => epoch(Date.now() / 1000);
  const daemon = once(() => daemonState(settings.map));
  const running = async (): Promise<readonly string[] | null> => {
    const { answer } = await daemon();
    if (areLogsNamed || answer.kind !== 'status') return null;
    const names = answer.status.sources.map(({ name }) => name);
    return names.length === 0 ? null : names;
  };
  const readLogs = async (): Promise<LogStates> => {
    try {
      const account = await daemonAccount(settings.map);
      // What the daemon would warn of is told by another check.
      const registry = await registryFor(settings, () => undefined);
      return await logStates(settings, registry, await running(), account, now);
    } catch (problem) {
      // Of the patterns or of the map, which checks of their own tell.
      if (problem instanceof Failure) return NO_LOGS;
      throw problem;
    }
  };
  const logs = once(readLogs);
  return {
    settings,
    now,
    daemon,
    logs,
    rehearsal: once(async () => rehearse(loginsIn((await logs()).logs), settings)),
    map: once(() => mapState(settings.map)),
    service: once(serviceState),
    postfix: once(() => askPostfix(settings.postfixConfig)),
    otherMta: once(() => otherMtaState(settings.map)),
    otherReaders: once(() =>
      Promise.all(
        settings.mirrors
          .filter(map => !isForPostfix(map))
          .map(async map => ({ map, state: await otherMtaState(map) })),
      ),
    ),
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
