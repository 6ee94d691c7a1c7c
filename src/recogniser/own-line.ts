/**
 * A line of a server's own log behind a syslog tag: what systemd or a container's driver makes of what a server prints
 * on its standard output, `… dovecot[1363]: Nov 23 00:53:00 imap-login: Info: Login: …`.
 *
 * Promises: only for programs of servers that escape what they print, whose files say so by `own-log`; what is found
 * behind the stamp is a program of such a server, too.
 */
import { type Line, type LinePrefix, sooner, taggedLine } from '../line/prefix.ts';
import { STAMP, type StampReader } from '../line/stamp.ts';

/** What a line behind a tag may be. */
export interface OwnLines {
  readonly programs: ReadonlySet<string>;
  readonly forms: readonly LinePrefix[];
}

/** How any such message begins. */
const STAMPED = new RegExp(String.raw`^(?:[\w-]{1,32}: )?${STAMP} `);

/** The line that stands in the message of another, or that one itself. */
export function ownLine(line: Line, own: OwnLines, stamps: StampReader): Line {
  const { program, message } = line;
  if (!STAMPED.test(message)) return line;
  // Where a stamp was put before the server's own name, that was taken for the tag.
  return (
    innerLine(line, message, own, stamps) ??
    innerLine(line, `${program}: ${message}`, own, stamps) ??
    line
  );
}

function innerLine(
  line: Line,
  text: string,
  { programs, forms }: OwnLines,
  stamps: StampReader,
): Line | null {
  const own = taggedLine(text, stamps, forms);
  if (own === null || own.program === null || !programs.has(own.program)) return null;
  const { program, message } = own;
  return { ...line, time: sooner(own.time, line.time), program, message };
}
