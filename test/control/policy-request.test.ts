import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  MOST_BYTES,
  type PolicyRequest,
  PolicyRequests,
  policyRequestOf,
} from '../../src/control/policy-request.ts';

/** As Postfix 3.7 sends it at DATA. */
const REQUEST = `request=smtpd_access_policy
protocol_state=DATA
protocol_name=ESMTP
client_address=198.51.100.7
client_name=unknown
client_port=40112
reverse_client_name=unknown
server_address=192.0.2.1
server_port=25
helo_name=[10.0.0.7]
sender=anna@example.org
recipient=
recipient_count=2
queue_id=4A1B2C3D4E
instance=1f3a.692a1c00.5e2f1.0
size=0
etrn_domain=
stress=
sasl_method=
sasl_username=
sasl_sender=
ccert_subject=
ccert_issuer=
ccert_fingerprint=
ccert_pubkey_fingerprint=
encryption_protocol=
encryption_cipher=
encryption_keysize=0
policy_context=
compatibility_level=3.6
mail_version=3.7.11

`;

const ASKED: PolicyRequest = {
  client: '198.51.100.7' as PolicyRequest['client'],
  instance: '1f3a.692a1c00.5e2f1.0',
  queueId: '4A1B2C3D4E',
  hasAuthenticated: false,
};

const NOTHING: PolicyRequest = {
  client: null,
  instance: null,
  queueId: null,
  hasAuthenticated: false,
};

describe('a request', () => {
  const cases: readonly [string, string, Partial<PolicyRequest>][] = [
    [
      'of IPv6',
      'client_address=2001:DB8::17',
      { client: '2001:db8::17' as PolicyRequest['client'] },
    ],
    ['of a client without an address', 'client_address=unknown', { client: null }],
    ['of one that has authenticated', 'sasl_username=anna', { hasAuthenticated: true }],
    ['before there is an id', 'queue_id=', { queueId: null }],
    ['with an id that is none', 'queue_id=4A1B user="eve"', { queueId: null }],
    ['with an instance that is none', 'instance=\r', { instance: null }],
    ['of another kind', 'request=junk', { client: null }],
  ];
  for (const [what, line, expected] of cases)
    test(what, () => {
      const [name = ''] = line.split('=');
      const text = REQUEST.replace(new RegExp(`^${name}=.*$`, 'm'), line);
      assert.deepEqual(policyRequestOf(text), { ...ASKED, ...expected });
    });

  test('an attribute that comes twice is what it was first', () => {
    const twice = `${REQUEST.trimEnd()}\nclient_address=203.0.113.66`;
    assert.deepEqual(policyRequestOf(twice), ASKED);
  });

  test('what a stranger writes says nothing of the client', () => {
    const written = fc.string({ unit: 'binary-ascii' }).map(text => text.replaceAll('\n', ' '));
    fc.assert(
      fc.property(written, fc.constantFrom('helo_name', 'sender', 'recipient'), (text, name) => {
        const request = REQUEST.replace(new RegExp(`^${name}=.*$`, 'm'), () => `${name}=${text}`);
        assert.deepEqual(policyRequestOf(request), ASKED);
      }),
    );
  });
});

describe('what comes in pieces', () => {
  test('is the same requests, however it is cut', () => {
    const bytes = Buffer.from(REQUEST.repeat(3));
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length)), cuts => {
        const requests = new PolicyRequests();
        const ends = [...cuts, bytes.length].sort((a, b) => a - b);
        const found = ends.flatMap(
          (end, at) => requests.take(bytes.subarray(ends[at - 1] ?? 0, end)) ?? [],
        );
        assert.deepEqual(found, [ASKED, ASKED, ASKED]);
        assert.equal(requests.isWithin, false);
      }),
    );
  });

  test('never throws, whatever it is, and keeps no more than the most', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), chunks => {
        const requests = new PolicyRequests();
        for (const chunk of chunks) assert.notEqual(requests.take(Buffer.from(chunk)), null);
      }),
    );
    const requests = new PolicyRequests();
    const line = Buffer.from(`x=${'y'.repeat(997)}\n`);
    let kept = 0;
    while (requests.take(line) !== null) kept += line.length;
    assert.ok(kept <= MOST_BYTES, `${kept}`);
    assert.equal(new PolicyRequests().take(Buffer.alloc(MOST_BYTES + 1, 'a')), null);
  });

  test('an empty one is a request', () => {
    assert.deepEqual(new PolicyRequests().take(Buffer.from('\n\n')), [NOTHING]);
  });
});
