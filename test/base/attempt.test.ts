import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orFailure, unlessFailed } from '../../src/base/attempt.ts';
import { failure } from '../../src/base/errors.ts';

const FAILED = failure('CONTROL_SILENT', { path: '/run/x.sock', seconds: 2 });
const failing = (): Promise<number> => Promise.reject(FAILED);

test('a failure is an answer', async () => {
  assert.equal(await orFailure(failing), FAILED);
  assert.equal(await unlessFailed(failing, 'otherwise'), 'otherwise');
});

test('what comes out is what is answered', async () => {
  assert.equal(await orFailure(async () => 1), 1);
  assert.equal(await unlessFailed(async () => null, 'otherwise'), null);
});

test('a bug is none', async () => {
  const buggy = (): Promise<number> => Promise.reject(new TypeError('of ours'));
  await assert.rejects(orFailure(buggy), TypeError);
  await assert.rejects(unlessFailed(buggy, 0), TypeError);
});
