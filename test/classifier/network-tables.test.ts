import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  ipv4Gateways,
  ipv6Gateways,
  ownIpv4,
  ownIpv6,
} from '../../src/classifier/network-tables.ts';

/** Of a machine with one interface and a bridge for containers. */
const FIB_TRIE = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
     +-- 203.0.113.0/24 2 0 2
        +-- 203.0.113.0/30 2 0 2
           |-- 203.0.113.0
              /24 link UNICAST
           |-- 203.0.113.2
              /32 host LOCAL
        |-- 203.0.113.255
           /32 link BROADCAST
Local:
  +-- 0.0.0.0/0 3 0 5
     |-- 172.19.0.1
        /32 link UNICAST
        /32 host LOCAL
     |-- 203.0.113.2
        /32 host LOCAL
`;

const IF_INET6 = `fe8000000000000000fc00fffe000001 04 40 20 80     eth0
00000000000000000000000000000001 01 80 10 80       lo
20010db8000000000000000000000002 04 40 00 82     eth0
00000000000000000000ffffc0000202 04 80 00 82  docker0
`;

const ROUTE = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t017100CB\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth1\t00000000\t00000000\t0001\t0\t0\t100\t00000000\t0\t0\t0
eth0\t007100CB\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth0\t000000C6\t097100CB\t0003\t0\t0\t0\t000000FF\t0\t0\t0
`;

const IPV6_ROUTE = [
  'fd000000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0',
  '00000000000000000000000000000000 00 00000000000000000000000000000000 00 20010db8000000000000000000000001 00000400 00000002 00000000 00000003     eth0',
  '20010db8000100000000000000000000 30 00000000000000000000000000000000 00 20010db8000000000000000000000009 00000400 00000002 00000000 00000003     eth0',
  '00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000002 00000000 00000003     eth1',
  '00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo',
  '',
].join('\n');

describe('the tables of Linux', () => {
  test("tell the machine's own addresses, and not its loopback's", () => {
    assert.deepEqual(new Set(ownIpv4(FIB_TRIE)), new Set(['203.0.113.2', '172.19.0.1']));
    assert.deepEqual(ownIpv6(IF_INET6), [
      'fe80::fc:ff:fe00:1',
      '2001:db8::2',
      // A mapped one is the IPv4 address that Postfix makes of it.
      '192.0.2.2',
    ]);
  });

  test('tell the gateways of default routes, and no others', () => {
    assert.deepEqual(ipv4Gateways(ROUTE, true), ['203.0.113.1']);
    assert.deepEqual(ipv4Gateways(ROUTE.replace('017100CB', 'CB007101'), false), ['203.0.113.1']);
    assert.deepEqual(ipv6Gateways(IPV6_ROUTE), ['2001:db8::1', 'fe80::1']);
  });

  for (const text of ['', '\n', 'Main:\n  +-- nothing', '\t'.repeat(1000), '0'.repeat(100)])
    test(`tell nothing in ${JSON.stringify(text.slice(0, 20))}`, () => {
      const all = [ownIpv4(text), ownIpv6(text), ipv4Gateways(text, true), ipv6Gateways(text)];
      assert.deepEqual(all, [[], [], [], []]);
    });
});
