import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalIp, type IpText } from '../../src/base/address.ts';
import { ipOf, keyOf } from '../../src/base/address-key.ts';

const address = fc.oneof(fc.ipV4(), fc.ipV6()).map(text => canonicalIp(text) ?? assert.fail(text));

test('a key gives its address again', () => {
  fc.assert(
    fc.property(address, ip => assert.equal(ipOf(keyOf(ip)), ip)),
    { numRuns: 3000 },
  );
});

test('two addresses have one key only if they are the same', () => {
  const near = (ip: IpText): fc.Arbitrary<IpText> =>
    fc.oneof(
      fc.constant(ip),
      address,
      fc.nat(255).map(octet => canonicalIp(ip.replace(/^\d+/, String(octet))) ?? ip),
    );
  const pair = address.chain(one => near(one).map(other => [one, other] as const));
  fc.assert(
    fc.property(pair, ([one, other]) => assert.equal(keyOf(one) === keyOf(other), one === other)),
    { numRuns: 3000 },
  );
});

test('the ends of the range', () => {
  for (const [text, key] of [
    ['0.0.0.0', 0],
    ['127.255.255.255', 2 ** 31 - 1],
    ['128.0.0.0', -(2 ** 31)],
    ['255.255.255.255', -1],
  ] as const) {
    assert.equal(keyOf(canonicalIp(text) ?? assert.fail()), key);
  }
});
