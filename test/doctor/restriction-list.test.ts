import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseRestrictions, type Step } from '../../src/doctor/restriction-list.ts';

const show = (step: Step): string =>
  [
    ...(step.onlyWarns ? ['warn'] : []),
    ...(step.kind === 'access' ? [step.asked, step.table] : [step.text]),
  ].join(' ');

const parse = (text: string, classes: Readonly<Record<string, string>> = {}): string[] =>
  parseRestrictions(text, 'recipient', new Map(Object.entries(classes))).map(show);

describe('a restriction list', () => {
  const table: readonly (readonly [string, readonly string[]])[] = [
    ['', []],
    ['permit_mynetworks, reject', ['permit_mynetworks', 'reject']],
    ['PERMIT_MYNETWORKS Reject', ['permit_mynetworks', 'reject']],
    ['check_client_access lmdb:/m', ['client lmdb:/m']],
    ['Check_Client_Access lmdb:/M', ['client lmdb:/M']],
    ['check_sender_mx_access hash:/x', ['sender_mx hash:/x']],
    ['lmdb:/m reject', ['recipient lmdb:/m', 'reject']],
    [
      'check_policy_service { inet:127.0.0.1:9, timeout=9 } reject',
      ['check_policy_service { inet:127.0.0.1:9, timeout=9 }', 'reject'],
    ],
    [
      'check_policy_service unix:private/spf, permit',
      ['check_policy_service unix:private/spf', 'permit'],
    ],
    [
      'reject_rbl_client zen.example.org=127.0.0.2 reject',
      ['reject_rbl_client zen.example.org=127.0.0.2', 'reject'],
    ],
    ['sleep 1 permit', ['sleep 1', 'permit']],
    ['check_relay_domains reject', ['check_relay_domains', 'reject']],
    [
      'warn_if_reject reject_unauth_destination permit',
      ['warn reject_unauth_destination', 'permit'],
    ],
    ['warn_if_reject check_client_access lmdb:/m reject', ['warn client lmdb:/m', 'reject']],
    ['check_client_access', ['client ']],
  ];
  for (const [text, expected] of table) {
    test(`"${text}"`, () => assert.deepEqual(parse(text), expected));
  }

  test('a class is put in place, also within another, and weakened as a whole', () => {
    const classes = { pop: 'check_client_access lmdb:/m, other', other: 'permit_mynetworks' };
    assert.deepEqual(parse('pop reject', classes), [
      'client lmdb:/m',
      'permit_mynetworks',
      'reject',
    ]);
    assert.deepEqual(parse('warn_if_reject pop reject', classes), [
      'warn client lmdb:/m',
      'warn permit_mynetworks',
      'reject',
    ]);
  });

  test('classes that name each other come to an end', () => {
    assert.deepEqual(parse('a', { a: 'b', b: 'a reject' }).at(-1), 'reject');
  });

  test('any text at all is read', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.dictionary(fc.string({ maxLength: 3 }), fc.string()),
        (text, classes) => {
          parse(text, classes);
        },
      ),
    );
  });
});
