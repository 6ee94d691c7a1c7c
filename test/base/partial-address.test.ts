import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { addressOf, canonicalIp, type IpText, inetNtop } from '../../src/base/address.ts';
import { opensOtherNetworks } from '../../src/base/partial-address.ts';

function ip(text: string): IpText {
  const found = canonicalIp(text);
  assert.ok(found !== null && found === text, text);
  return found;
}

/** What Postfix looks up for a client (smtpd_check.c, check_addr_access): the text, then cut at its last delimiter. */
function lookups(client: string): string[] {
  const delimiter = client.includes(':') ? ':' : '.';
  const keys = [client];
  for (let key = client; key.includes(delimiter); ) {
    key = key.slice(0, key.lastIndexOf(delimiter));
    keys.push(key);
  }
  return keys;
}

/** The first 64 bits, or the whole address for IPv4. */
function network(text: IpText): string {
  const address = addressOf(text);
  return address instanceof ipaddr.IPv6 ? address.parts.slice(0, 4).join(':') : text;
}

test('keys are what Postfix was seen to look up', () => {
  assert.deepEqual(lookups('::192.0.2.10'), ['::192.0.2.10', ':', '']);
  assert.deepEqual(lookups('fd00::5:1'), ['fd00::5:1', 'fd00::5', 'fd00:', 'fd00']);
  assert.deepEqual(lookups('127.0.0.2'), ['127.0.0.2', '127.0.0', '127.0', '127']);
});

describe('a row opens other networks', () => {
  for (const [key, expected] of [
    ['192.0.2.1', false],
    ['2001:db8:aa:bb::5', false],
    ['2001:db8:aa:bb:1:2:3:4', false],
    ['2001:db8:0:1:1:1:1:1', false],
    // Two groups remain zero, and so the first four are those of the key.
    ['2001:db8:1::5', false],
    ['2001:db8::5', false],
    ['64:ff9b::c000:20a', false],
    ['2001:db8::', false],
    ['fd00::', false],
    ['::', false],
    ['::192.0.2.10', false],
    ['::0.1.0.5', false],
    ['fd00::1:2:3:4:5', false],
    ['::1:2:3:4:5:6', false],
    ['fd00::5', true],
    ['fd00::1:2:3:4', true],
    ['::1', false],
    ['::2', true],
    ['::ffff', true],
    ['::1:2:3', true],
    ['::1:2:3:4:5', true],
  ] as const)
    test(`${key}: ${expected}`, () => assert.equal(opensOtherNetworks(ip(key)), expected));
});

/** Groups as they are in the wild: many zeros, few distinct ones, so that runs of zeros of any length meet. */
const group = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.constantFrom(1, 0xffff, 0x20a) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xffff }) },
);
const client = fc
  .array(group, { minLength: 8, maxLength: 8 })
  .map(parts => canonicalIp(inetNtop(new ipaddr.IPv6(parts))))
  .filter(text => text !== null);

test('no key that may be written is found for an address outside its /64', () => {
  fc.assert(
    fc.property(client, address => {
      for (const text of lookups(address).slice(1)) {
        const key = canonicalIp(text);
        // A key that is no address has no row of ours: rows are canonical addresses.
        if (key === null || key !== text || opensOtherNetworks(key)) continue;
        // Nobody's: the loopback's own exception.
        if (key === '::1') assert.match(network(address), /^0:0:/);
        else assert.equal(network(key), network(address), `${address} finds ${key}`);
      }
    }),
    { numRuns: 20_000 },
  );
});

test('what is refused is refused for a reason: some address outside finds it', () => {
  const parts = fc.array(fc.integer({ min: 1, max: 0xffff }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(parts, fc.boolean(), (written, leading) => {
      const [front, back] = leading ? [[], written] : [written.slice(0, 1), written.slice(1)];
      if (back.length === 0) return;
      const zeros = (length: number): number[] => Array<number>(length).fill(0);
      const address = (more: readonly number[]): IpText | null => {
        const behind = [...back, ...more];
        const all = [...front, ...zeros(8 - front.length - behind.length), ...behind];
        return canonicalIp(inetNtop(new ipaddr.IPv6(all)));
      };
      const key = address([]);
      if (key === null || key === '::1' || key.includes('.')) return;
      const room = 6 - front.length - back.length;
      assert.equal(opensOtherNetworks(key), room > 0, key);
      if (room <= 0) return;
      const outside = address(Array<number>(room).fill(7));
      assert.ok(outside !== null && lookups(outside).includes(key), `${outside} finds ${key}`);
      assert.notEqual(network(outside), network(key));
    }),
  );
});
