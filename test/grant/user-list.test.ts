import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseUserList } from '../../src/grant/user-list.ts';
import { assertFails } from '../failure.ts';

const parse = (...entries: string[]) => parseUserList(entries, '--allow-users');

describe('a list of users', () => {
  const list = parse('anna', 'Nick@Example.org', '*@example.net', 'jürgen', 'a b,c');
  const table: readonly (readonly [string, boolean])[] = [
    ['anna', true],
    ['Anna', true],
    ['nick@example.org', true],
    ['JÜRGEN', true],
    ['a b,c', true],
    ['anybody@example.net', true],
    ['odd@name@EXAMPLE.NET', true],
    ['', false],
    ['ann', false],
    ['annan', false],
    ['anna@example.org', false],
    ['nick', false],
    ['example.net', false],
    // Nobody of that domain: there is no name.
    ['@example.net', false],
    ['x@sub.example.net', false],
    ['x@example.net.example.com', false],
    ['x@example.net@example.com', false],
    ['*@example.org', false],
  ];
  for (const [user, included] of table) {
    test(`${user}: ${included}`, () => assert.equal(list.includes(user), included));
  }
});

describe('mistakes', () => {
  for (const entries of [[], [''], ['anna', '*'], ['*@'], ['a*'], ['*@*'], ['*@x*'], ['*@a@b']]) {
    test(JSON.stringify(entries), () =>
      assertFails(() => parse(...entries), 'USER_LIST', '--allow-users'),
    );
  }
});
