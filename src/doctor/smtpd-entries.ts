/**
 * What smtpd has written to the journal, which tells of the clients that it refused.
 *
 * Promises: of root and of the account of Postfix only, since every local user may write there as `postfix/smtpd` (`logger -t`), and
 * whole messages only (journal-trust.ts); of everybody where every sender is trusted (`journal-trust`), as it is for logins.
 * Known limits: the account is `postfix` (mail_owner in main.cf), and the tags are those of the usual syslog_name; of another machine's
 * journal, whose accounts are not ours, what is not of root does not count.
 */
import { choiceOf, type JournalSettings } from '../daemon/journal-rules.ts';
import { entryLine, parseEntry } from '../source/journal-entry.ts';
import { journalStore } from '../source/journal-store.ts';
import { ONLY_ROOT, trustDeclared } from '../source/journal-trust.ts';
import { lastEntries } from '../source/journalctl.ts';
import { uidOf } from './account.ts';

const TAGS = ['postfix/smtpd', 'postfix/submission/smtpd', 'postfix/smtps/smtpd'] as const;
const ACCOUNT = 'postfix';

/**
 * The last lines of smtpd in a journal, as a file would have them.
 *
 * @throws Failure of journalctl
 */
export async function lastSmtpdLines(
  name: string,
  settings: JournalSettings,
  count: number,
): Promise<string[]> {
  const kind = journalStore(name)?.kind;
  const isOurs = kind === 'host' || kind === 'namespace';
  const [entries, postfix] = await Promise.all([
    lastEntries(name, { tags: TAGS }, count),
    isOurs ? uidOf(ACCOUNT) : null,
  ]);
  return smtpdLines(entries, postfix === null ? [] : [postfix], choiceOf(settings).trustAny);
}

/**
 * @param entries as journalctl prints them
 * @param uids that Postfix has besides root's
 * @param trustAny whether every sender is trusted
 */
export function smtpdLines(
  entries: readonly string[],
  uids: readonly number[],
  trustAny: boolean,
): string[] {
  const journal = { ...ONLY_ROOT, uids: [0, ...uids] };
  const isDeclared = trustDeclared([{ programs: TAGS, journal }]);
  return entries.flatMap(json => {
    const entry = parseEntry(json);
    if (entry === null || !(trustAny || isDeclared(entry))) return [];
    return entryLine(entry) ?? [];
  });
}
