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
import { JOURNAL, type JournalRules, JournalSource } from '../source/journal-source.ts';
import { checkJournal } from '../source/journalctl.ts';
import { type Place, parsePlace } from '../source/place.ts';
import { openForReading } from '../source/readable-log.ts';
import type { Receiver, Source } from '../source/source.ts';
import { startAtTime } from '../source/start.ts';
import { StreamSource } from '../source/stream-source.ts';
import type { Places } from '../state/checkpoint.ts';
import { journalRules } from './journal-rules.ts';
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
  readonly settings: Pick<StartSettings, 'reprocess' | 'journalTrust'>;
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
 * @throws Failure LOG_UNREADABLE, LOG_NONE, JOURNAL_MISSING, JOURNAL_UNREADABLE
 */
export async function checkLogs(
  { watchlog, fleet, journalTrust }: Pick<RunSettings, 'watchlog' | 'fleet' | 'journalTrust'>,
  registry: Registry,
  notice: Receiver['notice'],
): Promise<readonly string[]> {
  if (watchlog.length === 0 && fleet?.role === 'subscribe') return [];
  if (watchlog.length === 0) {
    const usual = USUAL_LOGS.find(path => existsSync(path));
    if (usual === undefined) return [await journalOrNone()];
    return [await fileOrJournal(usual, registry, journalTrust === 'any', notice)];
  }
  for (const name of watchlog) {
    if (name === JOURNAL) await checkJournal();
    else if (name !== STDIN) checkLog(name);
  }
  return watchlog;
}

async function fileOrJournal(
  usual: string,
  registry: Registry,
  trustAny: boolean,
  notice: Receiver['notice'],
): Promise<string> {
  const now = epoch(Date.now() / 1000);
  const ahead = await journalAhead(usual, now, () => newestJournalLogin(registry, trustAny));
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
  return name === JOURNAL ? watchJournal(receiver, watching) : watchFile(name, receiver, watching);
}

const watchInput = (receiver: Receiver): SourceHandle => ({
  name: STDIN,
  source: new StreamSource(process.stdin, 'standard input', receiver),
  place: () => null,
  setRegistry: () => undefined,
});

function watchJournal(
  receiver: Receiver,
  { settings, registry, since, places }: SourceContext,
): SourceHandle {
  const rulesOf = (known: Registry): JournalRules => journalRules(known, settings);
  const saved = places[JOURNAL];
  const source = new JournalSource(receiver, rulesOf(registry), {
    cursor: typeof saved === 'string' ? saved : null,
    since: settings.reprocess ? () => epoch(0) : since,
  });
  return {
    name: JOURNAL,
    source,
    place: () => source.cursor,
    setRegistry: known => source.setRules(rulesOf(known)),
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
