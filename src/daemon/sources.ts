/**
 * Makes the sources that the settings name.
 */
import { closeSync, existsSync, readdirSync } from 'node:fs';
import { isAbsolute, normalize } from 'node:path';
import { type EpochSeconds, epoch } from '../base/clock.ts';
import { errnoOf, Failure, failure, reasonOf } from '../base/errors.ts';
import { parseLine } from '../line/prefix.ts';
import { StampReader } from '../line/stamp.ts';
import type { Registry } from '../recogniser/registry.ts';
import { FileSource } from '../source/file-source.ts';
import { type JournalRules, JournalSource } from '../source/journal-source.ts';
import { isJournal, JOURNAL } from '../source/journal-store.ts';
import { type JournalTrust, trustDeclared } from '../source/journal-trust.ts';
import { checkJournal } from '../source/journalctl.ts';
import { type Place, parsePlace } from '../source/place.ts';
import { openForReading } from '../source/readable-log.ts';
import type { Receiver, Source } from '../source/source.ts';
import { type StartPosition, startAtTime } from '../source/start.ts';
import { StreamSource } from '../source/stream-source.ts';
import {
  literalPath,
  matchesPath,
  mayBeWildcard,
  parseWildcard,
  type Wildcard,
} from '../source/wildcard.ts';
import { WildcardSource } from '../source/wildcard-source.ts';
import type { Places } from '../state/checkpoint.ts';
import { choiceOf, type JournalSettings, journalRules, RawContainers } from './journal-rules.ts';
import { JournalSurvey, strangersIn } from './journal-survey.ts';
import { journalAhead, newestJournalLogin } from './live-source.ts';
import type { RunSettings, StartSettings } from './settings.ts';

/** How the command line names standard input. */
export const STDIN = '-';

/** Where mail logs usually are: Debian and SUSE, Red Hat, the BSDs and Slackware, Mac OS X; then Debian's split log and Solaris. */
const USUAL_LOGS = [
  '/var/log/mail.log',
  '/var/log/maillog',
  '/var/log/mail',
  '/var/log/mail.info',
  '/var/log/syslog',
  '/var/adm/maillog',
];

/** What the daemon is to watch. */
export interface WatchedLog {
  /** A path, a wildcard as it was written, or one of the words for what is no file. */
  readonly name: string;
  /** Null for what is one log. */
  readonly wildcard: Wildcard | null;
}

/** A source, with what the daemon wants of it besides lines. */
export interface SourceHandle {
  readonly name: string;
  readonly source: Source;
  /** How far the lines of each log have been dealt with, for the checkpoint, by its name; null when it cannot be found again. */
  places(): ReadonlyMap<string, Place | string | null>;
  /** The patterns have been loaded again. */
  setRegistry(registry: Registry): void;
}

export interface MailTags {
  readonly programs: readonly string[];
  readonly journal: JournalTrust;
}

/** What a source is made from. */
export interface SourceContext {
  readonly settings: JournalSettings &
    Pick<StartSettings, 'reprocess' | 'watchlogZone' | 'watchlogOlddir'>;
  readonly registry: Registry;
  /** The moment before which no login matters, as things are now. */
  since(): EpochSeconds;
  /** Where an earlier run has got to. */
  readonly places: Places;
  /** The mail server's tags, and what its entries look like; null where nothing is kept of them. */
  readonly mail: MailTags | null;
  /** All that are watched, this one among them. */
  readonly logs: readonly WatchedLog[];
  /** @param file one of those that the name stands for */
  receiverOf(name: string, file?: string): Receiver;
}

/**
 * The logs to watch; each can be read, or does not exist yet.
 *
 * When the administrator names none, the usual ones are looked for, then the journal, which also comes first where the
 * logins are in it alone; but a host that only takes what others have published needs no log.
 *
 * @param registry of the servers whose logins count
 * @param notice told of a choice that an administrator would not expect
 * @throws Failure LOG_UNREADABLE, LOG_NONE, JOURNAL_MISSING, JOURNAL_UNREADABLE, JOURNAL_ABSENT
 */
export async function checkLogs(
  settings: JournalSettings &
    Pick<RunSettings, 'watchlog' | 'fleet' | 'watchlogZone' | 'watchlogOlddir'>,
  registry: Registry,
  notice: Receiver['notice'],
): Promise<readonly WatchedLog[]> {
  const { watchlog, fleet } = settings;
  if (watchlog.length === 0 && fleet?.role === 'subscribe') return [];
  if (watchlog.length === 0) {
    const usual = USUAL_LOGS.find(path => existsSync(path));
    const name =
      usual === undefined
        ? await journalOrNone()
        : await fileOrJournal(usual, registry, settings, notice);
    return [{ name, wildcard: null }];
  }
  for (const directory of settings.watchlogOlddir) tellClosed(directory, notice);
  const logs = [...new Set(watchlog)].map(watchedLog);
  for (const { name, wildcard } of logs) {
    if (isJournal(name)) await checkJournal(name);
    else if (name !== STDIN && wildcard === null) checkLog(name);
  }
  return logs;
}

/** An absolute one; where others are, is known of each log only. */
function tellClosed(olddir: string, notice: Receiver['notice']): void {
  try {
    if (isAbsolute(olddir)) readdirSync(olddir);
  } catch (error) {
    // logrotate may make it at its first rotation (createolddir).
    if (errnoOf(error) !== 'ENOENT')
      notice({ kind: 'failed', path: olddir, reason: reasonOf(error) });
  }
}

/**
 * What a name on the command line or in the configuration stands for: a file that is called just so, or else the files
 * that match it.
 */
export function watchedLog(name: string): WatchedLog {
  if (!mayBeWildcard(name) || existsSync(name)) return { name, wildcard: null };
  const wildcard = parseWildcard(name);
  const path = literalPath(wildcard);
  return path === null ? { name, wildcard } : { name: path, wildcard: null };
}

async function fileOrJournal(
  usual: string,
  registry: Registry,
  settings: JournalSettings & Pick<RunSettings, 'watchlogZone' | 'watchlogOlddir'>,
  notice: Receiver['notice'],
): Promise<string> {
  const now = epoch(Date.now() / 1000);
  const ahead = await journalAhead(usual, settings.watchlogOlddir, now, () =>
    newestJournalLogin(registry, settings),
  );
  if (ahead === null) return usual;
  notice({ kind: 'preferred', path: JOURNAL, over: usual, ...ahead });
  return JOURNAL;
}

async function journalOrNone(): Promise<string> {
  try {
    await checkJournal();
    return JOURNAL;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw failure('LOG_NONE', { tried: USUAL_LOGS.join(', '), reason: error.message }, error);
  }
}

function checkLog(path: string): void {
  try {
    closeSync(openForReading(path));
  } catch (error) {
    const missing = error instanceof Failure && error.code === 'LOG_MISSING';
    if (!missing) throw error;
  }
}

export function watch({ name, wildcard }: WatchedLog, watching: SourceContext): SourceHandle {
  const receiver = watching.receiverOf(name);
  if (wildcard !== null) return watchFiles(wildcard, receiver, watching);
  if (name === STDIN) return watchInput(receiver);
  return isJournal(name)
    ? watchJournal(name, receiver, watching)
    : watchFile(name, receiver, watching);
}

const oneOf = (
  name: string,
  place: Place | string | null,
): ReadonlyMap<string, Place | string | null> => new Map([[name, place]]);

const watchInput = (receiver: Receiver): SourceHandle => ({
  name: STDIN,
  source: new StreamSource(process.stdin, 'standard input', receiver),
  places: () => new Map(),
  setRegistry: () => undefined,
});

function watchJournal(
  name: string,
  receiver: Receiver,
  { settings, registry, since, places, mail }: SourceContext,
): SourceHandle {
  const raw = new RawContainers((tag, server) =>
    receiver.notice({ kind: 'raw log', path: name, tag, server }),
  );
  const rulesOf = (known: Registry): JournalRules =>
    withMail(journalRules(known, choiceOf(settings), raw), mail, settings);
  let known = registry;
  const survey = new JournalSurvey({
    strangers: (from, signal) => strangersIn(name, known, choiceOf(settings), from, signal),
    found: lines => receiver.strangers?.(lines),
  });
  const saved = places[name];
  const source = new JournalSource(receiver, rulesOf(registry), {
    name,
    cursor: typeof saved === 'string' ? saved : null,
    since: settings.reprocess ? () => epoch(0) : since,
  });
  return {
    name,
    source: {
      start: () => {
        source.start();
        survey.start(since());
      },
      stop: async () => {
        await Promise.all([source.stop(), survey.stop()]);
      },
    },
    places: () => oneOf(name, source.cursor),
    setRegistry: fresh => {
      known = fresh;
      source.setRules(rulesOf(fresh));
    },
  };
}

/** With the mail server's entries, unless the administrator has chosen what is read. */
function withMail(
  rules: JournalRules,
  mail: MailTags | null,
  settings: JournalSettings,
): JournalRules {
  if (mail === null || choiceOf(settings).matches.length > 0) return rules;
  const isMail = trustDeclared([mail]);
  return {
    ...rules,
    tags: [...rules.tags, ...mail.programs],
    trust: entry => rules.trust(entry) || isMail(entry),
  };
}

function watchFile(path: string, receiver: Receiver, watching: SourceContext): SourceHandle {
  const { settings, places } = watching;
  const source = new FileSource(path, receiver, startOf(watching), {
    place: parsePlace(places[path]),
    olddirs: settings.watchlogOlddir,
  });
  return {
    name: path,
    source,
    places: () => oneOf(path, source.place),
    setRegistry: () => undefined,
  };
}

/** At the first line that matters, where no earlier run has got further. */
function startOf({ settings, registry, since }: SourceContext): StartPosition {
  if (settings.reprocess) return () => 0;
  return startAtTime(since, modified => {
    const stamps = new StampReader(() => modified, settings.watchlogZone);
    return line => stamps.bounded(parseLine(line, stamps, registry).time);
  });
}

function watchFiles(wildcard: Wildcard, receiver: Receiver, watching: SourceContext): SourceHandle {
  const { logs, places, receiverOf, settings } = watching;
  const name = wildcard.text;
  const before = logs.slice(
    0,
    logs.findIndex(log => log.wildcard === wildcard),
  );
  const saved = Object.entries(places).flatMap(([path, value]): [string, Place][] => {
    const place = matchesPath(wildcard, path) ? parsePlace(value) : null;
    return place === null ? [] : [[path, place]];
  });
  const source = new WildcardSource({
    wildcard,
    receiver,
    receiverOf: path => receiverOf(name, path),
    startAt: startOf(watching),
    places: new Map(saved),
    olddirs: settings.watchlogOlddir,
    isOthers: path =>
      logs.some(log => log.wildcard === null && normalize(log.name) === path) ||
      before.some(log => log.wildcard !== null && matchesPath(log.wildcard, path)),
  });
  return { name, source, places: () => source.places(), setRegistry: () => undefined };
}
