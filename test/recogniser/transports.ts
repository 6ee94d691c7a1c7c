/**
 * What logs make of a tag and a message, by each transport: for the tests of servers, and the benchmark of `match`.
 */
import { entryLine, parseEntry } from '../../src/source/journal-entry.ts';

/** What a syslog daemon makes of a tag, with or without a pid, and a message. */
export type Transport = (tag: string, message: string) => string;
const bare = (tag: string): string => tag.replace(/\[\d+\]/, '');

/** By name. */
export const TRANSPORTS: readonly (readonly [string, Transport])[] = [
  ['RFC 3164', (tag, message) => `Nov 23 00:53:00 mx ${tag}: ${message}`],
  ['RFC 3164 with a priority', (tag, message) => `<22>Nov 23 00:53:00 mx ${tag}: ${message}`],
  ['RFC 3339', (tag, message) => `2026-11-23T00:53:00.123456+00:00 mx ${tag}: ${message}`],
  ['RFC 5424', (tag, message) => `<22>1 2026-11-23T00:53:00Z mx ${bare(tag)} 7 - - ${message}`],
  ['no host', (tag, message) => `Nov 23 00:53:00 ${tag}: ${message}`],
  ['BusyBox', (tag, message) => `Nov 23 00:53:00 mx mail.info ${tag}: ${message}`],
  [
    'BusyBox without a host name',
    (tag, message) => `Nov 23 00:53:00 (none) mail.info ${tag}: ${message}`,
  ],
  ['tabs', (tag, message) => `Nov 23 00:53:00\tmx\t${tag}:\t${message}`],
  ['a blank in the stamp', (tag, message) => `2026-11-23 00:53:00 mx ${tag}: ${message}`],
  [
    'rsyslog, once more',
    (tag, message) => `Nov 23 00:53:00 mx ${tag}: message repeated 2 times: [ ${message}]`,
  ],
  ['a carriage return at its end', (tag, message) => `Nov 23 00:53:00 mx ${tag}: ${message}\r`],
  ['one that rsyslog has escaped', (tag, message) => `Nov 23 00:53:00 mx ${tag}: ${message}#015`],
  [
    'rsyslog, once more, with carriage returns',
    (tag, message) => `Nov 23 00:53:00 mx ${tag}: message repeated 2 times: [ ${message}#015]\r`,
  ],
  ['the journal', journal],
  ['the journal, with a carriage return', (tag, message) => journal(tag, `${message}\r`)],
];

/** What the journal holds of a datagram. */
function journal(tag: string, message: string): string {
  const entry = parseEntry(
    JSON.stringify({
      __CURSOR: 's=1',
      __REALTIME_TIMESTAMP: `${Date.parse('2026-11-23T00:53:00Z')}000`,
      SYSLOG_IDENTIFIER: bare(tag),
      MESSAGE: message,
      _PID: '7',
      _HOSTNAME: 'mx',
    }),
  );
  return (entry && entryLine(entry)) ?? '';
}
