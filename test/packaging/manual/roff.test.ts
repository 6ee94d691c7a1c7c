import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { argument, escapeRoff, prose, textLine } from '../../../src/packaging/manual/roff.ts';

test('what means something to roff is escaped', () => {
  const cases: [string, string][] = [
    ['plain words, 15m', 'plain words, 15m'],
    ['--map', '\\-\\-map'],
    ['C:\\new', 'C:\\enew'],
    [`Postfix's "own" \`one\``, 'Postfix\\(aqs \\(dqown\\(dq \\(gaone\\(ga'],
    ['a^b ~c', 'a\\(hab \\(tic'],
    ['jürgen …', 'j\\[u00FC]rgen \\[u2026]'],
  ];
  for (const [text, escaped] of cases) assert.equal(escapeRoff(text), escaped);
});

test('no line of text is a request', () => {
  assert.equal(textLine('.so /etc/passwd'), '\\&.so /etc/passwd');
  assert.equal(textLine("'br"), "\\&'br");
  assert.deepEqual(prose('.hidden files'), ['\\&.hidden files']);
});

test('an argument is one word, and no macro', () => {
  assert.equal(argument('Ar FILE'), '"\\&Ar FILE"');
});

test('a sentence begins a line, a name is not divided', () => {
  assert.deepEqual(prose('First one. See main.cf, or /etc/x. (So it is.)'), [
    'First one.',
    'See \\%main.cf, or \\%/etc/x.',
    '(So it is.)',
  ]);
});

test('whatever the text, no line of it begins with a control character, and none has an unescaped backslash', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), text => {
      for (const line of prose(text)) {
        assert.doesNotMatch(line, /^[.']/);
        assert.doesNotMatch(line.replace(/\\(?:e|-|&|%|\(..|\[u[0-9A-F]+\])/g, ''), /[\\-]/);
        assert.match(line, /^[ -~]*$/);
      }
    }),
  );
});
