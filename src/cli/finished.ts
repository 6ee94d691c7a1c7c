/**
 * Opens the finished logs that `match` and `replay` are given: files, standard input, the systemd journal.
 */
import type { JournalSettings } from '../daemon/journal-rules.ts';
import type { Registry } from '../recogniser/registry.ts';
import { type FinishedLog, openFinishedLog } from '../source/finished-log.ts';
import { isJournal } from '../source/journal-store.ts';

/**
 * All at once: a misspelt name is better told before an hour of reading than after.
 *
 * @param registry asked when the journal is read
 * @throws Failure of a log, of the journal
 */
export function openFinished(
  paths: readonly string[],
  registry: () => Registry,
  settings: JournalSettings,
): Promise<FinishedLog[]> {
  return Promise.all(
    paths.map(async path => {
      if (!isJournal(path)) return openFinishedLog(path);
      const { openJournal } = await import('./finished-journal.ts');
      return openJournal(path, registry, settings);
    }),
  );
}
