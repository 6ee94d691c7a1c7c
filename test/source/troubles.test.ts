import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Notice } from '../../src/source/source.ts';
import { Troubles } from '../../src/source/troubles.ts';

const missing: Notice = { kind: 'missing', path: 'mail.log' };
const failed: Notice = { kind: 'failed', path: 'mail.log', reason: 'input/output error' };

function collect(): { told: Notice[]; troubles: Troubles } {
  const told: Notice[] = [];
  return { told, troubles: new Troubles(notice => told.push(notice)) };
}

test('a trouble is told once while it lasts, whatever else there is', () => {
  const { told, troubles } = collect();
  for (let count = 0; count < 3; count++) {
    troubles.begin(missing);
    troubles.begin(failed);
  }
  assert.deepEqual(told, [missing, failed]);
});

test('one that comes and goes is not told each time', () => {
  const { told, troubles } = collect();
  for (let count = 0; count < 3; count++) {
    troubles.begin(failed);
    troubles.end('failed');
  }
  assert.deepEqual(told, [failed]);
});
