import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { addressOf, canonicalIp, parseAddress } from '../../src/base/address.ts';
import { parseNetwork, parseNetworkList } from '../../src/base/network.ts';
import { assertFails } from '../failure.ts';

function contains(list: string, ip: string): boolean {
  const canonical = canonicalIp(ip);
  assert.ok(canonical !== null, ip);
  return parseNetworkList(list, '--exclude').contains(addressOf(canonical));
}

/** List, addresses in it, addresses outside. */
const LISTS: readonly [string, string[], string[]][] = [
  ['192.0.2.0/24', ['192.0.2.0', '192.0.2.255'], ['192.0.1.255', '192.0.3.0', '::192.0.2.1']],
  ['192.0.2.7', ['192.0.2.7'], ['192.0.2.6', '192.0.2.8']],
  ['192.0.2.128/25', ['192.0.2.128'], ['192.0.2.127']],
  ['0.0.0.0/0', ['0.0.0.0', '255.255.255.255', '::ffff:192.0.2.1'], ['::', '::1']],
  ['::/0', ['::', 'ffff::'], ['0.0.0.0', '::ffff:192.0.2.1']],
  ['::1', ['::1'], ['::', '::2', '0.0.0.1']],
  ['fe80::/10', ['fe80::1', 'febf::'], ['fe7f::', 'fec0::']],
  ['[fe80::]/10, [::1] [ff00::/8]', ['fe80::1', '::1', 'ff02::1'], ['::2']],
  ['::ffff:192.0.2.0/120', ['192.0.2.1'], ['192.0.3.1', '::192.0.2.1']],
  ['[::ffff:192.0.2.1]', ['192.0.2.1'], ['192.0.2.2']],
  ['::ffff:0:0/96', ['1.2.3.4'], ['::1']],
  ['::/80', ['::1', '::192.0.2.1'], ['192.0.2.1']],
  ['none', [], ['127.0.0.1', '::1']],
  [' none\n', [], ['127.0.0.1']],
  [' ,10.0.0.0/8,,\t::1\n', ['10.1.1.1', '::1'], ['11.0.0.0']],
  [
    '127.0.0.0/8 ::1 0.0.0.0/8 :: 169.254.0.0/16 fe80::/10 224.0.0.0/4 ff00::/8',
    ['127.0.0.1', '::1', '0.0.0.0', '::', '169.254.1.1', 'fe80::1', '239.255.255.255', 'ff02::1'],
    ['128.0.0.0', '::2', '1.0.0.0', '169.255.0.0', 'fec0::', '240.0.0.0', 'feff::'],
  ],
];

/** An entry, and what is said about it. */
const REFUSED: readonly [string, string][] = [
  ['10', 'full IPv4 or IPv6'],
  ['10/8', 'full IPv4 or IPv6'],
  ['10.0.0/24', 'full IPv4 or IPv6'],
  ['010.0.0.0/8', 'full IPv4 or IPv6'],
  ['/8', 'full IPv4 or IPv6'],
  ['fe80::1%lo', 'full IPv4 or IPv6'],
  ['example.com', 'full IPv4 or IPv6'],
  ['[]', 'full IPv4 or IPv6'],
  ['[::1', 'brackets'],
  ['[::1]x', 'brackets'],
  ['[::1]128', 'brackets'],
  ['[[::1]]', 'brackets'],
  ['10.0.0.0/', 'after the slash must be from 0 to 32'],
  ['10.0.0.0/33', 'after the slash must be from 0 to 32'],
  ['10.0.0.0/-1', 'after the slash must be from 0 to 32'],
  ['10.0.0.0/8/8', 'after the slash must be from 0 to 32'],
  ['10.0.0.0/255.0.0.0', 'after the slash must be from 0 to 32'],
  ['[2001:db8::/32]/32', 'after the slash must be from 0 to 128'],
  ['2001:db8::/129', 'after the slash must be from 0 to 128'],
  ['192.0.2.7/24', 'perhaps 192.0.2.0/24 is meant'],
  ['[2001:db8::1]/32', 'perhaps 2001:db8::/32 is meant'],
  ['255.255.255.255/0', 'perhaps 0.0.0.0/0 is meant'],
];

const ORIGIN = '/etc/popbsmtp/popbsmtp.toml: exclude';

function refused(list: string, entry: string, problem: string): void {
  const start = `${ORIGIN}: "${entry}" is not a network: `;
  assertFails(() => parseNetworkList(list, ORIGIN), 'NETWORK_LIST', start, problem);
}

describe('a list of networks', () => {
  for (const [list, inside, outside] of LISTS) {
    test(JSON.stringify(list), () => {
      assert.deepEqual(
        inside.filter(ip => !contains(list, ip)),
        [],
      );
      assert.deepEqual(
        outside.filter(ip => contains(list, ip)),
        [],
      );
    });
  }

  for (const [entry, problem] of REFUSED) {
    test(`refuses ${entry}`, () => refused(`192.0.2.0/24, ${entry} ::1`, entry, problem));
  }

  test('refuses none among others, and an empty list', () => {
    refused('none 10.0.0.0/8', 'none', 'full IPv4');
    refused('', '', 'write none');
  });
});

/** An address as a number, written in full, so that the model shares no code with what it checks. */
interface Family {
  readonly width: number;
  readonly write: (value: bigint) => string;
}
const IPV4: Family = {
  width: 32,
  write: value => [24n, 16n, 8n, 0n].map(shift => (value >> shift) & 255n).join('.'),
};
const IPV6: Family = {
  width: 128,
  write: value =>
    [112n, 96n, 80n, 64n, 48n, 32n, 16n, 0n]
      .map(shift => ((value >> shift) & 0xffffn).toString(16))
      .join(':'),
};

test('a network contains the addresses that share its prefix, by a model of numbers', () => {
  const cases = fc.constantFrom(IPV4, IPV6).chain(family =>
    fc.record({
      family: fc.constant(family),
      bits: fc.nat({ max: family.width }),
      base: fc.bigInt({ min: 0n, max: 2n ** BigInt(family.width) - 1n }),
      /** How many of the last bits the address may have otherwise. */
      tail: fc.nat({ max: family.width }),
      noise: fc.bigInt({ min: 0n, max: 2n ** BigInt(family.width) - 1n }),
    }),
  );
  fc.assert(
    fc.property(cases, ({ family, bits, base, tail, noise }) => {
      const shift = BigInt(family.width - bits);
      const network = (base >> shift) << shift;
      const value = base ^ (noise & ((1n << BigInt(tail)) - 1n));
      const parsed = parseNetwork(`${family.write(network)}/${bits}`);
      const address = parseAddress(family.write(value));
      assert.ok('network' in parsed && address !== null);
      assert.equal(parsed.network.contains(address), value >> shift === base >> shift);
      if (base !== network) assert.ok('problem' in parseNetwork(`${family.write(base)}/${bits}`));
    }),
    { numRuns: 1000 },
  );
});
