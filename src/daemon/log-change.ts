/**
 * Whether a daemon that chooses its log itself would choose another one now.
 */
import { unlessFailed } from '../base/attempt.ts';
import { LOG, type SettingChange } from '../control/configuration-state.ts';
import type { Registry } from '../recogniser/registry.ts';
import type { StartSettings } from './settings.ts';
import { checkLogs, type WatchedLog } from './sources.ts';

/**
 * @param logs those that it reads
 * @returns null where the log is named, where it is the same, and where none can be read now
 */
export async function logChange(
  settings: StartSettings,
  logs: readonly WatchedLog[],
  registry: Registry,
): Promise<SettingChange | null> {
  if (settings.watchlog.length > 0) return null;
  const now = await unlessFailed(() => checkLogs(settings, registry, () => undefined), null);
  if (now === null) return null;
  const [running, written] = [namesOf(logs), namesOf(now)];
  return running === written ? null : { what: LOG, running, written, takes: 'restart' };
}

const namesOf = (logs: readonly WatchedLog[]): string => logs.map(({ name }) => name).join(' ');
