/**
 * Opens the finished logs that `match` and `replay` are given: files, standard input, the systemd journal.
 */
import type { Registry } from '../recogniser/registry.ts';
import { type FinishedLog, openFinishedLog } from '../source/finished-log.ts';
import { JOURNAL } from '../source/journal-source.ts';

/**
 * All at once: a misspelt name is better told before an hour of reading than after.
 *
 * @param registry asked when the journal is read
 * @throws Failure of a log, of the journal
 */
export function openFinished(
  paths: readonly string[],
  registry: () => Registry,
  settings: { readonly journalTrust: 'declared' | 'any' },
): Promise<FinishedLog[]> {
  return Promise.all(
    paths.map(async path => {
      if (path !== JOURNAL) return openFinishedLog(path);
      const { openJournal } = await import('./finished-journal.ts');
      return openJournal(registry, settings);
    }),
  );
}
