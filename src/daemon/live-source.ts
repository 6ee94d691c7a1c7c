/**
 * Which log to watch when none is named: the usual file, or the journal where the logins are in it alone.
 *
 * A host that has lost its rsyslog (Debian 12 and later install none) keeps the old mail.log, and its logins go to the
 * journal only.  Where both are alive, what is in the journal reaches the file within a moment.
 * Promises: a file that was written to in the last minutes is taken without another look; an empty one was when the file
 * was that it has been rotated to, since logrotate(8) makes a new one whether anybody writes to it or not.  Otherwise the journal is
 * asked once, and preferred only if it has a login by a known server, in the server's own words, which is clearly
 * younger than anything in the file.  A journal that is not there, or closed to this account, decides nothing.
 * Known limits: only the latest entries of the servers are looked at; a file that others write to (cron, Postfix) is
 * alive, whether or not it gets the logins.
 */
import { closeSync, statSync } from 'node:fs';
import { type EpochSeconds, epoch } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import { StampReader } from '../line/stamp.ts';
import type { Zone } from '../line/zone.ts';
import { LogMemory } from '../recogniser/log-memory.ts';
import { Recogniser } from '../recogniser/recogniser.ts';
import type { Registry } from '../recogniser/registry.ts';
import type { OpenFile } from '../source/follower.ts';
import { parseEntry } from '../source/journal-entry.ts';
import { lineOf } from '../source/journal-source.ts';
import { JOURNAL } from '../source/journal-store.ts';
import { JournalStreams } from '../source/journal-streams.ts';
import { JOURNALD } from '../source/journal-trust.ts';
import { lastEntries } from '../source/journalctl.ts';
import { headOf } from '../source/packing.ts';
import { openRotated, type RotatedFile, rotatedFiles } from '../source/rotated.ts';
import {
  choiceOf,
  type JournalChoice,
  type JournalSettings,
  journalRules,
} from './journal-rules.ts';
import type { StartSettings } from './settings.ts';

/** A login in the journal that is younger than a file. */
export interface JournalAhead {
  readonly server: string;
  /** When the login was. */
  readonly login: EpochSeconds;
  /** When the file was last changed, if only by being made. */
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
 * @param olddirs where it may have been rotated to (rotated.ts)
 * @param now in seconds
 * @param newest the newest login in the journal, asked only if it matters
 * @returns null when the file is as good as the journal
 */
export async function journalAhead(
  path: string,
  olddirs: readonly string[],
  now: EpochSeconds,
  newest: () => Promise<NewestLogin | null>,
): Promise<JournalAhead | null> {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined || !status.isFile()) return null;
  const modified = epoch(status.mtimeMs / 1000);
  const isEmpty = status.size === 0;
  const written = isEmpty ? lastRotated(path, olddirs) : modified;
  if (written !== null && now - written < QUIET) return null;
  const login = await newest();
  if (login === null || (written !== null && login.time <= written + LATE)) return null;
  return { server: login.server, login: login.time, modified, isEmpty };
}

/** When the latest of the files that a log was rotated to was written to; null without any that holds something. */
function lastRotated(path: string, olddirs: readonly string[]): EpochSeconds | null {
  const latest = rotatedFiles(path, olddirs).find(file => !isEmptyFile(file));
  return latest === undefined ? null : epoch(latest.modified / 1000);
}

/** Whether a file holds nothing, compressed or not; not so where it cannot be read. */
function isEmptyFile(file: RotatedFile): boolean {
  let opened: OpenFile | null = null;
  try {
    opened = openRotated(file);
    return opened === null || headOf(opened.fd, opened.packing, 1).length === 0;
  } catch {
    // Closed to us, or damaged: it was written to all the same.
    return false;
  } finally {
    if (opened !== null) closeSync(opened.fd);
  }
}

export interface NewestLogin {
  readonly server: string;
  readonly time: EpochSeconds;
}

/** The newest login in the host's journal, as the daemon would take it; null without any, or without a journal. */
export async function newestJournalLogin(
  registry: Registry,
  settings: JournalSettings & Pick<StartSettings, 'watchlogZone'>,
): Promise<NewestLogin | null> {
  try {
    const lines = await journalLines(JOURNAL, registry, choiceOf(settings), ENTRIES);
    return newestOf(lines, registry, settings.watchlogZone);
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
    const entry = parseEntry(json, rules.hostFirst);
    // What journald says of itself is no line of a log.
    if (entry === null || entry.tag === JOURNALD) return [];
    if (!streams.isWhole(entry) || !rules.trust(entry)) return [];
    return lineOf(entry, rules) ?? [];
  });
}

function newestOf(lines: readonly string[], registry: Registry, zone: Zone): NewestLogin | null {
  const now = epoch(Date.now() / 1000);
  const recogniser = new Recogniser(registry, new StampReader(() => now, zone), new LogMemory());
  let newest: NewestLogin | null = null;
  for (const line of lines) {
    const event = recogniser.recognise(line);
    if (event?.event !== 'login' || event.time === null) continue;
    newest = { server: event.server, time: event.time };
  }
  return newest;
}
