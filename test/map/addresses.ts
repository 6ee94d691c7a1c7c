/** Canonical addresses for the tests of the map. */
import assert from 'node:assert/strict';
import { canonicalIp, type IpText } from '../../src/base/address.ts';

export function ip(text: string): IpText {
  const canonical = canonicalIp(text);
  assert.equal(canonical, text, 'a test names addresses as Postfix does');
  return canonical ?? assert.fail();
}

/** The first `count` addresses of a network of 16 bits, named by its first two bytes. */
export const addresses = (network: string, count: number): IpText[] =>
  Array.from({ length: count }, (_, index) => ip(`${network}.${index >> 8}.${index & 255}`));
