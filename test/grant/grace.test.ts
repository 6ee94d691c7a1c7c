import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Grace, parseGraceFor } from '../../src/grant/grace.ts';
import { assertFails } from '../failure.ts';
import { ip } from '../map/addresses.ts';

const parse = (...entries: string[]) => parseGraceFor({ value: entries, origin: '--grace-for' });

describe('the grace period of an address', () => {
  const grace = new Grace(
    900,
    parse('10.0.0.0/8=1h', '10.1.2.0/24=5m', '10.1.0.0/16=2h', '2001:db8::/32=10', '192.0.2.7=1d'),
  );
  const table: readonly (readonly [string, number])[] = [
    ['198.51.100.1', 900],
    ['10.9.9.9', 3600],
    ['10.1.9.9', 7200],
    ['10.1.2.3', 300],
    ['2001:db8::1', 10],
    ['2001:db9::1', 900],
    ['192.0.2.7', 86_400],
    ['192.0.2.8', 900],
  ];
  for (const [address, seconds] of table) {
    test(`${address}: ${seconds} s`, () => assert.equal(grace.of(ip(address)), seconds));
  }

  test('the longest says how far back a login may matter', () => {
    assert.equal(grace.longest, 86_400);
    assert.equal(new Grace(900).longest, 900);
    assert.equal(new Grace(900, parse('10.0.0.0/8=60')).longest, 900);
  });

  test('the shortest says after how long a row may be open that should not', () => {
    assert.equal(new Grace(900, parse('10.0.0.0/8=60')).shortest, 60);
    assert.equal(new Grace(900, parse('10.0.0.0/8=1h')).shortest, 900);
  });

  test('as a text differs when anything does, and not with the order', () => {
    assert.equal(new Grace(900).toString(), '900');
    const text = '900 10.0.0.0/24=3600 10.0.0.0/8=60';
    assert.equal(new Grace(900, parse('10.0.0.0/8=60', '10.0.0.0/24=1h')).toString(), text);
    assert.equal(new Grace(900, parse('10.0.0.0/24=1h', '10.0.0.0/8=60')).toString(), text);
  });

  test('an IPv4-mapped network means the IPv4 one', () => {
    const mapped = new Grace(900, parse('::ffff:10.0.0.0/104=60'));
    assert.equal(mapped.of(ip('10.1.2.3')), 60);
  });
});

describe('mistakes', () => {
  const table: readonly (readonly [
    string[],
    'GRACE_FOR' | 'DURATION' | 'DURATION_NONE',
    string,
  ])[] = [
    [['10.0.0.0/8'], 'GRACE_FOR', '"10.0.0.0/8"'],
    [['=1h'], 'GRACE_FOR', 'full IPv4 or IPv6 address'],
    [['10.0.0.1/8=1h'], 'GRACE_FOR', 'perhaps 10.0.0.0/8'],
    [['10.0.0.0/8=1h', '[10.0.0.0]/8=2h'], 'GRACE_FOR', 'stands there twice'],
    [['10.0.0.0/8='], 'DURATION', '--grace-for: 10.0.0.0/8='],
    [['10.0.0.0/8=soon'], 'DURATION', '"soon"'],
    [['10.0.0.0/8=0'], 'DURATION_NONE', '"0"'],
  ];
  for (const [entries, code, words] of table) {
    test(entries.join(' '), () => assertFails(() => parse(...entries), code, '--grace-for', words));
  }
});
