import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import { type Line, parseLine } from '../../src/line/prefix.ts';
import { StampReader } from '../../src/line/stamp.ts';
import { CARRIERS, jsonFile } from '../recogniser/carriers.ts';
import { inZone } from './zone.ts';

const NOW = Date.parse('2026-11-24T12:00:00Z') / 1000;
const TIME = Date.parse('2026-11-23T00:53:00Z') / 1000;
const parse = (text: string): Line =>
  inZone('UTC', () => parseLine(text, new StampReader(() => epoch(NOW))));

const MESSAGE = 'Login: user=<x>';
const LINES = [
  'Nov 23 00:53:00 mx dovecot[42]: ',
  '2026-11-23T00:53:00Z mx dovecot[42]: ',
  '2026-11-23 00:53:00 dovecot[42]: ',
  '<22>1 2026-11-23T00:53:00Z mx dovecot 42 - - ',
];

describe('a carrier is taken off', () => {
  for (const [name, carry] of CARRIERS) {
    for (const prefix of LINES) {
      test(`${name}: ${prefix}`, () => {
        const { time, program, pid, message } = parse(carry(prefix + MESSAGE));
        assert.deepEqual([time, program, pid, message], [TIME, 'dovecot', '42', MESSAGE]);
      });
    }
  }
});

describe('a line counts from when it was written, and no later than it was carried', () => {
  const carried = '2026-11-23T00:53:00.123456789Z stderr F ';
  const table = [
    ['Nov 23 00:50:00 mx dovecot: x', TIME - 180],
    ['Nov 23 01:53:00 mx dovecot: x', TIME],
    ['Nov 22 00:53:00 mx dovecot: x', TIME - 86_400],
    ['dovecot: x', TIME],
    ['dovecot[42]: x', TIME],
    ['Feb 30 00:53:00 mx dovecot: x', null],
  ] as const;
  for (const [line, time] of table) {
    test(line, () => {
      const parsed = parse(carried + line);
      assert.deepEqual([parsed.program, parsed.message, parsed.time], ['dovecot', 'x', time]);
    });
  }
});

describe('a carrier whose stamp tells no zone never puts a line back, and dates one without a stamp', () => {
  const table = [
    ['2026-11-22 20:53:00.123456789 Nov 23 00:53:00 mx dovecot: x', TIME],
    ['2026-11-23 20:53:00.123456789 2026-11-23T00:53:00Z mx dovecot: x', TIME],
    ['2026-11-22 20:53:00.123456789  Nov 23 00:53:00 mx dovecot: x', TIME],
    ['2026-11-23 00:53:00.123456789  dovecot: x', TIME],
    ['2026-11-23 00:53:00.123456789 mail.info: dovecot: x', TIME],
    ['2026-11-23 00:53:00.123456789  mail.info: dovecot: x', TIME],
    ['2026-11-23 20:53:00.123456789  mail.info: Nov 23 00:53:00 mx dovecot: x', TIME],
    // svlogd's is UTC.
    ['2026-11-23T00:52:00.12345 Nov 23 00:53:00 mx dovecot: x', TIME - 60],
    ['2026-11-23T00:53:00.12345 dovecot: x', TIME],
    ['2026-11-23T00:53:00.12345 mail.info: dovecot: x', TIME],
  ] as const;
  for (const [line, time] of table) {
    test(line, () => {
      const parsed = parse(line);
      assert.deepEqual([parsed.program, parsed.message, parsed.time], ['dovecot', 'x', time]);
    });
  }
});

describe('what no carrier has written', () => {
  const inner = 'Nov 23 00:53:00 mx dovecot: x';
  const table = [
    // Layers in another order, or one of them twice: a host and somebody's message.
    `2026-11-23T00:53:00Z mx | ${inner}`,
    `2026-11-23T00:53:00Z dovecot-1  | ${inner}`,
    `mail.info: mail.info: ${inner}`,
    `mail.info: 2026-11-23T00:53:00Z stdout F ${inner}`,
    `a | b | ${inner}`,
    `[pod/a/b] [pod/a/b] ${inner}`,
    `Nov 23 00:53:00 mx\x1b[36mdovecot-1  | \x1b[0m${inner}`,
    // A relay's header, and untagged words before it.
    `Nov 23 00:53:01 relay ${inner}`,
    `2026-11-23T00:53:01Z relay ${inner}`,
    `2026-11-23T00:53:01Z relay <22>${inner}`,
    `2026-11-23T00:53:01Z stdout F relay ${inner}`,
    `2026-11-23T00:53:01Z stdout F x ${inner}`,
    // A piece of a line, and almost a runtime's line.
    `2026-11-23T00:53:01Z stdout P ${inner}`,
    `2026-11-23T00:53:01Z stdin F ${inner}`,
    `2026-11-23T00:53:01Z stdout F  ${inner}`,
    `2026-11-23 00:53:01 stdout F ${inner}`,
    `[pod/a b/c] ${inner}`,
    // A supervisor's stamp that stands somewhere else, twice, or is almost one.
    ...[
      '2026-11-23T00:53:01.12345',
      '2026-11-23 00:53:01.123456789',
      '2026-11-23 00:53:01.123456789 ',
    ].flatMap(stamp => [
      `x ${stamp} ${inner}`,
      `mx cron: ${stamp} ${inner}`,
      `Nov 23 00:53:01 mx cron: ${stamp} ${inner}`,
      `Nov 23 00:53:01 mx ${stamp} ${inner}`,
      `2026-11-23T00:53:01Z ${stamp} ${inner}`,
      `mail.info: ${stamp} ${inner}`,
      `${stamp} ${stamp} ${inner}`,
      `${stamp} x ${inner}`,
      `${stamp} relay ${inner}`,
      `${stamp} stdout F ${inner}`,
      `${stamp} dovecot-1  | ${inner}`,
    ]),
    `2026-11-23 00:53:01.123456789${inner}`,
    `2026-11-23T00:53:01.12345  ${inner}`,
    `2026-11-23 00:53:01.123456789   ${inner}`,
    `2026-11-23 00:53:01.12345 ${inner}`,
    `2026-11-23T00:53:01.123456789 ${inner}`,
    `2026-11-23T00:53:01 ${inner}`,
    `2026-11-23 00:53:01 ${inner}`,
    JSON.stringify({ log: inner, stream: 'stdout', time: '2026-11-23T00:53:01Z' }),
    JSON.stringify({ log: `${inner}\n`, stream: 'stdin', time: '2026-11-23T00:53:01Z' }),
    JSON.stringify({ log: `${inner}\n`, stream: 'stdout', time: 'now' }),
    JSON.stringify({ log: [inner], stream: 'stdout', time: '2026-11-23T00:53:01Z' }),
    `{"log":"${inner}\\n","stream":"stdout","time":"2026-11-23T00:53:01Z"`,
    `x{"log":"${inner}\\n","stream":"stdout","time":"2026-11-23T00:53:01Z"}`,
  ];
  for (const text of table) {
    test(text, () => {
      assert.notEqual(parse(text).program, 'dovecot');
    });
  }
});

test('whatever a program prints into json-file is one line, byte by byte', () => {
  const text = fc.string({ unit: 'binary', maxLength: 60 });
  fc.assert(
    fc.property(text, more => {
      const { program, message } = parse(jsonFile(`Nov 23 00:53:00 mx dovecot: x${more}`));
      assert.equal(program, 'dovecot');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: none of these may be left
      assert.ok(!/[\0-\x08\x0a-\x1f\x7f\u0100-\uffff]/.test(message));
    }),
  );
  const { message } = parse(jsonFile('Nov 23 00:53:00 mx dovecot: a\r\nb\tjürgen <x>'));
  assert.equal(message, Buffer.from('a#015#012b\tjürgen <x>').toString('latin1'));
});

test('what is carried cannot change which program says it', () => {
  fc.assert(
    fc.property(fc.constantFrom(...CARRIERS), fc.string({ maxLength: 80 }), ([, carry], text) => {
      const line = parse(carry(`Nov 23 00:53:00 mx postfix/smtpd[1]: ${text.replace(/\n/g, ' ')}`));
      assert.equal(line.program, 'postfix/smtpd');
    }),
  );
});
