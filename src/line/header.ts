/**
 * What the headers of syslog lines consist of, as sources of expressions; what is made of them is prefix.ts's and relay.ts's.
 *
 * Sources: RFC 3164, RFC 5424; the forms of daemons that prefix.ts names.
 */
import { FACILITY_LEVEL } from './levels.ts';

export const PRIORITY = String.raw`(?:<\d{1,3}>)?`;
/** What hosts are called, chained as syslog-ng does (`src@relay/mx`); no bracket, so that no tag is taken for one. */
export const HOST = String.raw`(?:[\w.:/@~+-]{1,255}(?<!:)|\(none\))`;
export const LEVEL = String.raw`(?:(?:<(?:\d{1,2}\.\d|${FACILITY_LEVEL})>|${FACILITY_LEVEL}) )?`;
/** Structured data (RFC 5424 section 6.3): values are quoted, and `\`, `"` and `]` in them escaped. */
export const STRUCTURED = String.raw`(?:-|(?:\[[^\s"=\]]{1,32}(?: [^\s"=\]]{1,32}="(?:[^"\\\]]|\\.)*")*\])+)`;
/** The message may begin with a byte order mark (RFC 5424 section 6.4). */
export const BOM = String.raw`(?:\xef\xbb\xbf)?`;
