/**
 * A line of a server's own log behind a syslog tag: what systemd or a container's driver makes of what a server prints
 * on its standard output, `… dovecot[1363]: Nov 23 00:53:00 imap-login: Info: Login: …`.
 *
 * Promises: only for programs of servers that escape what they print, whose files say so by `own-log`; what is found
 * behind the stamp is a program of such a server, too.
 */
import { type Line, type OwnForm, sooner, taggedLine } from '../line/prefix.ts';
import { STAMP, type StampReader } from '../line/stamp.ts';

/** What a line behind a tag may be. */
export interface OwnLines {
  readonly programs: ReadonlySet<string>;
  readonly forms: readonly OwnForm[];
}

const STAMPED = new RegExp(`^${STAMP} `);

/** The line that stands in the message of another, or that one itself. */
export function ownLine(line: Line, { programs, forms }: OwnLines, stamps: StampReader): Line {
  const { message } = line;
  if (!STAMPED.test(message) && !forms.some(({ prefix }) => prefix.test(message))) return line;
  const own = taggedLine(message, stamps, forms);
  if (own === null || own.program === null || !programs.has(own.program)) return line;
  const { program, message: text } = own;
  return { ...line, time: sooner(own.time, line.time), program, message: text };
}
