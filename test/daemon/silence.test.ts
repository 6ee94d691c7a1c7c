import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LEAST_SILENCE, Silence } from '../../src/daemon/silence.ts';

const HOUR = 3600;

test('a silence of more than an hour is told, once', () => {
  const silence = new Silence(0);
  assert.equal(silence.toReport(LEAST_SILENCE), null);
  assert.equal(silence.toReport(LEAST_SILENCE + 1), LEAST_SILENCE + 1);
  assert.equal(silence.toReport(10 * HOUR), null);
});

test('the next one only if it is longer than the longest before', () => {
  const silence = new Silence(0);
  silence.heard(8 * HOUR);
  assert.equal(silence.toReport(15 * HOUR), null);
  assert.equal(silence.toReport(16 * HOUR + 1), 8 * HOUR + 1);
  silence.heard(16 * HOUR + 2);
  silence.heard(16 * HOUR + 3);
  assert.equal(silence.toReport(24 * HOUR), null);
});
