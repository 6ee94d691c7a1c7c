import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { subnetOf } from '../../src/base/subnet.ts';
import { ip } from '../map/addresses.ts';

test('an IPv4 address is one client, and a /64 of IPv6', () => {
  const table: readonly (readonly [string, string])[] = [
    ['198.51.100.1', '198.51.100.1'],
    ['2001:db8::1', '2001:db8::/64'],
    ['2001:db8:0:1:2:3:4:5', '2001:db8:0:1::/64'],
    ['2001:db8:a:b::', '2001:db8:a:b::/64'],
    ['2001:db8:a:b:c:d:e:f', '2001:db8:a:b::/64'],
    ['::1', '::/64'],
    ['::192.0.2.1', '::/64'],
    // NAT64: each stands for an IPv4 address.
    ['64:ff9b::c633:6401', '64:ff9b::c633:6401'],
  ];
  for (const [address, client] of table) assert.equal(subnetOf(ip(address)), client);
});

test('it is the same for the same first 64 bits, and for no others', () => {
  const group = fc.constantFrom('0', '1', 'db8', 'ffff');
  const groups = fc.array(group, { minLength: 8, maxLength: 8 });
  const canonical = (parts: readonly string[]) =>
    ip(
      new URL(`http://[${parts.join(':')}]/`).hostname
        .slice(1, -1)
        .replace(/^::ffff:[\da-f]+:[\da-f]+$/, '::1'),
    );
  fc.assert(
    fc.property(groups, groups, (a, b) => {
      fc.pre([a, b].every(parts => parts.slice(0, 4).some(part => part !== '0')));
      const same = a.slice(0, 4).join() === b.slice(0, 4).join();
      assert.equal(subnetOf(canonical(a)) === subnetOf(canonical(b)), same);
    }),
  );
});
