import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failure } from '../../src/base/errors.ts';
import { gravest, Outage, reasonFor } from '../../src/fleet/outage.ts';

const withCode = (message: string, code: string): Error =>
  Object.assign(new Error(message), { code });

const CUT = new Error('Socket closed unexpectedly');
const REFUSED = withCode('connect ECONNREFUSED 127.0.0.1:6379', 'ECONNREFUSED');
const LOADING = new Error('LOADING Redis is loading the dataset in memory');
const WRONGPASS = new Error('WRONGPASS invalid username-password pair or user is disabled.');
const EXPIRED = withCode('certificate has expired', 'CERT_HAS_EXPIRED');
const READONLY = new Error("READONLY You can't write against a read only replica.");
const EXHAUSTED = failure('FLEET_EXHAUSTED', { key: 'a:grants', keys: 'a:grants a:orders' });

test('a reason has one word, and its own text', () => {
  const table: [unknown, string][] = [
    [CUT, 'CONNECTION'],
    [REFUSED, 'ECONNREFUSED'],
    [LOADING, 'LOADING'],
    [WRONGPASS, 'WRONGPASS'],
    [EXPIRED, 'CERT_HAS_EXPIRED'],
    [READONLY, 'READONLY'],
    [new Error('ERR invalid password'), 'ERR'],
    [EXHAUSTED, 'FLEET_EXHAUSTED'],
    ['whatever', 'CONNECTION'],
  ];
  for (const [error, code] of table) assert.equal(reasonFor(error).code, code);
  assert.equal(reasonFor(EXPIRED).text, 'certificate has expired');
});

/** The words of what is told. */
function told(outage: Outage, ...errors: readonly unknown[]): string[] {
  return errors.flatMap(error => outage.add(error)?.code ?? []);
}

test('what is told: how it began, and each reason that lasts, once', () => {
  const table: [what: string, errors: unknown[], told: string[], stays: string][] = [
    ['an engine that is gone', [CUT, REFUSED, REFUSED, LOADING], ['CONNECTION'], 'LOADING'],
    [
      'a password that was changed',
      [CUT, WRONGPASS, WRONGPASS, REFUSED, WRONGPASS],
      ['CONNECTION', 'WRONGPASS'],
      'WRONGPASS',
    ],
    [
      'one after the other',
      [EXPIRED, WRONGPASS, EXPIRED],
      ['CERT_HAS_EXPIRED', 'WRONGPASS'],
      'CERT_HAS_EXPIRED',
    ],
    ['what lasts, and then passes', [READONLY, REFUSED, CUT], ['READONLY'], 'READONLY'],
  ];
  for (const [what, errors, expected, stays] of table) {
    const outage = new Outage();
    assert.deepEqual(told(outage, ...errors), expected, what);
    assert.equal(outage.reason?.code, stays, what);
  }
});

test('after its end all is news again', () => {
  const outage = new Outage();
  told(outage, WRONGPASS);
  outage.end();
  assert.equal(outage.reason, null);
  assert.deepEqual(told(outage, WRONGPASS), ['WRONGPASS']);
});

test('texts without end are not told without end', () => {
  const errors = Array.from({ length: 100 }, (_, index) => new Error(`OOM ${index}`));
  assert.equal(told(new Outage(), ...errors).length, 8);
});

test('of several errors the gravest says most', () => {
  assert.equal(gravest([WRONGPASS, REFUSED]), WRONGPASS);
  assert.equal(gravest([WRONGPASS, EXPIRED, CUT]), EXPIRED);
  assert.equal(gravest([CUT, REFUSED]), REFUSED);
});
