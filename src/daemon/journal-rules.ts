/**
 * Which entries of the journal are asked for, which of them are servers' own words, and how they are read.
 *
 * Promises: without matches these are the entries under the servers' tags that their pattern files declare.  With matches they are
 * those that one of them chooses, and that are declared so, or are of root, or of the account that the match names: that choice may stand
 * in the place of what a pattern file declares of the sender, but not of the way in.  What came by a container's or a service's output
 * counts for servers that let no stranger's text begin a line there.  Under a tag that no pattern file names, the message is taken for a line of a log of
 * its own, as the same container's line in a file would be: of a syslog daemon in there, or of such a server.
 * One program that writes strangers' text as it is, in the same container, can write any line.  So once a container has printed a
 * line of such a log that is known (recogniser/raw-log.ts), nothing from it counts any more.
 * Known limits: other such programs are not known; choose containers in which the server alone prints.
 */

import { epoch } from '../base/clock.ts';
import { parseLine } from '../line/prefix.ts';
import { StampReader } from '../line/stamp.ts';
import type { PatternFile } from '../recogniser/pattern.ts';
import { rawServerOf } from '../recogniser/raw-log.ts';
import type { Registry } from '../recogniser/registry.ts';
import { carriedLine, type JournalEntry } from '../source/journal-entry.ts';
import { fromRoot, isChosen, type JournalMatch } from '../source/journal-match.ts';
import type { JournalRules } from '../source/journal-source.ts';
import { isJournald, isWay, JOURNALD, trustDeclared, wayOf } from '../source/journal-trust.ts';
import type { StartSettings } from './settings.ts';

/** What the administrator has said of the journal. */
export interface JournalChoice {
  /** Whether every sender is trusted. */
  readonly trustAny: boolean;
  readonly matches: readonly JournalMatch[];
}

/** The settings that say it. */
export type JournalSettings = Pick<StartSettings, 'journalTrust' | 'journalMatch'>;

export const choiceOf = ({ journalTrust, journalMatch }: JournalSettings): JournalChoice => ({
  trustAny: journalTrust === 'any',
  matches: journalMatch,
});

/** Of more the oldest is believed again until its next such line. */
const MOST_RAW = 10_000;

/** The containers that have printed lines of a raw log; kept while patterns are loaded again. */
export class RawContainers {
  readonly #names = new Set<string>();
  readonly #tell: (container: string, server: string) => void;

  constructor(tell: (container: string, server: string) => void = () => undefined) {
    this.#tell = tell;
  }

  /** Looks at what a sender that is trusted has said. */
  has(entry: JournalEntry): boolean {
    const { container, tag, unit, message } = entry;
    if (wayOf(entry) !== 'stdout') return false;
    const name = container ?? `${unit} ${tag}`;
    if (this.#names.has(name)) return true;
    const server = rawServerOf(message ?? '');
    if (server === null) return false;
    this.#add(name);
    this.#tell(tag, server);
    return true;
  }

  #add(name: string): void {
    const [oldest] = this.#names;
    if (oldest !== undefined && this.#names.size >= MOST_RAW) this.#names.delete(oldest);
    this.#names.add(name);
  }
}

export function journalRules(
  registry: Registry,
  choice: JournalChoice,
  raw: RawContainers = new RawContainers(),
): JournalRules {
  const { trustAny, matches } = choice;
  const rules = matches.length > 0 ? chosen(registry, choice) : declared(registry, trustAny);
  return {
    ...rules,
    hostFirst: new Set(hostFirstFiles(registry).flatMap(({ programs }) => programs)),
    trust: entry =>
      entry.tag === JOURNALD ? isJournald(entry) : rules.trust(entry) && !raw.has(entry),
  };
}

const declared = (registry: Registry, trustAny: boolean): JournalRules => ({
  tags: [...registry.tags, JOURNALD],
  untagged: hostFirstFiles(registry).flatMap(({ journal }) =>
    (journal.units ?? []).map(untaggedOf),
  ),
  trust: trustAny ? () => true : trustDeclared(registry.files),
});

/** Servers whose entries may have no tag of their own. */
const hostFirstFiles = ({ files }: Registry): PatternFile[] =>
  files.filter(({ journal }) => journal.isHostFirst);

const untaggedOf = (unit: string): JournalMatch => [
  { name: '_SYSTEMD_UNIT', value: unit },
  { name: '_TRANSPORT', value: 'syslog' },
];

const OF_JOURNALD: JournalMatch = [
  { name: 'SYSLOG_IDENTIFIER', value: JOURNALD },
  { name: '_TRANSPORT', value: 'driver' },
];

function chosen(registry: Registry, { trustAny, matches }: JournalChoice): JournalRules {
  const isDeclared = trustDeclared(registry.files);
  const trusted = trustAny ? matches : matches.map(fromRoot);
  const isKnown = ({ tag }: JournalEntry): boolean => registry.program(tag) !== null;
  return {
    tags: [],
    matches: [...matches, OF_JOURNALD],
    isCarried: entry => entry.tag !== JOURNALD && !isKnown(entry),
    trust: entry => {
      if (!isChosen(entry, matches)) return false;
      if (!isChosen(entry, trusted)) return isDeclared(entry);
      return isKnown(entry) ? mayCome(entry, registry) : isOwnLine(entry, registry);
    },
  };
}

/** Whether a server's words come into the journal by this way. */
const mayCome = (entry: JournalEntry, { files }: Registry): boolean =>
  files.some(({ programs, journal }) => programs.includes(entry.tag) && isWay(entry, journal));

/**
 * Whether the message is a line of a syslog daemon, which escapes line ends, or of a server that does.  What is no known server's at
 * all is handed on, to be told of.
 */
function isOwnLine(entry: JournalEntry, registry: Registry): boolean {
  const line = parseLine(carriedLine(entry) ?? '', NO_CLOCK, registry);
  const { program, host } = line;
  if (program === null || registry.program(program) === null || host !== null) return true;
  return registry.files.some(
    ({ programs, journal }) => programs.includes(program) && journal.transports.includes('stdout'),
  );
}

const NO_CLOCK = new StampReader(() => epoch(0));
