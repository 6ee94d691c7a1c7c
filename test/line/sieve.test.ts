import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import { BlockLines } from '../../src/line/block-lines.ts';
import { MAX_LINE } from '../../src/line/length.ts';
import { Pieces } from '../../src/line/pieces.ts';
import { type Line, parseLine } from '../../src/line/prefix.ts';
import { FIRST_LINES, SOME } from '../../src/line/sampling.ts';
import { Sieve } from '../../src/line/sieve.ts';
import { StampReader } from '../../src/line/stamp.ts';
import { loadPatterns } from '../../src/recogniser/load.ts';
import { Registry } from '../../src/recogniser/registry.ts';
import { CARRIERS } from '../recogniser/carriers.ts';

const { files } = await loadPatterns({ directory: '/nonexistent', explicit: false });
const registry = new Registry(files, new Set(['mx', 'a/b']));

const sieveOf = (isSampling: boolean): Sieve =>
  new Sieve({ programs: registry.tags, isSampling, firstLines: 0 }, () => []);

interface Passed {
  readonly index: number;
  readonly text: string;
  readonly line: Line;
}

/** The lines that pass, and what is made of them; `room` is for how many at a time. */
function sift(
  lines: readonly string[],
  room = 2,
  sieve = sieveOf(false),
): { passed: Passed[]; counted: number } {
  const text = Buffer.from(`${lines.join('\n')}\n`, 'latin1');
  const block = sieve.memory.addBlock(text.length, room);
  const { bytes, spans } = block;
  text.copy(bytes);
  const reader = new BlockLines(sieve, stampReader(), registry);
  const passed: Passed[] = [];
  let counted = 0;
  for (let from = 0; from < bytes.length; ) {
    spans.clear();
    const sieved = sieve.sift(block, from, bytes.length);
    for (let at = 0; at < spans.size; at++) {
      const span = spans.get(at);
      const written = bytes.toString('latin1', span.from, span.to);
      const line = reader.line(bytes, span);
      if (line !== null) passed.push({ index: counted + span.index, text: written, line });
    }
    counted += sieved.lines;
    from = sieved.end;
  }
  return { passed, counted };
}

const textsOf = (...lines: readonly string[]): string[] =>
  sift(lines).passed.map(({ text }) => text);

const stampReader = (): StampReader => new StampReader(() => epoch(1_795_000_000));

/** What the plain way makes of the same lines, one after the other. */
function parsed(lines: readonly string[]): Line[] {
  const stamps = stampReader();
  const pieces = new Pieces();
  return lines.map(text => parseLine(pieces.whole(text), stamps, registry));
}

const programOf = (text: string): string | null => parsed([text])[0]?.program ?? null;

/** Parts of prefixes, right and wrong, from which lines are made. */
const PARTS = [
  ...[
    '2026-11-23T00:53:00.123456+01:00',
    '2026-11-23T00:53:00Z',
    'Mar 22 11:03:29',
    'Mar  2 11:03:29',
  ],
  ...[
    '2026-11-23 00:53:00',
    'Mon Nov 23 00:53:00 2026',
    '<22>Nov 23 00:53:00',
    '<22>1',
    '@400000006921f0a012345678',
    '2026-11-23_00:53:00.12345',
    '2026-11-23T00:53:00.12345',
    '2026-11-23 00:53:00.123456789',
    '2026-11-23 00:53:00.123456789 ',
    '2026-11-23',
    '00:53:00',
    '2026/11/23',
    '\xef\xbb\xbf2026-11-23T00:53:00Z',
    '2026-11-23T00:53:00Z\tmx',
    '[pod/mail-0/dovecot]',
    '\x1b[36mdovecot-1  | \x1b[0m',
    'stderr F',
    'mail.info:',
    '(none)',
  ],
  ...[
    'mx',
    'mx.example.org',
    'a/b',
    'mail.info',
    '<mail.info>',
    '2026',
    'INFO',
    'dovecot-1  |',
    '-',
  ],
  ...[
    'dovecot:',
    'dovecot[12]:',
    'imapd[1]',
    'postfix/smtpd[99]:',
    'cron:',
    'x]:',
    '[dovecot]',
    '[99]',
    'a:b',
    'popper[x]:',
  ],
  ...[
    'dovecot: Nov 23 00:53:00 Info:',
    'imap-login:',
    'hello',
    '',
    ' ',
    '\xff',
    'a'.repeat(70),
    '[ID 7 mail.info]',
  ],
];

const line = fc
  .array(fc.oneof(fc.constantFrom(...PARTS), fc.string({ maxLength: 12 })), { maxLength: 7 })
  .map(parts => parts.join(' ').replace(/[\n\u0100-\uffff]/g, '?'));

test('what is left out has a tag that no server has; what passes is what the parser makes of it', () => {
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), lines => {
      const { passed, counted } = sift(lines);
      assert.equal(counted, lines.length);
      const numbers = new Set(passed.map(({ index }) => index));
      for (const { index, text } of passed) assert.equal(text, lines[index]);
      for (const [number, { program }] of parsed(lines).entries()) {
        if (numbers.has(number)) continue;
        assert.ok(program === null || registry.program(program) === null, lines[number]);
      }
      const expected = parsed(passed.map(({ text }) => text));
      assert.deepEqual(
        passed.map(({ line: made }) => made),
        expected,
      );
    }),
    { numRuns: 3000 },
  );
});

test('a line of a known program with an empty message is handed over: it may be a piece of a torn one', () => {
  const stamps = ['Nov 23 00:53:00', '2026-11-23T00:53:00Z', '2026-11-23T00:53:00.123456+01:00'];
  const lines = [
    ...stamps.flatMap(stamp =>
      ['mx imapd:', 'mx imapd: ', 'mx imapd:  ', 'mx imapd[7]:', 'mx imapd[7]: '].map(
        rest => `${stamp} ${rest}`,
      ),
    ),
    '<22>1 2026-11-23T00:53:00Z mx imapd - - - ',
    '<22>1 2026-11-23T00:53:00Z mx imapd - - -',
  ];
  const { passed } = sift(lines);
  assert.deepEqual(
    passed.map(({ text, line: { program, message } }) => [text, program, message.trim()]),
    lines.map(text => [text, 'imapd', '']),
  );
});

test('a prefix of the common shape, or nearly so, is split as the parser splits it', () => {
  const digits = fc.stringMatching(/^\d{0,11}$/);
  const stamp = fc.oneof(
    fc.constantFrom('Nov 23 00:53:00', 'Nov 23 00:53:01', 'Nov  3 00:53:00', 'Xyz 23 00:53:00'),
    fc
      .tuple(
        fc.constantFrom('2026-11-23T00:53:00', '2026-11-23T00:53:01', '2026-11-23T00:5x:01'),
        fc.oneof(
          fc.constant(''),
          digits.map(fraction => `.${fraction}`),
          fc.constant('.5x'),
        ),
        fc.constantFrom('Z', '+01:00', '-01:00', '+0100', ''),
      )
      .map(parts => parts.join('')),
  );
  const prefix = fc
    .tuple(
      stamp,
      fc.constantFrom('mx', 'mx', 'mx2', '-', 'mail.info', 'a/b', '2026-11-23', 'x'.repeat(65)),
      fc.constantFrom('dovecot', 'imapd', 'dovecot-', 'imap-login', 'x'.repeat(65), 'cron', '00'),
      fc.oneof(
        fc.constant(''),
        digits.map(pid => `[${pid}]`),
        fc.constantFrom('[x]', '[1', '[1]x'),
      ),
      fc.constantFrom(
        ': ',
        ':',
        ':  ',
        ' ',
        ': [ID 7 mail.info] ',
        ':  [ID 7 mail.info] ',
        ':[ID x',
        ':\t',
        ':\t[ID 7 mail.info] ',
        ': \t[ID 7 mail.info] ',
      ),
      fc.constantFrom('', 'hello', ']: x', '[ID 7 mail.info] x'),
    )
    .map(([at, on, by, id, end, rest]) => `${at} ${on} ${by}${id}${end}${rest}`);
  fc.assert(
    fc.property(fc.array(prefix, { minLength: 1, maxLength: 6 }), lines => {
      const { passed } = sift(lines);
      const expected = parsed(lines);
      const missing = expected.filter(
        ({ program }, index) =>
          program !== null &&
          registry.program(program) !== null &&
          !passed.some(one => one.index === index),
      );
      assert.deepEqual(missing, []);
      assert.deepEqual(
        passed.map(({ line: made }) => made),
        parsed(passed.map(({ text }) => text)),
      );
    }),
    { numRuns: 3000 },
  );
});

describe('the common shape', () => {
  const stamps = ['2026-11-23T00:53:00.123456+01:00', '2026-11-23T00:53:00Z', 'Mar 22 11:03:29'];
  for (const stamp of stamps) {
    test(`with ${stamp}: other programs are left out, the servers pass`, () => {
      for (const tag of ['postfix/smtpd[9]:', 'CRON[7]:', 'kernel:']) {
        assert.deepEqual(textsOf(`${stamp} mx ${tag} rip=192.0.2.1`), [], tag);
      }
      for (const program of registry.tags) {
        for (const tag of [`${program}:`, `${program}[9]:`]) {
          const text = `${stamp} mx ${tag} anything`;
          assert.deepEqual(textsOf(text), [text]);
        }
      }
    });
  }
});

test('as many lines of another program are let through where its prefix is not common', () => {
  const line = 'Nov 23 00:53:00 mx postfix/smtpd[9]: connect from unknown[192.0.2.1]';
  const carried = `2026-11-23T00:53:00.1Z stdout F ${line}`;
  const lines = 2 * FIRST_LINES + SOME;
  const counts = [line, carried].map(text => {
    const all = Array.from({ length: lines }, () => text);
    return sift(all, lines, sieveOf(true)).passed.length;
  });
  assert.deepEqual(counts, [FIRST_LINES + 1, FIRST_LINES + 1]);
});

test('a level where the host is expected moves the tag', () => {
  for (const text of [
    '2026-11-23T00:53:00Z mail.info fe80::1 imap-login: hello',
    'Mar 22 11:03:29 local7.debug a:b dovecot: hello',
  ]) {
    assert.notEqual(registry.program(programOf(text) ?? ''), null);
    assert.deepEqual(textsOf(text), [text]);
  }
});

test('a second header behind a relay’s first is left to the parser', () => {
  for (const first of ['Nov 23 00:53:01 mx', '2026-11-23T00:53:01.5Z mx']) {
    for (const second of [
      'Nov 23 00:53:00 h',
      '<22>Nov 23 00:53:00 h',
      '2026-11-23T00:53:00Z h',
      '2026-11-23T00: 53:00+01:00 h',
    ]) {
      const text = `${first} ${second} dovecot: hello`;
      assert.equal(programOf(text), 'dovecot');
      assert.deepEqual(textsOf(text), [text]);
    }
  }
});

test('a line that something carries is left to the parser', () => {
  for (const [carrier, carry] of CARRIERS.slice(1)) {
    for (const line of [
      'Nov 23 00:53:00 mx dovecot: hello',
      '2026-11-23T00:53:00Z mx dovecot: hello',
      'Nov 23 00:53:00 imap-login: Info: hello',
    ]) {
      const text = carry(line);
      assert.notEqual(programOf(text), null, text);
      assert.deepEqual(textsOf(text), [text], carrier);
    }
  }
});

test('a line that is too long is counted and left out', () => {
  const long = `Mar 22 11:03:29 mx dovecot: ${'x'.repeat(MAX_LINE)}`;
  const text = Buffer.from(`${long}\nshort\n`);
  const sieve = sieveOf(false);
  const block = sieve.memory.addBlock(text.length, 9);
  text.copy(block.bytes);
  const sieved = sieve.sift(block, 0, text.length);
  assert.deepEqual(sieved, { lines: 2, tooLong: 1, end: text.length });
  // An empty one in its place: what follows may be its rest.
  assert.deepEqual(textsOf(long, 'short'), ['', 'short']);
});

test('the quick way to split a prefix finds what the general one does', () => {
  const host = fc.stringMatching(/^[\w.-]{1,20}$/);
  const tag = fc.constantFrom('dovecot', 'postfix/smtpd', 'a.b', 'mail.info', 'x-y');
  const pid = fc.constantFrom('', '[7]', '[12345678901]', '[x]');
  const end = fc.constantFrom(': ', ':', ' ', ': [ID 702911 mail.info] ', ': [ID x] ');
  const stamp = fc.constantFrom(
    ...[
      '2026-11-23T00:53:00.5+01:00',
      '2026-11-23T00:53:00Z',
      '2026-02-30T00:53:00Z',
      'Nov 23 00:53:00',
      'Feb 30 00:53:00',
    ],
  );
  const hosts = fc.oneof(host, fc.constantFrom('mail.info', '-', '2026'));
  fc.assert(
    fc.property(
      stamp,
      hosts,
      tag,
      pid,
      end,
      fc.string({ maxLength: 20 }),
      (at, on, by, id, then, rest) => {
        const text = `${at} ${on} ${by}${id}${then}${rest}`;
        const read = (line: string) => parseLine(line, new StampReader(() => epoch(1_795_000_000)));
        // A priority before it leads to the general form.
        const quick = read(text);
        const general = read(`<22>${text}`);
        if (quick.program !== null || general.program !== null) assert.deepEqual(quick, general);
      },
    ),
    { numRuns: 2000 },
  );
});
