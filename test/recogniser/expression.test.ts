import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseExpression } from '../../src/recogniser/expression.ts';
import { ExpressionError } from '../../src/recogniser/scanner.ts';
import { expressionText } from './arbitrary.ts';
import { walk } from './stepper.ts';

describe('what the language takes', () => {
  const table: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['abc', ['abc'], ['ab', 'abcd', 'xabc', 'abc\n']],
    ['a|bc', ['a', 'bc'], ['ac', 'abc']],
    ['a.c', ['abc', 'a\nc', 'a\xe9c', 'a\x00c'], ['ac']],
    ['[^a-c]+', ['xyz', ' \xff'], ['', 'xb']],
    ['[a\\-z]{2}', ['a-', 'zz'], ['b-']],
    ['\\d{1,3}\\.\\d*', ['1.', '123.456'], ['1234.', '.']],
    ['\\xc3\\xa9', ['\xc3\xa9'], ['\xe9']],
    ['x(?!no)[a-z]+', ['xyes', 'xn'], ['xno', 'xnob']],
    ['(?:ab)?c', ['abc', 'c'], ['ac']],
    ['<(?<user>[^>]*)>', ['<>', '<a b>'], ['<a>>']],
    ['\\(?<user>(?<user>x)', ['(<user>x', '<user>x'], ['(user>x', 'x']],
    ['\\{ip\\}[{ip}]', ['{ip}i', '{ip}{'], ['1.2.3.4i']],
    [
      'ip={ip}!',
      ['ip=1.2.3.4!', 'ip=::1!', 'ip=dead!'],
      ['ip=!', 'ip=%!', `ip=${'1'.repeat(46)}!`],
    ],
  ];
  for (const [text, matching, others] of table) {
    test(text, () => {
      const { compiled, sequence } = parseExpression(text);
      for (const line of matching) assert.ok(compiled.test(line), line);
      for (const line of others) assert.ok(!compiled.test(line), line);
      for (const line of [...matching, ...others])
        assert.equal(walk(sequence, line).matches, compiled.test(line), line);
    });
  }
});

describe('an address with a port', () => {
  const { compiled, groups } = parseExpression('from {ip:port}->');
  const table: readonly (readonly [string, readonly [string, string] | null])[] = [
    ['from 192.0.2.1:25->', ['192.0.2.1', '25']],
    ['from 2001:db8::17:4711->', ['2001:db8::17', '4711']],
    ['from ::1->', null],
    ['from 192.0.2.1->', null],
    ['from 192.0.2.1:->', null],
    ['from 192.0.2.1:123456->', null],
    ['from 192.0.2.1:25:->', null],
  ];
  for (const [text, found] of table) {
    test(text, () => {
      assert.deepEqual(compiled.exec(text)?.slice(1), found ?? undefined);
    });
  }
  test('names the port', () => assert.deepEqual(groups, ['ip', 'port']));
});

describe('what the language refuses, and says why', () => {
  const table: readonly (readonly [string, RegExp])[] = [
    ['^a', /"\^" is not needed/],
    ['a$', /"\$" is not needed/],
    ['a{ip}b{ip}', /\{ip\} stands twice/],
    ['{ip}*', /a group repeats/],
    ['(?<user>a)(?<user>b)', /user>…\) stands twice/],
    ['{ip:port}(?<port>b)', /port>…\) stands twice/],
    ['{ip}{ip:port}', /\{ip\} stands twice/],
    ['{ip:port}+', /a group repeats/],
    ['(?<host>a)', /the group "\(\?<host>" is not known/],
    ['(a)', /the group "\(a\)" is not known/],
    ['(?=a)', /is not known/],
    ['(?<=a)b', /is not known/],
    ['(?<!a)b', /is not known/],
    ['(?:a)*', /a group repeats/],
    ['(?:a|b){2}', /a group repeats/],
    ['(?<user>a)+', /a group repeats/],
    ['(?!a|b)', /more than a text/],
    ['(?!a+)', /more than a text/],
    ['(?!a)?b', /"\?" stands alone/],
    ['a+?', /a quantifier follows another/],
    ['a**', /a quantifier follows another/],
    ['a{3,2}', /makes no sense/],
    ['a{0}', /makes no sense/],
    ['a{1001}', /is more than 1000 times/],
    ['a{1,1001}', /is more than 1000 times/],
    ['a{1001,}', /is more than 1000 times/],
    ['*a', /"\*" stands alone/],
    ['a{', /"\{" stands alone/],
    ['a}', /"\}" stands alone/],
    ['[]a]', /"\]" stands alone/],
    ['a]', /"\]" stands alone/],
    ['(?:a', /a group is not closed/],
    ['(?!a', /the end comes too early/],
    ['a)', /"\)" closes nothing/],
    ['[a', /a class is not closed/],
    ['[b-a]', /a range of a class makes no sense/],
    ['[\\d-z]', /a range of a class makes no sense/],
    ['\\s', /half of the letter à/],
    ['[^\\s]', /half of the letter à/],
    ['\\bword', /\\b is not known/],
    ['(?:a)\\1', /\\1 is not known/],
    ['\\u0041', /\\u is not known/],
    ['\\xg0', /lacks its two digits/],
    ['a\\', /\\ is not known/],
    ['jürgen', /"ü" is not printable ASCII/],
    ['[ü]', /"ü" is not printable ASCII/],
    ['a\tb', /is not printable ASCII/],
  ];
  for (const [text, problem] of table) {
    test(text, () => {
      assert.throws(
        () => parseExpression(text),
        (error: unknown) =>
          error instanceof ExpressionError &&
          problem.test(error.message) &&
          /at character \d+/.test(error.message) &&
          error.hint !== '',
      );
    });
  }
});

describe('where the fault is', () => {
  const table: readonly (readonly [string, number])[] = [
    ['^a', 1],
    ['a$', 2],
    ['a+b}', 4],
    ['a\\sb', 2],
    ['a\\q', 2],
    ['aü', 2],
    ['a(b)', 2],
    ['a)b', 2],
  ];
  for (const [text, place] of table) {
    test(text, () => {
      assert.throws(() => parseExpression(text), new RegExp(`at character ${place} of`));
    });
  }
});

test('a text is either refused, or compiles and means what was parsed', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '(?:',
      ')',
      '|',
      '?',
      '*',
      '{2}',
      '{ip}',
      '[',
      '[^',
      ']',
      '-',
      '\\',
      '(?!',
      '.',
    ),
    fc.constantFrom('\\d', '\\W', '\\x41', '\\]', '\\-', '(?<user>', '{1,3}', '+', '^', '$'),
    fc.string({ minLength: 1, maxLength: 2 }),
  );
  const text = fc.array(piece, { maxLength: 8 }).map(pieces => pieces.join(''));
  const line = fc.string({ unit: 'binary-ascii', maxLength: 6 });
  fc.assert(
    fc.property(fc.oneof(text, expressionText), fc.array(line), (source, lines) => {
      let expression: ReturnType<typeof parseExpression>;
      try {
        expression = parseExpression(source);
      } catch (error) {
        assert.ok(error instanceof ExpressionError, String(error));
        return;
      }
      for (const candidate of lines)
        assert.equal(
          walk(expression.sequence, candidate).matches,
          expression.compiled.test(candidate),
        );
    }),
    { numRuns: 3000 },
  );
});

test('the set of a place is that of the compiled one, for every byte', () => {
  const member = fc.oneof(
    fc.constantFrom('\\d', '\\D', '\\w', '\\W', '\\x80', '\\]', '\\\\', '.', '[', '^'),
    fc.constantFrom('a-f', '0-3', ' -~', '\\x80-\\xff', '!-\\/'),
    fc.constantFrom('-'),
  );
  const place = fc
    .tuple(fc.boolean(), fc.array(member, { maxLength: 4 }))
    .map(([negated, members]) => `[${negated ? '^' : ''}x${members.join('')}]`);
  fc.assert(
    fc.property(fc.oneof(place, fc.constantFrom('.', '\\d', '\\W', 'x', '\\x80')), text => {
      let expression: ReturnType<typeof parseExpression>;
      try {
        expression = parseExpression(text);
      } catch (error) {
        assert.ok(error instanceof ExpressionError, String(error));
        return;
      }
      for (let code = 0; code < 256; code++) {
        const byte = String.fromCharCode(code);
        const { matches } = walk(expression.sequence, byte);
        assert.equal(matches, expression.compiled.test(byte), `${text} and byte ${code}`);
      }
    }),
  );
});
