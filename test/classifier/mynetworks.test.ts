import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseAddress } from '../../src/base/address.ts';
import type { TableAnswer } from '../../src/classifier/mynetworks.ts';
import { parseMynetworks } from '../../src/classifier/mynetworks-parser.ts';

const parse = (text: string) =>
  parseMynetworks(text, { origin: '--mynetworks', readText: () => '', warn: () => undefined });

function address(text: string) {
  const parsed = parseAddress(text);
  assert.ok(parsed !== null);
  return parsed;
}

describe('mynetworks with tables', () => {
  const LIST = '10.0.0.1 !10.0.0.2 hash:/a 192.0.2.0/24 !hash:/b 0.0.0.0/0';

  /** Address, answers of the tables, whether it is in the list. */
  const CASES: readonly [string, Record<string, TableAnswer>, boolean][] = [
    ['10.0.0.1', {}, true],
    ['10.0.0.2', {}, false],
    ['10.0.0.3', { 'hash:/a': 'found' }, true],
    ['10.0.0.3', { 'hash:/a': 'absent', 'hash:/b': 'absent' }, true],
    ['10.0.0.3', { 'hash:/a': 'absent', 'hash:/b': 'found' }, false],
    ['10.0.0.3', { 'hash:/a': 'unknown', 'hash:/b': 'absent' }, false],
    ['10.0.0.3', { 'hash:/a': 'absent', 'hash:/b': 'unknown' }, false],
    ['192.0.2.1', { 'hash:/a': 'absent' }, true],
    ['192.0.2.1', { 'hash:/a': 'unknown' }, false],
  ];

  for (const [ip, answers, expected] of CASES) {
    test(`${ip} with ${JSON.stringify(answers)}`, () => {
      const ask = (table: string): TableAnswer => {
        const answer = answers[table];
        assert.ok(answer !== undefined, `${table} need not be asked`);
        return answer;
      };
      assert.equal(parse(LIST).includes(address(ip), ask), expected);
    });
  }

  test('tables are needed only where the networks before them do not decide', () => {
    const needs = (text: string, ip: string) => parse(text).needsTables(address(ip));
    assert.equal(needs(LIST, '10.0.0.1'), false);
    assert.equal(needs(LIST, '10.0.0.2'), false);
    assert.equal(needs(LIST, '192.0.2.1'), true);
    assert.equal(needs(LIST, '::1'), true);
    assert.equal(needs('10.0.0.0/8', '192.0.2.1'), false);
  });
});
