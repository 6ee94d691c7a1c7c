/**
 * Opens the finished logs that `match` and `replay` are given: files, standard input, the systemd journal.
 */
import { journalRules } from '../daemon/journal-rules.ts';
import type { Registry } from '../recogniser/registry.ts';
import { noticeLine } from '../report/log-line.ts';
import { warn } from '../report/print.ts';
import { openFinishedJournal } from '../source/finished-journal.ts';
import { type FinishedLog, openFinishedLog } from '../source/finished-log.ts';
import { JOURNAL, type JournalRules } from '../source/journal-source.ts';
import { checkJournal } from '../source/journalctl.ts';

/**
 * All at once: a misspelt name is better told before an hour of reading than after.
 *
 * @param registry asked when the journal is read
 * @throws Failure of a log, of the journal
 */
export async function openFinished(
  paths: readonly string[],
  registry: () => Registry,
  settings: Parameters<typeof journalRules>[1],
): Promise<FinishedLog[]> {
  if (paths.includes(JOURNAL)) await checkJournal();
  const rules = (): JournalRules => journalRules(registry(), settings);
  return paths.map(path =>
    path === JOURNAL
      ? openFinishedJournal(rules, notice => warn(noticeLine(notice).text))
      : openFinishedLog(path),
  );
}
