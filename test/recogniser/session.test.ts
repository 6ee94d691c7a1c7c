import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { parseLine } from '../../src/line/prefix.ts';
import { StampReader } from '../../src/line/stamp.ts';
import { parsePatternFile } from '../../src/recogniser/pattern.ts';
import { describe as described } from '../../src/recogniser/recogniser.ts';
import { sessionOf } from '../../src/recogniser/session.ts';

/** A server with programs that speak one protocol, and one that speaks both. */
const fileOf = (login: string, logout: string) =>
  parsePatternFile(
    'toy.toml',
    'toy',
    `programs = ["toyd", "toy-imap", "toy-pop"]
    imap-programs = "toy-imap"
    pop3-programs = "toy-pop"
    join = "session"
    [[login]]
    name = "login"
    expression = '${login} (?<session>\\d{1,9}) {ip}'
    match = [{ line = 'x', ip = "::1" }]
    [[logout]]
    name = "logout"
    expression = '${logout} (?<session>\\d{1,9})'
    match = [{ line = 'x' }]`,
  );

const stamps = new StampReader(() => epoch(0));

function session(file: ReturnType<typeof fileOf>, text: string) {
  const line = parseLine(`2026-11-23T00:53:00Z ${text}`, stamps);
  for (const pattern of file.patterns) {
    const description = described(pattern, line);
    if (description !== null) return sessionOf(pattern, line, description.ip, description.fields);
  }
  return assert.fail(text);
}

describe('where the logout names the protocol', () => {
  const file = fileOf('(?<protocol>imap|POP3)?in', '(?<protocol>imap|pop3)out');
  /** What the lines say; protocol; what the service ends in. */
  const table: readonly (readonly [string, string | null, string])[] = [
    ['mx toyd: imapin 7 ::1', 'imap', 'imap'],
    ['mx toyd: POP3in 7 ::1', 'pop3', 'pop3'],
    ['mx toyd: imapout 7', 'imap', 'imap'],
    ['mx toyd: pop3out 7', 'pop3', 'pop3'],
    ['mx toyd: in 7 ::1', null, 'toyd'],
    ['mx toy-imap: in 7 ::1', 'imap', 'imap'],
    ['mx toy-pop: in 7 ::1', 'pop3', 'pop3'],
  ];
  for (const [line, protocol, teller] of table) {
    test(line, () =>
      assert.deepEqual(session(file, line), {
        key: 'toy\nmx\n7',
        service: `toy\nmx\n${teller}`,
        protocol,
      }),
    );
  }
});

describe('where it does not, the program is the one whose logouts are waited for', () => {
  const file = fileOf('(?<protocol>imap|POP3)?in', 'out');
  const table: readonly (readonly [string, string | null, string])[] = [
    ['mx toyd: imapin 7 ::1', 'imap', 'toyd'],
    ['mx toyd: POP3in 7 ::1', 'pop3', 'toyd'],
    ['mx toyd: out 7', null, 'toyd'],
    ['mx toy-imap: out 7', 'imap', 'imap'],
    ['mx toy-pop: in 7 ::1', 'pop3', 'pop3'],
  ];
  for (const [line, protocol, teller] of table) {
    test(line, () =>
      assert.deepEqual(session(file, line), {
        key: 'toy\nmx\n7',
        service: `toy\nmx\n${teller}`,
        protocol,
      }),
    );
  }
});

test('another host is another service', () => {
  const file = fileOf('in', 'out');
  const services = ['mx', 'px'].map(host => session(file, `${host} toy-pop: out 7`)?.service);
  assert.equal(new Set(services).size, 2);
});
