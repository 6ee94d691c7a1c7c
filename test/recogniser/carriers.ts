/**
 * What carries log lines, as each carrier writes them: for the tests of lines and of servers.
 */

/** Docker's json-file driver, which escapes <, > and & as well (Go, encoding/json). */
export const jsonFile = (line: string): string => {
  const log = JSON.stringify(`${line}\n`).replace(
    /[<>&]/g,
    character => `\\u00${character.charCodeAt(0).toString(16)}`,
  );
  const text = `{"log":${log},"stream":"stderr","time":"2026-11-23T00:53:00.123456789Z"}`;
  return Buffer.from(text).toString('latin1');
};

/** By name; each takes a line without its end. */
export const CARRIERS: readonly (readonly [name: string, carry: (line: string) => string])[] = [
  ['nothing', line => line],
  ['CRI', line => `2026-11-23T00:53:00.123456789Z stderr F ${line}`],
  ['CRI with a zone', line => `2026-11-23T01:53:00.123456789+01:00 stdout F ${line}`],
  ['json-file', jsonFile],
  ['docker logs -t', line => `2026-11-23T00:53:00.123456789Z ${line}`],
  ['podman logs -t', line => `2026-11-23T01:53:00+01:00 ${line}`],
  ['compose', line => `dovecot-1  | ${line}`],
  ['compose with colours', line => `\x1b[36mdovecot-1  | \x1b[0m${line}`],
  ['compose 1 with colours', line => `\x1b[36;1mdovecot_1     |\x1b[0m ${line}`],
  ['compose -t', line => `dovecot-1  | 2026-11-23T00:53:00.123456789Z ${line}`],
  [
    'compose -t with colours',
    line => `\x1b[33mdovecot-1  | \x1b[0m2026-11-23T00:53:00.123456789Z ${line}`,
  ],
  ['kubectl logs --prefix', line => `[pod/mail-0/dovecot] ${line}`],
  [
    'kubectl logs --prefix --timestamps',
    line => `[pod/mail-0/dovecot] 2026-11-23T00:53:00.123456789Z ${line}`,
  ],
  ['socklog', line => `mail.info: ${line}`],
  ['svlogd', line => `2026-11-23_00:53:00.12345 ${line}`],
  ['svlogd and socklog', line => `2026-11-23_00:53:00.12345 mail.info: ${line}`],
  ['svlogd -ttt', line => `2026-11-23T00:53:00.12345 ${line}`],
  ['svlogd -ttt and socklog', line => `2026-11-23T00:53:00.12345 mail.info: ${line}`],
  ['tai64nlocal', line => `2026-11-23 00:53:00.123456789 ${line}`],
  ['s6-log', line => `2026-11-23 00:53:00.123456789  ${line}`],
  ['TAI64N', line => `@400000006ab2f0a012345678 ${line}`],
  ['TAI64N and socklog', line => `@400000006ab2f0a012345678 mail.info: ${line}`],
  ['docker logs -t of socklog', line => `2026-11-23T00:53:00.123456789Z mail.info: ${line}`],
  ['a byte order mark', line => `\xef\xbb\xbf${line}`],
  [
    'a byte order mark before CRI',
    line => `\xef\xbb\xbf2026-11-23T00:53:00.123456789Z stdout F ${line}`,
  ],
];
