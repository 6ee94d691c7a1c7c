/**
 * A line behind the header of a relay: a host that takes lines from others and logs them, header and all, as messages of its own.
 *
 *     Nov 23 00:53:01 192.0.2.1 <22>Nov 23 00:53:00 mx dovecot: imap-login: Login: …
 *
 * Promises: a second header stands right behind the first one's host, where a tag would, or behind `-` for no tag; so nothing
 * that a program says under its tag is ever taken for one.  It begins with a stamp.  rsyslog takes what stands before the
 * first colon for the tag, and puts a blank behind it; that blank in the middle of a stamp is taken out again (seen with 8.2302).
 * Leaves to others: which relays are trusted, and what the line says (prefix.ts).
 *
 * Who can write one: whoever may send to the relay, or to this host in the relay's name; and whoever can have a program of the
 * relay's log a message without a tag.  The first could send a line with one header as well, wherever the syslog daemon takes
 * lines from other hosts; the last is why a relay has to be named.
 * Known limits: where the syslog daemon writes no hosts, the first word of a message without a tag stands in the place of one.
 * What rsyslog writes of a second header in the form of RFC 5424 (RSYSLOG_SyslogProtocol23Format) is not read: half of its stamp is
 * the tag there.
 */
import { failure } from '../base/errors.ts';
import type { Given } from '../base/given.ts';
import { BOM, HOST, LEVEL, PRIORITY, STRUCTURED } from './header.ts';
import { STAMP } from './stamp.ts';

/** A line with its outermost header taken off. */
export interface Headed {
  /** The header as it stands. */
  readonly header: string;
  readonly stamp: string;
  readonly host: string;
  /** Begins with another header. */
  readonly rest: string;
}

/** `2026-11-23T00: 53:00`, as rsyslog writes it. */
const TORN_STAMP = String.raw`\d{4}-\d\d-\d\d[T ]\d\d: \d\d:\d\d`;
const SECOND = `(?=${PRIORITY}(?:1 )?(?:${STAMP}|${TORN_STAMP}))`;
const FORMS: readonly RegExp[] = [
  new RegExp(
    String.raw`^${PRIORITY}(?<stamp>${STAMP})[ \t]${LEVEL}(?<host>${HOST})[ \t](?:- )?${SECOND}`,
  ),
  new RegExp(
    String.raw`^${PRIORITY}1 (?<stamp>${STAMP}) (?<host>${HOST}) - \S{1,128} \S{1,32} ${STRUCTURED}  ?${BOM}${SECOND}`,
  ),
];
const TEAR = /^((?:<\d{1,3}>)?(?:1 )?\d{4}-\d\d-\d\d[T ]\d\d:) (?=\d\d:\d\d)/;

/** From one to the next. */
const MOST_RELAYS = 4;

/** The headers that stand before a line's own, the outermost first, up to one whose host is no relay. */
export function headersBefore(text: string, isRelay: (host: string) => boolean): Headed[] {
  const headers: Headed[] = [];
  for (let rest = text; headers.length < MOST_RELAYS; ) {
    const headed = behindHeader(rest);
    if (headed === null || !isRelay(headed.host)) break;
    headers.push(headed);
    rest = headed.rest;
  }
  return headers;
}

/** Null where no second header stands behind the first. */
function behindHeader(text: string): Headed | null {
  for (const form of FORMS) {
    const found = form.exec(text);
    const { stamp, host } = found?.groups ?? {};
    if (found === null || stamp === undefined || host === undefined) continue;
    const header = found[0].trimEnd();
    return { header, stamp, host, rest: text.slice(found[0].length).replace(TEAR, '$1') };
  }
  return null;
}

const NAME = new RegExp(`^${HOST}$`);

/** @throws Failure TRUSTED_RELAY of what can be no host in a header */
export function relaysOf({ value, origin: where }: Given<readonly string[]>): ReadonlySet<string> {
  const odd = value.find(name => !NAME.test(name));
  if (odd !== undefined) throw failure('TRUSTED_RELAY', { where, name: odd });
  return new Set(value);
}
