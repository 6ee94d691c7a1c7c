/**
 * Makes the sources that the settings name.
 */
import { closeSync, existsSync } from 'node:fs';
import { type EpochSeconds, epoch } from '../base/clock.ts';
import { Failure, failure } from '../base/errors.ts';
import { parseLine } from '../line/prefix.ts';
import { StampReader } from '../line/stamp.ts';
import type { Registry } from '../recogniser/registry.ts';
import { FileSource } from '../source/file-source.ts';
import { JournalSource } from '../source/journal-source.ts';
import { isJournal, JOURNAL } from '../source/journal-store.ts';
import { checkJournal } from '../source/journalctl.ts';
import { type Place, parsePlace } from '../source/place.ts';
import { openForReading } from '../source/readable-log.ts';
import type { Receiver, Source } from '../source/source.ts';
import { startAtTime } from '../source/start.ts';
import { StreamSource } from '../source/stream-source.ts';
import type { Places } from '../state/checkpoint.ts';
import { type JournalChoice, journalRules, RawContainers } from './journal-rules.ts';
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

/** A source, with what the daemon wants of it besides lines. */
export interface SourceHandle {
  readonly name: string;
  readonly source: Source;
  /** How far its lines have been dealt with, for the checkpoint; null when it cannot be found again. */
  place(): Place | string | null;
  /** The patterns have been loaded again. */
  setRegistry(registry: Registry): void;
}

/** What a source is made from. */
export interface SourceContext {
  readonly settings: Pick<StartSettings, 'reprocess' | 'journalTrust' | 'journalMatch'>;
  readonly registry: Registry;
  /** The moment before which no login matters, as things are now. */
  since(): EpochSeconds;
  /** Where an earlier run has got to. */
  readonly places: Places;
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
  settings: Pick<RunSettings, 'watchlog' | 'fleet' | 'journalTrust' | 'journalMatch'>,
  registry: Registry,
  notice: Receiver['notice'],
): Promise<readonly string[]> {
  const { watchlog, fleet } = settings;
  if (watchlog.length === 0 && fleet?.role === 'subscribe') return [];
  if (watchlog.length === 0) {
    const usual = USUAL_LOGS.find(path => existsSync(path));
    if (usual === undefined) return [await journalOrNone()];
    return [await fileOrJournal(usual, registry, choiceOf(settings), notice)];
  }
  for (const name of watchlog) {
    if (isJournal(name)) await checkJournal(name);
    else if (name !== STDIN) checkLog(name);
  }
  return watchlog;
}

export const choiceOf = ({
  journalTrust,
  journalMatch,
}: Pick<RunSettings, 'journalTrust' | 'journalMatch'>): JournalChoice => ({
  trustAny: journalTrust === 'any',
  matches: journalMatch,
});

async function fileOrJournal(
  usual: string,
  registry: Registry,
  choice: JournalChoice,
  notice: Receiver['notice'],
): Promise<string> {
  const now = epoch(Date.now() / 1000);
  const ahead = await journalAhead(usual, now, () => newestJournalLogin(registry, choice));
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

export function watch(name: string, receiver: Receiver, watching: SourceContext): SourceHandle {
  if (name === STDIN) return watchInput(receiver);
  return isJournal(name)
    ? watchJournal(name, receiver, watching)
    : watchFile(name, receiver, watching);
}

const watchInput = (receiver: Receiver): SourceHandle => ({
  name: STDIN,
  source: new StreamSource(process.stdin, 'standard input', receiver),
  place: () => null,
  setRegistry: () => undefined,
});

function watchJournal(
  name: string,
  receiver: Receiver,
  { settings, registry, since, places }: SourceContext,
): SourceHandle {
  const raw = new RawContainers((tag, server) =>
    receiver.notice({ kind: 'raw log', path: name, tag, server }),
  );
  const rulesOf = (known: Registry) => journalRules(known, choiceOf(settings), raw);
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
    place: () => source.cursor,
    setRegistry: fresh => {
      known = fresh;
      source.setRules(rulesOf(fresh));
    },
  };
}

function watchFile(path: string, receiver: Receiver, watching: SourceContext): SourceHandle {
  const { settings, registry, since, places } = watching;
  const byTime = startAtTime(since, modified => {
    const stamps = new StampReader(() => modified);
    return line => stamps.bounded(parseLine(line, stamps, registry.linePrefixes).time);
  });
  const source = new FileSource(path, receiver, settings.reprocess ? () => 0 : byTime, {
    place: parsePlace(places[path]),
  });
  return { name: path, source, place: () => source.place, setRegistry: () => undefined };
}
