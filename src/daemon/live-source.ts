/**
 * Which log to watch when none is named: the usual file, or the journal where the logins are in it alone.
 *
 * A host that has lost its rsyslog (Debian 12 and later install none) keeps the old mail.log, and its logins go to the
 * journal only.  Where both are alive, what is in the journal reaches the file within a moment.
 * Promises: a file that was written to in the last minutes is taken without another look; otherwise the journal is
 * asked once, and preferred only if it has a login by a known server, in the server's own words, which is clearly
 * younger than anything in the file.  A journal that is not there, or closed to this account, decides nothing.
 * Known limits: only the latest entries of the servers are looked at; a file that others write to (cron, Postfix) is
 * alive, whether or not it gets the logins.
 */
import { statSync } from 'node:fs';
import { type EpochSeconds, epoch } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import { StampReader } from '../line/stamp.ts';
import { LogMemory } from '../recogniser/log-memory.ts';
import { Recogniser } from '../recogniser/recogniser.ts';
import type { Registry } from '../recogniser/registry.ts';
import { parseEntry } from '../source/journal-entry.ts';
import { lineOf } from '../source/journal-source.ts';
import { JOURNAL } from '../source/journal-store.ts';
import { JournalStreams } from '../source/journal-streams.ts';
import { lastEntries } from '../source/journalctl.ts';
import { type JournalChoice, journalRules } from './journal-rules.ts';

/** A login in the journal that is younger than a file. */
export interface JournalAhead {
  readonly server: string;
  /** When the login was. */
  readonly login: EpochSeconds;
  /** When the file was last written to. */
  readonly modified: EpochSeconds;
  readonly isEmpty: boolean;
}

/** Seconds; a mail log that is silent for longer is worth a look into the journal. */
const QUIET = 300;
/** Seconds by which syslog may be late. */
const LATE = 60;
/** More than what stands between two logins of any server with clients. */
const ENTRIES = 1000;

/**
 * @param now in seconds
 * @param newest the newest login in the journal, asked only if it matters
 * @returns null when the file is as good as the journal
 */
export async function journalAhead(
  path: string,
  now: EpochSeconds,
  newest: () => Promise<NewestLogin | null>,
): Promise<JournalAhead | null> {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined || !status.isFile()) return null;
  const modified = epoch(status.mtimeMs / 1000);
  const isEmpty = status.size === 0;
  if (!isEmpty && now - modified < QUIET) return null;
  const login = await newest();
  if (login === null || login.time <= modified + LATE) return null;
  return { server: login.server, login: login.time, modified, isEmpty };
}

export interface NewestLogin {
  readonly server: string;
  readonly time: EpochSeconds;
}

/** The newest login in the host's journal, as the daemon would take it; null without any, or without a journal. */
export async function newestJournalLogin(
  registry: Registry,
  choice: JournalChoice,
): Promise<NewestLogin | null> {
  try {
    const lines = await journalLines(JOURNAL, registry, choice, ENTRIES);
    return newestOf(lines, registry);
  } catch (error) {
    if (error instanceof Failure) return null;
    throw error;
  }
}

/**
 * The last entries that the daemon would ask for, as lines; without what is not the servers' own words.
 *
 * @throws Failure JOURNAL_MISSING, JOURNAL_UNREADABLE, JOURNAL_ABSENT
 */
export async function journalLines(
  name: string,
  registry: Registry,
  choice: JournalChoice,
  count: number,
): Promise<string[]> {
  const rules = journalRules(registry, choice);
  const streams = new JournalStreams();
  const entries = await lastEntries(name, rules, count);
  return entries.flatMap(json => {
    const entry = parseEntry(json);
    if (entry === null || !streams.isWhole(entry) || !rules.trust(entry)) return [];
    return lineOf(entry, rules) ?? [];
  });
}

function newestOf(lines: readonly string[], registry: Registry): NewestLogin | null {
  const now = epoch(Date.now() / 1000);
  const recogniser = new Recogniser(registry, new StampReader(() => now), new LogMemory());
  let newest: NewestLogin | null = null;
  for (const line of lines) {
    const event = recogniser.recognise(line);
    if (event?.event !== 'login' || event.time === null) continue;
    newest = { server: event.server, time: event.time };
  }
  return newest;
}
