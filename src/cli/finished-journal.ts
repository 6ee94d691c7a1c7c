/** The systemd journal as `match` and `replay` read it; loaded only for who names it. */
import { failure } from '../base/errors.ts';
import { choiceOf, type JournalSettings, journalRules } from '../daemon/journal-rules.ts';
import type { Registry } from '../recogniser/registry.ts';
import { noticeLine } from '../report/log-line.ts';
import { warn } from '../report/print.ts';
import { openFinishedJournal } from '../source/finished-journal.ts';
import type { FinishedLog } from '../source/finished-log.ts';
import { checkJournal } from '../source/journalctl.ts';

const REMEDY =
  'see that systemd-journald runs, or name a log file, or journal:/DIRECTORY with its files';

/**
 * @param name as `watchlog` has it
 * @param registry asked when it is read
 * @throws Failure JOURNAL_MISSING, JOURNAL_UNREADABLE, JOURNAL_ABSENT
 */
export async function openJournal(
  name: string,
  registry: () => Registry,
  settings: JournalSettings,
): Promise<FinishedLog> {
  if (!(await checkJournal(name)))
    throw failure('JOURNAL_ABSENT', { name, reason: 'it has no files', remedy: REMEDY });
  return openFinishedJournal(
    name,
    () => journalRules(registry(), choiceOf(settings)),
    notice => warn(noticeLine(notice).text),
  );
}
