import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import { type Line, parseLine } from '../../src/line/prefix.ts';
import { STAMP, StampReader } from '../../src/line/stamp.ts';
import { inZone } from './zone.ts';

const NOW = Date.parse('2026-11-24T12:00:00Z') / 1000;
const TIME = Date.parse('2026-11-23T00:53:00Z') / 1000;
const parse = (text: string): Line =>
  inZone('UTC', () => parseLine(text, new StampReader(() => epoch(NOW))));

/** Prefix, host, program, pid; the message is always the same. */
const FORMS: readonly (readonly [string, string | null, string, string | null])[] = [
  ['Nov 23 00:53:00 mx dovecot: ', 'mx', 'dovecot', null],
  ['Nov 23 00:53:00 mx dovecot[42]: ', 'mx', 'dovecot', '42'],
  ['Nov 23 00:53:00 mx.example.org cyrus/imaps[42]: ', 'mx.example.org', 'cyrus/imaps', '42'],
  ['Nov 23 00:53:00 2026 dovecot: ', '2026', 'dovecot', null],
  ['Nov 23 00:53:00 192.0.2.1 dovecot: ', '192.0.2.1', 'dovecot', null],
  ['Nov 23 00:53:00 2001:db8::1 dovecot: ', '2001:db8::1', 'dovecot', null],
  ['Nov 23 00:53:00 src@relay/mx dovecot: ', 'src@relay/mx', 'dovecot', null],
  ['<22>Nov 23 00:53:00 mx dovecot: ', 'mx', 'dovecot', null],
  ['2026-11-23T00:53:00.123456+00:00 mx dovecot[42]: ', 'mx', 'dovecot', '42'],
  ['2026-11-23T00:53:00Z mx dovecot: ', 'mx', 'dovecot', null],
  ['2026-11-23T01:53:00+0100 mx dovecot[42]: ', 'mx', 'dovecot', '42'],
  ['Nov 23 00:53:00 <2.6> mx dovecot: ', 'mx', 'dovecot', null],
  ['Nov 23 00:53:00 <mail.info> mx dovecot[42]: ', 'mx', 'dovecot', '42'],
  ['Nov 23 00:53:00 mx mail.info dovecot: ', 'mx', 'dovecot', null],
  ['Nov 23 00:53:00 dovecot: ', null, 'dovecot', null],
  ['Mon Nov 23 00:53:00 2026 mail.info dovecot[42]: ', null, 'dovecot', '42'],
  ['Nov 23 00:53:00 sol popper[42]: [ID 702911 mail.info] ', 'sol', 'popper', '42'],
  ['Nov 23 00:53:00 [popper] ', null, 'popper', null],
  ['Nov 23 00:53:00 [popper]: ', null, 'popper', null],
  ['Mon 2026-11-23 00:53:00 UTC mx dovecot[42]: ', 'mx', 'dovecot', '42'],
  ['1795395180.123456 mx dovecot[42]: ', 'mx', 'dovecot', '42'],
  ['dovecot-1  | Nov 23 00:53:00 mx dovecot: ', 'mx', 'dovecot', null],
  ['mail.1 | 2026-11-23T00:53:00Z mx dovecot: ', 'mx', 'dovecot', null],
  ['Nov 23 00:53:00 (none) mail.info dovecot: ', '(none)', 'dovecot', null],
  ['Nov 23 00:53:00\tmx\tdovecot[42]:\t', 'mx', 'dovecot', '42'],
  ['2026-11-23T00:53:00Z\tmx\tdovecot: ', 'mx', 'dovecot', null],
  ['2026-11-23_00:53:00.12345 dovecot: ', null, 'dovecot', null],
  ['@400000006921f0d61dcd6500 Nov 23 00:53:00 mx dovecot: ', 'mx', 'dovecot', null],
  ['@400000006921f0d61dcd6500 dovecot: ', null, 'dovecot', null],
  ['<22>1 2026-11-23T00:53:00Z mx dovecot 42 - - ', 'mx', 'dovecot', '42'],
  ['<22>1 2026-11-23T00:53:00Z mx dovecot - - -  ', 'mx', 'dovecot', null],
  ['1 2026-11-23T00:53:00Z mx dovecot - ID47 - \xef\xbb\xbf', 'mx', 'dovecot', null],
  ['<22>1 2026-11-23T00:53:00Z - dovecot - - [a@1 x="y"][b z="\\"\\]"] ', null, 'dovecot', null],
];

describe('the forms of prefixes', () => {
  for (const [prefix, host, program, pid] of FORMS) {
    test(prefix, () => {
      const message = 'Login: user=<x>';
      const { time, ...rest } = parse(prefix + message);
      assert.deepEqual(rest, { host, program, pid, message });
      if (!prefix.startsWith('@') || prefix.includes('Nov')) assert.equal(time, TIME);
    });
  }

  test('the message is whatever follows, to the byte', () => {
    const byte = fc.integer({ min: 0x21, max: 0xff }).map(code => String.fromCharCode(code));
    const text = fc.tuple(byte, fc.string({ unit: fc.oneof(byte, fc.constant(' ')) }));
    const forms = FORMS.filter(([prefix]) => !prefix.includes('sol'));
    fc.assert(
      fc.property(fc.constantFrom(...forms), text, ([prefix, host, program], [first, more]) => {
        // A byte order mark would be taken off RFC 5424 messages.
        fc.pre(first !== '\xef');
        const line = parse(prefix + first + more);
        assert.deepEqual([line.host, line.program], [host, program]);
        assert.equal(line.message, first + more);
      }),
    );
  });
});

describe('lines with no program', () => {
  const table = [
    '',
    'dovecot: imap-login: Login: user=<x>',
    ' Nov 23 00:53:00 mx dovecot: imap-login: continued',
    'xNov 23 00:53:00 mx dovecot: ',
    'Nov 23 00:53:00 mx last message repeated 3 times',
    // Two words before the colon: an untagged message whose first word is the tag to syslog.
    'Nov 23 00:53:00 mx hello dovecot: imap-login: Login',
    'Nov 23 00:53:00 mx foo.info dovecot: imap-login: Login',
    'Nov 23 00:53:00 mx foo(bar): dovecot: imap-login: Login',
    'Nov 23 00:53:00 postfix/smtpd[1] dovecot: imap-login: Login',
    'Nov 23 00:53:00 mx [dovecot] imap-login: Login',
    'Nov 23 00:53:00 mx tag[pid]: x',
    '2026-11-23T00:53:00Z [dovecot] imap-login: Login',
    '<22>1 2026-11-23T00:53:00Z mx - - - - dovecot: imap-login: Login',
    '<22>1 2026-11-23T00:53:00Z mx dovecot - - [unclosed x="y] imap-login',
    // No service's name before the bar, and what a bar must not hide.
    ' | Nov 23 00:53:00 mx dovecot: x',
    'dovecot-1 |Nov 23 00:53:00 mx dovecot: x',
    'dovecot 1 | Nov 23 00:53:00 mx dovecot: x',
    'Nov 23 00:53:00 mx x | Nov 23 00:53:00 mx dovecot: x',
    // The pid of a server's own log, no tag.
    'Nov 23 00:53:00 [1234] x',
    '{"MESSAGE":"Nov 23 00:53:00 mx dovecot: x"}',
  ];
  for (const text of table) {
    test(JSON.stringify(text), () => {
      const { program, message } = parse(text);
      assert.equal(program, null);
      if (!text.startsWith('<')) assert.equal(message, text);
    });
  }
});

describe("lines of a server's own log", () => {
  const linePrefixes = [
    { program: 'server', prefix: new RegExp(`^(?<stamp>${STAMP}) (?=\\[|dovecot)`) },
    { program: 'other', prefix: new RegExp(`^(?<stamp>${STAMP}) `) },
  ];
  const table: readonly (readonly [string, string | null, string])[] = [
    ['Nov 23 00:53:00 [info x', 'server', '[info x'],
    ['2026/11/23 00:53:00 dovecot', 'server', 'dovecot'],
    ['mail-1  | Nov 23 00:53:00 [info x', 'server', '[info x'],
    ['Nov 23 00:53:00 hello', 'other', 'hello'],
    // What a syslog daemon has put a tag to.
    ['Nov 23 00:53:00 dovecot: [info x', 'dovecot', '[info x'],
    ['Nov 23 00:53:00 mx postfix/smtpd[1]: [info x', 'postfix/smtpd', '[info x'],
    ['<22>1 2026-11-23T00:53:00Z mx - - - - [info x', null, '[info x'],
    ['x Nov 23 00:53:00 [info x', null, 'x Nov 23 00:53:00 [info x'],
  ];
  for (const [text, program, message] of table) {
    test(text, () => {
      const stamps = new StampReader(() => epoch(NOW));
      const line = inZone('UTC', () =>
        parseLine(text, stamps, { linePrefixes, relays: new Set() }),
      );
      assert.deepEqual([line.program, line.message], [program, message]);
      if (program !== null) assert.equal(line.time, TIME);
    });
  }
});

test('a stamp that names no moment leaves the rest of the line as it is', () => {
  assert.deepEqual(parse('Feb 30 00:53:00 mx dovecot: x'), {
    time: null,
    host: 'mx',
    program: 'dovecot',
    pid: null,
    message: 'x',
  });
});

test('what a program says cannot change which program says it', () => {
  const evil = fc.constantFrom(
    'Nov 23 00:53:00 mx dovecot: ',
    'dovecot: ',
    '[dovecot] ',
    ': ',
    ' ',
    'mail.info ',
    '<22>1 ',
    '] ',
    '" ',
  );
  const text = fc.array(fc.oneof(evil, fc.string({ unit: 'binary-ascii' })), { maxLength: 6 });
  const prefixes = [
    'Nov 23 00:53:00 mx postfix/smtpd[1]: ',
    '<22>1 2026-11-23T00:53:00Z mx ntpd 1 - - ',
  ];
  fc.assert(
    fc.property(fc.constantFrom(...prefixes), text, (prefix, parts) => {
      const { program } = parse(prefix + parts.join('').replaceAll('\n', ' '));
      assert.ok(program === 'postfix/smtpd' || program === 'ntpd');
    }),
  );
});

/** What makes each form go on as long as it can, and then fail. */
const HOSTILE: readonly ((length: number) => string)[] = [
  length => `Nov 23 00:53:00 ${'a'.repeat(length)}`,
  length => `Nov 23 00:53:00 ${'a:'.repeat(length / 2)}`,
  length => `Nov 23 00:53:00 mx ${'mail.info '.repeat(length / 10)}`,
  length => `Nov 23 00:53:00 [${'a'.repeat(length)}`,
  length => `<22>1 2026-11-23T00:53:00Z mx a - - ${'[a b="c"]'.repeat(length / 9)}`,
  length => `<22>1 2026-11-23T00:53:00Z mx a - - [a b="${'\\'.repeat(length)}`,
  length => `<22>1 2026-11-23T00:53:00Z mx a - - [a${' b="c"'.repeat(length / 6)}`,
  length => ' '.repeat(length),
  length => `${'a'.repeat(64)}${' '.repeat(length)}`,
  length => 'a | '.repeat(length / 4),
];

test('the cost of a line grows as its length does, and no faster', () => {
  const short = 2048;
  const factor = 64;
  for (const [index, hostile] of HOSTILE.entries()) {
    const [little, much] = [hostile(short), hostile(short * factor)];
    const cost = (text: string, times: number): number => {
      const start = process.cpuUsage();
      for (let round = 0; round < times; round++) parse(text);
      const { user, system } = process.cpuUsage(start);
      return (user + system) / times;
    };
    cost(little, 200);
    // Growth with the square would be factor times this; an eighth of that is left to the machine's moods.
    const bound = (cost(little, 500) + 5) * factor * (factor / 8);
    assert.ok(cost(much, 3) < bound, `hostile line ${index}`);
  }
});
