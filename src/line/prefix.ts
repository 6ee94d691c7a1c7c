/**
 * What a log line says before the message: when, which host, which program, which process.
 *
 * Parsed once, before any pattern, because the program's name is what tells a server's own words from
 * words that a stranger had some other program write (CVE-2001-1075).  A line whose prefix is not
 * understood has no program, and so can never be a login.
 *
 * Forms read: RFC 3164, RFC 3339 and journalctl's stamps with or without host and pid, RFC 5424, `<PRI>` before either,
 * FreeBSD's `<mail.info>` before the host, BusyBox's `mail.info` before the tag, Solaris' `[ID n mail.info]`
 * after it, metalog's `[tag]`; any of them carried by docker compose or daemontools; and what the pattern files
 * say that servers' own logs begin with, if nothing else fits.  Lines are latin1 strings, a character a byte, since no syslog daemon
 * promises valid UTF-8.
 * nginx puts the host before its tag itself, so that rsyslog writes it twice: where it is the same word, it is taken once.  Whoever can
 * have a program begin a message so could have it begin with the tag as well.
 * Known limit: where a syslog daemon writes neither host nor colon, the first word of a message that came
 * without a tag is taken for the host.  Every run is bounded or ends by itself, so no line costs more than its length.
 */
import type { EpochSeconds } from '../base/clock.ts';
import { CLASSIC_STAMP, MONTH, STAMP, type StampReader } from './stamp.ts';

export interface Line {
  readonly time: EpochSeconds | null;
  readonly host: string | null;
  readonly program: string | null;
  readonly pid: string | null;
  readonly message: string;
}

const PRIORITY = '(?:<\\d{1,3}>)?';
/** What hosts are called, chained as syslog-ng does (`src@relay/mx`); no bracket, so that no tag is taken for one. */
const HOST = String.raw`[\w.:/@~+-]{1,255}(?<!:)`;
/** An expression's source that matches a program's name, of which the pid is no part. */
export const PROGRAM = String.raw`[^\s:[\]()<>"=,]{1,64}`;
const TAG = String.raw`(?<program>${PROGRAM})(?:\[(?<pid>\d{1,10})\])?`;
const FACILITIES = [
  'auth',
  'authpriv',
  'console',
  'cron',
  'daemon',
  'ftp',
  'kern',
  'lpr',
  'mail',
  'news',
  'ntp',
  'security',
  'syslog',
  'user',
  'uucp',
  'local0',
  'local1',
  'local2',
  'local3',
  'local4',
  'local5',
  'local6',
  'local7',
];
const LEVELS = [
  'emerg',
  'panic',
  'alert',
  'crit',
  'err',
  'error',
  'warn',
  'warning',
  'notice',
  'info',
  'debug',
];

/** Every `mail.info` that syslog.conf(5) knows. */
export const FACILITY_LEVELS: readonly string[] = FACILITIES.flatMap(facility =>
  LEVELS.map(level => `${facility}.${level}`),
);
const FACILITY_LEVEL = `(?:${FACILITIES.join('|')})\\.(?:${LEVELS.join('|')})`;
const LEVEL = String.raw`(?:(?:<(?:\d{1,2}\.\d|${FACILITY_LEVEL})>|${FACILITY_LEVEL}) )?`;
const SOLARIS_ID = String.raw`(?:\[ID \d{1,10} ${FACILITY_LEVEL}\] )?`;
/** Structured data (RFC 5424 section 6.3): values are quoted, and `\`, `"` and `]` in them escaped. */
const STRUCTURED = String.raw`(?:-|(?:\[[^\s"=\]]{1,32}(?: [^\s"=\]]{1,32}="(?:[^"\\\]]|\\.)*")*\])+)`;
/** The message may begin with a byte order mark (RFC 5424 section 6.4). */
const BOM = '(?:\\xef\\xbb\\xbf)?';

/**
 * What carries lines that have a stamp of their own: docker compose (service name and bar), daemontools (TAI64N).
 * Nobody but these writes the start of their lines.
 */
const CARRIER = /^(?:[\w.-]{1,64} {1,64}\| |@[0-9a-f]{24} )/;

/** What the lines of a server's own log begin with, where no syslog daemon has written a tag. */
export interface OwnForm {
  /** The program whose lines they are taken for. */
  readonly program: string;
  /** Anchored at the start; its group `stamp` is the time. */
  readonly prefix: RegExp;
}

const FORMS: readonly RegExp[] = [
  // RFC 5424: the tag has neither colon nor brackets, and `-` stands for nothing.  rsyslog puts the blank
  // that followed an RFC 3164 tag before the message, so that there are two (seen with 8.2302).
  new RegExp(
    String.raw`^${PRIORITY}1 (?<stamp>${STAMP}) (?<host>\S{1,255}) (?<program>\S{1,48}) (?<pid>\S{1,128}) \S{1,32} ${STRUCTURED}(?:  ?${BOM}|$)`,
  ),
  new RegExp(
    `^${PRIORITY}(?<stamp>${STAMP}) ${LEVEL}(?:(?<host>${HOST}) (?:\\k<host> )?)?${LEVEL}${TAG}: ?${SOLARIS_ID}`,
  ),
  // metalog: `[tag] message`, no host.  A number would be a pid, as qpopper's own log has it.
  new RegExp(String.raw`^(?<stamp>${CLASSIC_STAMP}) \[(?!\d+\])(?<program>${PROGRAM})\]:? `),
];

/**
 * Splits a line; what is not understood has a message and nothing else.
 *
 * @param ownForms tried when no form of a syslog daemon fits
 */
export function parseLine(
  text: string,
  stamps: StampReader,
  ownForms: readonly OwnForm[] = [],
): Line {
  const bare = { time: null, host: null, program: null, pid: null, message: text };
  const line = taggedLine(text, stamps, ownForms);
  if (line !== null) return line;
  const carrier = CARRIER.exec(text)?.[0];
  if (carrier === undefined) return bare;
  return taggedLine(text.slice(carrier.length), stamps, ownForms) ?? bare;
}

function taggedLine(text: string, stamps: StampReader, ownForms: readonly OwnForm[]): Line | null {
  return commonLine(text, stamps) ?? syslogLine(text, stamps) ?? ownLine(text, stamps, ownForms);
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
    String.raw`(?!${FACILITY_LEVEL} )([\w.-]{1,255}) (${PROGRAM})(?:\[(\d{1,10})\])?: ?(?! ?\[ID )`,
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

function ownLine(text: string, stamps: StampReader, ownForms: readonly OwnForm[]): Line | null {
  for (const { program, prefix } of ownForms) {
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
