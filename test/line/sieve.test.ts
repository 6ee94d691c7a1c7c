import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/clock.ts';
import { MAX_LINE } from '../../src/line/length.ts';
import { parseLine } from '../../src/line/prefix.ts';
import { Sieve } from '../../src/line/sieve.ts';
import { StampReader } from '../../src/line/stamp.ts';
import { loadPatterns } from '../../src/recogniser/load.ts';

const registry = await loadPatterns({ directory: '/nonexistent', explicit: false });
const sieve = new Sieve(registry.tags);

/** The lines that pass, with their numbers. */
function sift(...lines: readonly string[]): { passed: [number, string][]; counted: number } {
  const block = Buffer.from(`${lines.join('\n')}\n`, 'latin1');
  const passed: [number, string][] = [];
  const { lines: counted } = sieve.sift(block, 0, block.length, (text, index) => {
    passed.push([index, text]);
  });
  return { passed, counted };
}

const programOf = (text: string): string | null =>
  parseLine(text, new StampReader(() => epoch(1_795_000_000)), registry.ownForms).program;

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

test('what is left out has a tag that no server has', () => {
  const line = fc
    .array(fc.oneof(fc.constantFrom(...PARTS), fc.string({ maxLength: 12 })), { maxLength: 7 })
    .map(parts => parts.join(' ').replace(/[\n\u0100-\uffff]/g, '?'));
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 5 }), lines => {
      const { passed, counted } = sift(...lines);
      assert.equal(counted, lines.length);
      const numbers = new Set(passed.map(([number]) => number));
      for (const [number, text] of passed) assert.equal(text, lines[number]);
      for (const [number, text] of lines.entries()) {
        if (numbers.has(number)) continue;
        const program = programOf(text);
        assert.ok(program === null || registry.program(program) === null, text);
      }
    }),
    { numRuns: 3000 },
  );
});

describe('the common shape', () => {
  const stamps = ['2026-11-23T00:53:00.123456+01:00', '2026-11-23T00:53:00Z', 'Mar 22 11:03:29'];
  for (const stamp of stamps) {
    test(`with ${stamp}: other programs are left out, the servers pass`, () => {
      for (const tag of ['postfix/smtpd[9]:', 'CRON[7]:', 'kernel:']) {
        assert.deepEqual(sift(`${stamp} mx ${tag} rip=192.0.2.1`).passed, [], tag);
      }
      for (const program of registry.tags) {
        for (const tag of [`${program}:`, `${program}[9]:`]) {
          const text = `${stamp} mx ${tag} anything`;
          assert.deepEqual(sift(text).passed, [[0, text]]);
        }
      }
    });
  }
});

test('a level where the host is expected moves the tag', () => {
  for (const text of [
    '2026-11-23T00:53:00Z mail.info fe80::1 imap-login: hello',
    'Mar 22 11:03:29 local7.debug a:b dovecot: hello',
  ]) {
    assert.notEqual(registry.program(programOf(text) ?? ''), null);
    assert.deepEqual(sift(text).passed, [[0, text]]);
  }
});

test('a line that is too long is counted and left out', () => {
  const long = `Mar 22 11:03:29 mx dovecot: ${'x'.repeat(MAX_LINE)}`;
  const block = Buffer.from(`${long}\nshort\n`);
  const passed: string[] = [];
  const sieved = sieve.sift(block, 0, block.length, text => void passed.push(text));
  assert.deepEqual(sieved, { lines: 2, tooLong: 1 });
  assert.deepEqual(passed, ['short']);
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
