/**
 * What a log line says before the message: when, which host, which program, which process.
 *
 * Parsed once, before any pattern, because the program's name is what tells a server's own words from
 * words that a stranger had some other program write (CVE-2001-1075).  A line whose prefix is not
 * understood has no program, and so can never be a login.
 *
 * Forms read: RFC 3164 and RFC 3339 stamps with or without host and pid, RFC 5424, `<PRI>` before either,
 * FreeBSD's `<mail.info>` and BusyBox's `mail.info` before the tag, Solaris' `[ID n mail.info]` after it,
 * metalog's `[tag]`.  A server's own log without a syslog tag is described by the server's pattern file.
 * Lines are latin1 strings, a character a byte, since no syslog daemon promises valid UTF-8.
 */
import type { EpochSeconds } from '../clock.ts';
import { STAMP, type StampReader } from './stamp.ts';

export interface Line {
  readonly time: EpochSeconds | null;
  readonly host: string | null;
  readonly program: string | null;
  readonly pid: string | null;
  readonly message: string;
}

/** A form of prefix with the named groups stamp, host, program and pid; `fixed` names the program if the form implies it. */
export interface Dialect {
  readonly expression: RegExp;
  readonly program?: string;
}

const PRIORITY = '(?:<\\d{1,3}>)?';
const TAG = String.raw`(?<program>[^\s:\[\]()<>"=,]{1,64})(?:\[(?<pid>\d{1,10})\])?`;
const LEVEL = String.raw`(?:(?:<[\w.]{1,20}> )|(?:[a-z0-9]{2,8}\.[a-z]{3,7} ))?`;
const SOLARIS_ID = String.raw`(?:\[ID \d{1,10} \w{1,10}\.\w{1,10}\] )?`;
/** Structured data (RFC 5424 section 6.3): values are quoted, and `\`, `"` and `]` in them escaped. */
const STRUCTURED = String.raw`(?:-|(?:\[[^\s"=\]]+(?: [^\s"=\]]+="(?:[^"\\\]]|\\.)*")*\])+)`;

const SYSLOG: readonly Dialect[] = [
  {
    // RFC 5424: the tag has neither colon nor brackets, and `-` stands for nothing.
    expression: new RegExp(
      String.raw`^${PRIORITY}1 (?<stamp>${STAMP}) (?<host>\S{1,255}) (?<program>[^\s]{1,48}) (?<pid>\S{1,128}) \S{1,32} ${STRUCTURED}(?: (?:\xef\xbb\xbf)?|$)`,
    ),
  },
  {
    expression: new RegExp(
      String.raw`^${PRIORITY}(?<stamp>${STAMP}) ${LEVEL}(?:(?<host>[^\s\[]\S{0,254}(?<!:)) )?${LEVEL}${TAG}: ?${SOLARIS_ID}`,
    ),
  },
  {
    // metalog: `[tag] message`, no host.
    expression: new RegExp(
      String.raw`^(?<stamp>${STAMP}) \[(?<program>[A-Za-z][^\s:\[\]()<>"=,]{0,63})\]:? `,
    ),
  },
];

/** Splits a line; `own` are the forms of servers' own logs, tried when the line is not syslog's. */
export function parseLine(text: string, stamps: StampReader, own: readonly Dialect[] = []): Line {
  for (const dialect of SYSLOG) {
    const line = split(text, dialect, stamps);
    if (line !== null) return line;
  }
  for (const dialect of own) {
    const line = split(text, dialect, stamps);
    if (line !== null) return line;
  }
  return { time: null, host: null, program: null, pid: null, message: text };
}

function split(text: string, dialect: Dialect, stamps: StampReader): Line | null {
  const found = dialect.expression.exec(text);
  if (found === null) return null;
  const { stamp, host, program, pid } = found.groups ?? {};
  return {
    time: stamp === undefined ? null : stamps.read(stamp),
    host: present(host),
    program: dialect.program ?? present(program),
    pid: present(pid),
    message: text.slice(found[0].length),
  };
}

const present = (text: string | undefined): string | null =>
  text === undefined || text === '-' ? null : text;
