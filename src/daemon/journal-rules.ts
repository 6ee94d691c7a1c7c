/**
 * What is read of the systemd journal: the servers' own entries, and what journald says of itself.
 */
import type { Registry } from '../recogniser/registry.ts';
import type { JournalRules } from '../source/journal-source.ts';
import { isJournald, JOURNALD, trustDeclared } from '../source/journal-trust.ts';
import type { StartSettings } from './settings.ts';

export function journalRules(
  { files, tags }: Registry,
  { journalTrust }: Pick<StartSettings, 'journalTrust'>,
): JournalRules {
  const isServers = journalTrust === 'any' ? () => true : trustDeclared(files);
  return {
    tags: [...tags, JOURNALD],
    trust: entry => (entry.tag === JOURNALD ? isJournald(entry) : isServers(entry)),
  };
}
