/**
 * What a log line says before the message: when, which host, which program, which process.
 *
 * Parsed once, before any pattern, because the program's name is what tells a server's own words from
 * words that a stranger had some other program write (CVE-2001-1075).  A line whose prefix is not
 * understood has no program, and so can never be a login.
 *
 * Forms read: RFC 3164, RFC 3339 and journalctl's stamps with or without host and pid, RFC 5424, `<PRI>` before either,
 * FreeBSD's `<mail.info>` before the host, BusyBox's `mail.info` before the tag, Solaris' `[ID n mail.info]`
 * after it, metalog's `[tag]`; any of them carried by a container runtime or a supervisor (carriers.ts); BusyBox's `(none)` for a host;
 * tabs for the blanks; and what the pattern files
 * say that servers' own logs begin with, if nothing else fits.  Lines are latin1 strings, a character a byte, since no syslog daemon
 * promises valid UTF-8.
 * nginx puts the host before its tag itself, so that rsyslog writes it twice: where it is the same word, it is taken once.  Whoever can
 * have a program begin a message so could have it begin with the tag as well.  A second header counts where the first is a trusted
 * relay's (relay.ts), and nowhere else.
 * Known limit: where a syslog daemon writes neither host nor colon, the first word of a message that came
 * without a tag is taken for the host.  Every run is bounded or ends by itself, so no line costs more than its length.
 */
import { type EpochSeconds, epoch } from '../base/clock.ts';
import { unloaded } from './carriers.ts';
import { BOM, HOST, LEVEL, PRIORITY, STRUCTURED } from './header.ts';
import { FACILITY_LEVEL } from './levels.ts';
import { headersBefore } from './relay.ts';
import { CLASSIC_STAMP, MONTH, STAMP, type StampReader } from './stamp.ts';

export interface Line {
  readonly time: EpochSeconds | null;
  readonly host: string | null;
  readonly program: string | null;
  readonly pid: string | null;
  readonly message: string;
}

/** Neither host nor tag: the day of another stamp, `2026-11-23 00:53:00`, which would leave its hour for the tag. */
const NO_DAY = String.raw`(?!\d{4}[-/]\d\d[-/]\d\d[T _]\d\d:)`;
/** An expression's source that matches a program's name, of which the pid is no part. */
export const PROGRAM = String.raw`[^\s:[\]()<>"=,]{1,64}`;
const TAG = String.raw`${NO_DAY}(?<program>${PROGRAM})(?:\[(?<pid>\d{1,10})\])?`;
const SOLARIS_ID = String.raw`(?:\[ID \d{1,10} ${FACILITY_LEVEL}\] )?`;

/** What the lines of a server's own log begin with, where no syslog daemon has written a tag. */
export interface LinePrefix {
  /** The program whose lines they are taken for. */
  readonly program: string;
  /** Anchored at the start; its group `stamp` is the time. */
  readonly prefix: RegExp;
}

/** What lines begin with besides the one header of a syslog daemon. */
export interface Beginnings {
  /** Tried when no form of a syslog daemon fits. */
  readonly linePrefixes: readonly LinePrefix[];
  /** The relays behind whose headers a second one counts, by the names that stand there. */
  readonly relays: ReadonlySet<string>;
}

const USUAL: Beginnings = { linePrefixes: [], relays: new Set() };

const FORMS: readonly RegExp[] = [
  // RFC 5424: the tag has neither colon nor brackets, and `-` stands for nothing.  rsyslog puts the blank
  // that followed an RFC 3164 tag before the message, so that there are two (seen with 8.2302).
  new RegExp(
    String.raw`^${PRIORITY}1 (?<stamp>${STAMP}) (?<host>\S{1,255}) (?<program>\S{1,48}) (?<pid>\S{1,128}) \S{1,32} ${STRUCTURED}(?:  ?${BOM}|$)`,
  ),
  new RegExp(
    String.raw`^${PRIORITY}(?<stamp>${STAMP})[ \t]${LEVEL}${NO_DAY}(?:(?<host>${HOST})[ \t](?:\k<host>[ \t])?|(?!${FACILITY_LEVEL}: ))` +
      String.raw`${LEVEL}${TAG}:[ \t]?${SOLARIS_ID}`,
  ),
  // metalog: `[tag] message`, no host.  A number would be a pid, as qpopper's own log has it.
  new RegExp(String.raw`^(?<stamp>${CLASSIC_STAMP}) \[(?!\d+\])(?<program>${PROGRAM})\]:? `),
];

/** Splits a line; what is not understood has a message and nothing else. */
export function parseLine(text: string, stamps: StampReader, beginnings: Beginnings = USUAL): Line {
  return (
    headedLine(text, stamps, beginnings) ??
    carriedLine(text, stamps, beginnings) ?? {
      time: null,
      host: null,
      program: null,
      pid: null,
      message: text,
    }
  );
}

/**
 * A line behind its carriers.  It was written no later than it was carried, and where it does not say when, then: what
 * is carried may be an old log that is shown again, and its stamp may be of another zone.  So may a carrier's that tells
 * none, which therefore never puts a line back.
 */
function carriedLine(text: string, stamps: StampReader, beginnings: Beginnings): Line | null {
  let carriedAt: string | null = null;
  let saidAt: string | null = null;
  let rest = text;
  for (const carried of unloaded(text)) {
    if (carried.piece?.isLast === false) return null;
    rest = carried.rest;
    carriedAt = carried.stamp ?? carriedAt;
    saidAt = carried.stamp ?? carried.localStamp ?? saidAt;
    const line = headedLine(rest, stamps, beginnings);
    if (line === null) continue;
    return carriedAt === null ? line : { ...line, time: sooner(line.time, stamps.read(carriedAt)) };
  }
  return saidAt === null ? null : unstampedLine(rest, stamps.read(saidAt));
}

/** A line of its own, or one behind the headers of relays that are trusted, all of them. */
function headedLine(text: string, stamps: StampReader, beginnings: Beginnings): Line | null {
  const { linePrefixes, relays } = beginnings;
  const line = taggedLine(text, stamps, linePrefixes);
  if ((line !== null && line.program !== null) || relays.size === 0) return line;
  const headed = headersBefore(text, host => relays.has(host)).at(-1);
  if (headed === undefined) return line;
  const relayed = taggedLine(headed.rest, stamps, []);
  return relayed && { ...relayed, time: sooner(relayed.time, stamps.read(headed.stamp)) };
}

/** What a line was written at, that was carried at a time: it cannot have been later. */
export const sooner = (
  own: EpochSeconds | null,
  carried: EpochSeconds | null,
): EpochSeconds | null => (own === null || carried === null ? null : epoch(Math.min(own, carried)));

const UNSTAMPED = new RegExp(String.raw`^${TAG}:[ \t]?`);

/** What a program says of itself alone. */
function unstampedLine(text: string, time: EpochSeconds | null): Line | null {
  const found = UNSTAMPED.exec(text);
  if (found?.groups === undefined) return null;
  const { program, pid } = found.groups;
  const message = text.slice(found[0].length);
  return { time, host: null, program: present(program), pid: present(pid), message };
}

/** Splits a line that nothing carries, or nothing any more; null for what is not understood. */
export function taggedLine(
  text: string,
  stamps: StampReader,
  linePrefixes: readonly LinePrefix[],
): Line | null {
  return (
    commonLine(text, stamps) ?? syslogLine(text, stamps) ?? ownLine(text, stamps, linePrefixes)
  );
}

/** The stamps of nearly every line: RFC 3339 with a zone, or a plain RFC 3164 one. */
export const COMMON_STAMP =
  String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)|` +
  String.raw`${MONTH} [ \d]\d \d\d:\d\d:\d\d`;

/**
 * What nearly every line begins with, as the second form below would split it, in a fifth of the time: no level, a
 * plain host, a common stamp.
 */
const COMMON = new RegExp(
  `^(${COMMON_STAMP}) ` +
    String.raw`(?!${FACILITY_LEVEL} )${NO_DAY}([\w.-]{1,255}) ${NO_DAY}(${PROGRAM})(?:\[(\d{1,10})\])?:[ \t]?(?![ \t]?\[ID )`,
);

function commonLine(text: string, stamps: StampReader): Line | null {
  const found = COMMON.exec(text);
  if (found === null) return null;
  const [prefix, stamp = '', host = '', program = '', pid = null] = found;
  return {
    time: stamps.read(stamp),
    host: present(host),
    program: present(program),
    pid,
    message: text.slice(prefix.length),
  };
}

function syslogLine(text: string, stamps: StampReader): Line | null {
  for (const form of FORMS) {
    const found = form.exec(text);
    if (found?.groups === undefined) continue;
    const { stamp, host, program, pid } = found.groups;
    return {
      time: stamp === undefined ? null : stamps.read(stamp),
      host: present(host),
      program: present(program),
      pid: present(pid),
      message: text.slice(found[0].length),
    };
  }
  return null;
}

function ownLine(
  text: string,
  stamps: StampReader,
  linePrefixes: readonly LinePrefix[],
): Line | null {
  for (const { program, prefix } of linePrefixes) {
    const found = prefix.exec(text);
    const stamp = found?.groups?.['stamp'];
    if (found === null || stamp === undefined) continue;
    const message = text.slice(found[0].length);
    return { time: stamps.read(stamp), host: null, program, pid: null, message };
  }
  return null;
}

export const present = (text: string | undefined): string | null =>
  text === undefined || text === '-' ? null : text;
