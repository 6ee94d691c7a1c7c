import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { literalPath, matchesPath, parseWildcard } from '../../src/source/wildcard.ts';

const matches = (wildcard: string, path: string): boolean =>
  matchesPath(parseWildcard(wildcard), path);

describe('a wildcard stands for', () => {
  for (const [wildcard, yes, no] of [
    [
      '/log/*.log',
      ['/log/a.log', '/log/a.b.log'],
      ['/log/.log', '/log/.a.log', '/log/a.log.1', '/a.log', '/log/a/b.log', 'log/a.log'],
    ],
    [
      '/log/*/mail.log',
      ['/log/mx/mail.log'],
      ['/log/mail.log', '/log/mx/a.log', '/log/a/b/mail.log'],
    ],
    ['/log/mail?', ['/log/mail1', '/log/mailé'], ['/log/mail', '/log/mail10']],
    ['/log/mail[0-9]', ['/log/mail1'], ['/log/maila', '/log/mail']],
    ['/log/mail[!0-9]', ['/log/maila'], ['/log/mail1']],
    ['/log/mail[^0-9]', ['/log/maila'], ['/log/mail1']],
    ['/log/[]x]', ['/log/]', '/log/x'], ['/log/y']],
    ['/log/[a-]', ['/log/a', '/log/-'], ['/log/b']],
    ['/log/[\\]x]', ['/log/]', '/log/x'], ['/log/\\']],
    ['/log/*', ['/log/a', '/log/a b'], ['/log/.a', '/log/']],
    ['/log/.*', ['/log/.a'], ['/log/a']],
    ['/log//*', ['/log/a'], []],
    ['log/*', ['log/a'], ['/log/a']],
    ['/log/**', ['/log/a'], ['/log/a/b']],
    ['/log/a*b*c', ['/log/abc', '/log/axbxbxc'], ['/log/ab', '/log/acb', '/log/abcd']],
    ['/log/\\*?', ['/log/*a'], ['/log/aa']],
    ['/log/[x*', ['/log/[x', '/log/[xy'], ['/log/x']],
  ] as const) {
    test(wildcard, () => {
      for (const path of yes) assert.ok(matches(wildcard, path), path);
      for (const path of no) assert.ok(!matches(wildcard, path), path);
      assert.equal(literalPath(parseWildcard(wildcard)), null);
    });
  }
});

test('what is quoted is itself', () => {
  for (const [text, path] of [
    ['/log/a\\*b', '/log/a*b'],
    ['/log/\\[1].log', '/log/[1].log'],
    ['/log/[1.log', '/log/[1.log'],
    ['/log/\\\\\\?', '/log/\\?'],
  ] as const)
    assert.equal(literalPath(parseWildcard(text)), path);
});

test('any name matches itself, quoted, and with one of its characters left open', () => {
  const name = fc.string({ unit: 'grapheme-composite', minLength: 1, maxLength: 20 });
  const usable = name.filter(text => !/[/\0]/.test(text) && !text.startsWith('.'));
  fc.assert(
    fc.property(usable, fc.nat(), (text, seed) => {
      const characters = [...text];
      const quoted = characters.map(character => `\\${character}`);
      assert.equal(literalPath(parseWildcard(`/${quoted.join('')}`)), `/${text}`);
      for (const open of ['?', '*'])
        assert.ok(matches(`/${quoted.with(seed % quoted.length, open).join('')}`, `/${text}`));
    }),
  );
});

test('many stars cost no more than their number', () => {
  assert.ok(!matches(`/${'*a'.repeat(100)}b`, `/${'a'.repeat(250)}`));
});
