import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Expression, parseExpression } from '../../src/recogniser/expression.ts';
import { progress } from '../../src/recogniser/progress.ts';
import { checkExpression } from '../../src/recogniser/rules.ts';
import { expressionText } from './arbitrary.ts';

function checked(text: string): Expression | null {
  try {
    const expression = parseExpression(text);
    checkExpression(expression);
    return expression;
  } catch {
    return null;
  }
}

const expression = expressionText.map(checked).filter(found => found !== null);
const message = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd', '\xe9'), maxLength: 12 });

describe('how far an expression gets, and what it wanted there', () => {
  const DOVECOT =
    'imap-login: (?:Login|Logged in): user=<(?<user>[^<>]+)>, (?:method=(?!ANONYMOUS,)[A-Z-]{1,20}, )?rip={ip}, [^<>]*';
  const table: readonly (readonly [string, string, string, readonly string[]])[] = [
    [DOVECOT, 'imap-login: Login: user=<a>, rip=192.0.2.1, ', '', []],
    [DOVECOT, 'pop3-login: ', 'pop3-login: ', ['"imap-login: "']],
    [DOVECOT, 'imap-login: Logged on: user=<a>', 'on: user=<a>', ['"in: user=<"']],
    [DOVECOT, 'imap-login: Log', '', ['"in: user=<"', '"ged in: user=<"']],
    [DOVECOT, 'imap-login: Login: user=<>, ', '>, ', ['[^<>]+']],
    [DOVECOT, 'imap-login: Login: user=<a>, x', 'x', ['"method="', '"rip="']],
    [DOVECOT, 'imap-login: Login: user=<a>, rip=h, ', 'h, ', ['{ip}']],
    [DOVECOT, 'imap-login: Login: user=<a>, rip=192.0.2.1', '', ['", "']],
    [
      DOVECOT,
      'imap-login: Login: user=<a>, method=ANONYMOUS, rip=192.0.2.1, ',
      'ANONYMOUS, rip=192.0.2.1, ',
      ['anything but "ANONYMOUS,"'],
    ],
    [DOVECOT, 'imap-login: Login: user=<a>, rip=192.0.2.1, <', '<', ['the end']],
    ['a{3}', 'aab', 'b', ['a{3}']],
    ['\\[[0-9]{1,2}\\]', '[123]', '3]', ['"]"']],
    ['ab?', 'ac', 'c', ['"b"', 'the end']],
    ['a\\d?', 'ac', 'c', ['"0"', 'the end']],
  ];
  for (const [text, line, rest, expected] of table) {
    test(`${text.slice(0, 20)}… on ${line}`, () => {
      const found = checked(text);
      assert.ok(found !== null);
      const { reached, ...others } = progress(found.sequence, line);
      assert.equal(line.slice(reached), rest);
      assert.deepEqual(others.expected, expected);
    });
  }
});

test('an expression that gets to the end matches, and no other does', () => {
  fc.assert(
    fc.property(expression, message, ({ compiled, sequence }, text) => {
      const { reached, expected } = progress(sequence, text);
      assert.equal(expected.length === 0, compiled.test(text));
      if (expected.length === 0) assert.equal(reached, text.length);
    }),
    { numRuns: 2000 },
  );
});

test('what lies behind the furthest byte does not matter', () => {
  fc.assert(
    fc.property(expression, message, ({ sequence }, text) => {
      const { reached } = progress(sequence, text);
      assert.equal(progress(sequence, text.slice(0, reached)).reached, reached);
    }),
    { numRuns: 2000 },
  );
});
