import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Expression, parseExpression } from '../../src/recogniser/expression.ts';
import { loadPatterns } from '../../src/recogniser/load.ts';
import { checkExpression } from '../../src/recogniser/rules.ts';
import { ExpressionError } from '../../src/recogniser/scanner.ts';
import { expressionText, hostileText } from './arbitrary.ts';
import { walk } from './stepper.ts';

function check(text: string): Expression {
  const expression = parseExpression(text);
  checkExpression(expression);
  return expression;
}

describe('expressions that keep the rules', () => {
  const table = [
    'a',
    '[^a]*a',
    '[^<>]*(?:<[^<>]*>)?',
    '\\d{4}\\d{4}',
    'user=(?<user>[^,]+), ip=\\[{ip}\\](?:, port=\\[\\d+\\])?',
    // A plain run before the address, whose end comes again behind it.
    'method=[\\w-]+, rip={ip}, [^<>]*',
    // What marks an encrypted connection, behind an outsider's text, and before one.
    'user=<(?<user>[^<>]+)>, rip={ip}, (?<tls>TLS|TSL)?[^<>]*',
    '{ip:port}->[\\d.]{7,15} (?<tls>ssl|starttls)?[\\w-]* user="[^"]*" server="[^"]*"',
  ];
  for (const text of table) test(text, () => void check(text));
});

describe('expressions that break one', () => {
  const table: readonly (readonly [string, RegExp])[] = [
    // A run that does not end by itself.
    ['.*x', /the run \.\* may take the "x" that can follow it/],
    ['a*a', /the run a\* may take the "a"/],
    ['[^,]+(?:, b)?\\d', /the run \[\^,\]\+ may take the "0"/],
    ['\\d{1,3}(?:x|5)', /the run \\d\{1,3\} may take the "5"/],
    ['[ab]+(?:[^x]*)?', /the run \[ab\]\+ may take the "a"/],
    ['(?:x|.*)b', /the run \.\* may take the "b"/],
    ['[^x]*(?!y) ', /may take the blank/],
    ['[^x]*\\x00', /may take the byte \\x00/],
    ['{ip}\\.', /the run \{ip\} may take the "\."/],
    ['user=(?<user>.*), ip={ip}', /the run \.\* may take the ","/],
    // What ends an outsider's text, again in a run behind the address.
    [
      'user=(?<user>[^,]*), ip=\\[{ip}\\](?:, [^<>]*)?',
      /the run \[\^<>\]\* behind \{ip\} may take the "," that ends \[\^,\]\*/,
    ],
    ['user=(?<user>[^ ]+) {ip}(?:,.*)?', /the run \.\* behind \{ip\} may take the blank/],
    ['"(?<user>[^"]+)" {ip}, ["x]{3}', /behind \{ip\} may take the """/],
    ['{ip} user=(?<user>[^,]*)(?<tls>, TLS)?(?:, [^<>]*)?', /behind \(\?<tls>…\) may take the ","/],
    // What marks an encrypted connection is a text.
    ['{ip}(?<tls>, [A-Z])?', /holds more than a text/],
    ['{ip}(?<tls>, TLS|)', /holds more than a text/],
    ['{ip}(?<tls>, T(?:LS|SL))?', /holds more than a text/],
    // Too many ways.
    [`${'a?'.repeat(15)}b`, /more than 16384 ways/],
  ];
  for (const [text, problem] of table) {
    test(text, () => {
      assert.throws(
        () => check(text),
        (error: unknown) =>
          error instanceof ExpressionError && problem.test(error.message) && error.hint !== '',
      );
    });
  }
});

const accepts = (text: string): boolean => {
  try {
    check(text);
    return true;
  } catch {
    return false;
  }
};

describe('the cost of matching, in steps', () => {
  /** Over the alphabet of the expressions, in long stretches. */
  const line = fc
    .array(
      fc.tuple(fc.constantFrom('a', 'b', 'c', 'ab', 'ba', ' '), fc.integer({ min: 1, max: 80 })),
    )
    .map(stretches => stretches.map(([text, times]) => text.repeat(times)).join(''));
  /** Up to four choices of two give sixteen ways, each of up to twelve places a byte of the line. */
  const bound = (text: string): number => 16 * 4 * (text.length + 16);

  test('an expression that keeps the rules is linear in any line', () => {
    fc.assert(
      fc.property(expressionText.filter(accepts), line, (text, hostile) => {
        assert.ok(walk(check(text).sequence, hostile).steps <= bound(hostile), text);
      }),
      { numRuns: 2000 },
    );
  });

  test('one that breaks them is not', () => {
    const { sequence } = parseExpression('a*a*a*b');
    const hostile = 'a'.repeat(200);
    assert.ok(walk(sequence, hostile).steps > bound(hostile));
  });

  test('the shipped ones take few steps a byte, whatever the line, up to 8 KiB', async () => {
    const { files } = await loadPatterns({ directory: '/nonexistent', explicit: false });
    const samples = files.flatMap(({ patterns }) => patterns.flatMap(({ samples }) => samples));
    const messages = samples.map(({ line }) => line.replace(/^.*?\S+: (?:\[ID [^\]]*\] )?/, ''));
    const sequences = files.flatMap(({ patterns }) => patterns.map(({ sequence }) => sequence));
    const long = fc
      .tuple(fc.constantFrom('', ...messages), hostileText, fc.integer({ min: 1, max: 400 }))
      .map(([start, text, times]) => (start + text.repeat(times)).slice(0, 8192));
    const cut = fc
      .tuple(
        fc.constantFrom(...messages),
        fc.nat(200),
        hostileText,
        fc.integer({ min: 1, max: 400 }),
      )
      .map(([text, at, more, times]) => (text.slice(0, at) + more.repeat(times)).slice(0, 8192));
    fc.assert(
      fc.property(fc.oneof(long, cut), message => {
        // Some eight at most have been seen; a way back over what was read would be hundreds.
        for (const sequence of sequences)
          assert.ok(walk(sequence, message).steps <= 16 * (message.length + 100));
      }),
      { numRuns: 500 },
    );
  });
});
