import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, parseDuration } from '../../src/base/duration.ts';
import { assertFails } from '../failure.ts';

test('durations are seconds, or have a unit', () => {
  const table = { '900': 900, '1': 1, '90s': 90, '15m': 900, '2h': 7200, '1d': 86_400 };
  for (const [text, seconds] of Object.entries(table)) {
    assert.equal(parseDuration(text, '--grace'), seconds, text);
  }
});

test('anything else is an error that says where it stands', () => {
  for (const text of ['', '-5', '1.5h', '15 m', 'm', '15min', '1w', '9'.repeat(10), '15M']) {
    assertFails(() => parseDuration(text, '--grace'), 'DURATION', '--grace', `"${text}"`);
  }
});

test('no time at all is told as such', () => {
  for (const text of ['0', '0s', '000m'])
    assertFails(() => parseDuration(text, '--grace'), 'DURATION_NONE', '--grace', `"${text}"`);
});

test('a duration is written in its largest whole unit', () => {
  const table = { 900: '15m', 90: '90s', 7200: '2h', 86400: '1d', 61: '61s' };
  for (const [seconds, text] of Object.entries(table)) {
    assert.equal(formatDuration(Number(seconds)), text);
    assert.equal(parseDuration(text, ''), Number(seconds));
  }
});
