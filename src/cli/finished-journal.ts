/** The systemd journal as `match` and `replay` read it; loaded only for who names it. */
import { journalRules } from '../daemon/journal-rules.ts';
import type { Registry } from '../recogniser/registry.ts';
import { noticeLine } from '../report/log-line.ts';
import { warn } from '../report/print.ts';
import { openFinishedJournal } from '../source/finished-journal.ts';
import type { FinishedLog } from '../source/finished-log.ts';
import { checkJournal } from '../source/journalctl.ts';

/**
 * @param registry asked when it is read
 * @throws Failure JOURNAL_MISSING, JOURNAL_UNREADABLE
 */
export async function openJournal(
  registry: () => Registry,
  settings: Parameters<typeof journalRules>[1],
): Promise<FinishedLog> {
  await checkJournal();
  return openFinishedJournal(
    () => journalRules(registry(), settings),
    notice => warn(noticeLine(notice).text),
  );
}
