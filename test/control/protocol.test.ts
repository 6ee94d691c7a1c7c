import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { MAX_ADDRESSES, MAX_PROBE_SECONDS, parseRequest } from '../../src/control/protocol.ts';
import { MAX_SECONDS } from '../../src/grant/order.ts';

const parse = (value: unknown) => parseRequest(JSON.stringify(value));

describe('a request', () => {
  const good: [given: object, meant: object][] = [
    [{ command: 'status', more: 1 }, { command: 'status' }],
    [{ command: 'metrics' }, { command: 'metrics' }],
    [{ command: 'list' }, { command: 'list' }],
    [{ command: 'latest' }, { command: 'latest' }],
    [{ command: 'orders' }, { command: 'orders' }],
    [
      { command: 'about', address: '::ffff:198.51.100.1' },
      { command: 'about', address: '198.51.100.1' },
    ],
    [{ command: 'configuration' }, { command: 'configuration' }],
    [
      { command: 'probe', address: '127.0.0.9', seconds: MAX_PROBE_SECONDS },
      { command: 'probe', address: '127.0.0.9', seconds: MAX_PROBE_SECONDS },
    ],
    [
      { command: 'unprobe', address: '127.0.0.9', seconds: 1 },
      { command: 'unprobe', address: '127.0.0.9' },
    ],
    [
      { command: 'allow', address: '::ffff:198.51.100.1', seconds: 60 },
      { command: 'allow', address: '198.51.100.1', seconds: 60 },
    ],
    [
      { command: 'revoke', addresses: ['2001:DB8::1', '2001:db8:0::1'], seconds: 1 },
      { command: 'revoke', addresses: ['2001:db8::1'], user: null, seconds: 1 },
    ],
    [
      { command: 'revoke', addresses: [], user: 'anna', seconds: MAX_SECONDS },
      { command: 'revoke', addresses: [], user: 'anna', seconds: MAX_SECONDS },
    ],
    [
      { command: 'lift', addresses: ['2001:DB8::1'] },
      { command: 'lift', addresses: ['2001:db8::1'], user: null },
    ],
    [
      { command: 'login', address: '::ffff:198.51.100.1', user: 'anna', server: 'hook', more: 1 },
      {
        ...{ command: 'login', address: '198.51.100.1', user: 'anna', server: 'hook' },
        ...{ session: null, tls: null },
      },
    ],
    [
      { command: 'logout', session: 'x', server: 'hook' },
      { command: 'logout', session: 'x', server: 'hook', user: null },
    ],
    [
      { command: 'lift', user: 'anna' },
      { command: 'lift', addresses: [], user: 'anna' },
    ],
  ];
  for (const [given, meant] of good) {
    test(`is understood: ${JSON.stringify(given)}`, () => assert.deepEqual(parse(given), meant));
  }

  const bad: [given: unknown, problem: RegExp][] = [
    [null, /one JSON object/],
    [[], /one JSON object/],
    ['status', /one JSON object/],
    [{}, /no such command/],
    [{ command: 'constructor' }, /no such command/],
    [{ command: 'probe', address: '127.0.0.9' }, /seconds/],
    [{ command: 'probe', address: '127.0.0.9', seconds: MAX_PROBE_SECONDS + 1 }, /seconds/],
    [{ command: 'unprobe', address: 'nobody' }, /address/],
    [{ command: 'allow', address: '198.51.100.1' }, /seconds/],
    ...[0, -1, 1.5, '60', MAX_SECONDS + 1, null].map((seconds): [unknown, RegExp] => [
      { command: 'allow', address: '198.51.100.1', seconds },
      /seconds/,
    ]),
    ...['198.51.100', '198.51.100.1/24', 'fe80::1%eth0', 7, ''].map(
      (address): [unknown, RegExp] => [{ command: 'allow', address, seconds: 60 }, /address/],
    ),
    [{ command: 'login', user: 'anna', server: 'hook' }, /address/],
    ...['', 'a b', 'a\nb', 'x'.repeat(41), 7, null].map((server): [unknown, RegExp] => [
      { command: 'login', address: '198.51.100.1', user: 'anna', server },
      /server/,
    ]),
    [{ command: 'login', address: '198.51.100.1', server: 'hook', tls: 'yes' }, /tls/],
    [{ command: 'login', address: '198.51.100.1', server: 'hook', user: '' }, /characters/],
    [{ command: 'login', address: '198.51.100.1', server: 'hook', session: '' }, /session/],
    [{ command: 'logout', server: 'hook' }, /session/],
    [{ command: 'revoke', seconds: 60 }, /either/],
    [{ command: 'lift' }, /either/],
    [{ command: 'lift', addresses: ['x'] }, /addresses/],
    [{ command: 'revoke', addresses: ['198.51.100.1'], user: 'x', seconds: 60 }, /either/],
    [{ command: 'revoke', addresses: ['198.51.100.1', 'x'], seconds: 60 }, /addresses/],
    [{ command: 'revoke', user: '', seconds: 60 }, /characters/],
    [{ command: 'revoke', user: 'x'.repeat(1025), seconds: 60 }, /characters/],
    [{ command: 'revoke', user: 7, seconds: 60 }, /characters/],
    [
      { command: 'revoke', addresses: Array(MAX_ADDRESSES + 1).fill('198.51.100.1'), seconds: 60 },
      /at most/,
    ],
  ];
  for (const [given, problem] of bad) {
    test(`is refused: ${JSON.stringify(given).slice(0, 80)}`, () => {
      const found = parse(given);
      assert.equal(typeof found, 'string');
      assert.match(String(found), problem);
    });
  }

  test('may be any text, and any JSON', () => {
    fc.assert(fc.property(fc.string(), text => void parseRequest(text)));
    fc.assert(fc.property(fc.jsonValue(), value => void parse(value)));
    const field = fc.oneof(fc.jsonValue(), fc.constantFrom('198.51.100.1', ['::1'], 60));
    const request = fc.record(
      {
        command: fc.constantFrom('allow', 'revoke'),
        address: field,
        addresses: field,
        user: field,
        seconds: field,
      },
      { requiredKeys: ['command'] },
    );
    fc.assert(
      fc.property(request, value => {
        const found = parse(value);
        if (typeof found === 'string' || !('seconds' in found)) return;
        assert.ok(Number.isInteger(found.seconds) && found.seconds > 0);
      }),
    );
  });
});
