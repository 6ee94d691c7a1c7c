/** The systemd journal as `match` and `replay` read it; loaded only for who names it. */
import { choiceOf, type JournalSettings, journalRules } from '../daemon/journal-rules.ts';
import type { Registry } from '../recogniser/registry.ts';
import { noticeLine } from '../report/log-line.ts';
import { warn } from '../report/print.ts';
import { openFinishedJournal } from '../source/finished-journal.ts';
import type { FinishedLog } from '../source/finished-log.ts';
import { checkJournal } from '../source/journalctl.ts';

/**
 * @param name as `watchlog` has it
 * @param registry asked when it is read
 * @throws Failure JOURNAL_MISSING, JOURNAL_UNREADABLE
 */
export async function openJournal(
  name: string,
  registry: () => Registry,
  settings: JournalSettings,
): Promise<FinishedLog> {
  await checkJournal(name);
  return openFinishedJournal(
    name,
    () => journalRules(registry(), choiceOf(settings)),
    notice => warn(noticeLine(notice).text),
  );
}
