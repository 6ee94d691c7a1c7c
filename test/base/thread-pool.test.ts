import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { keepPoolAwake } from '../../src/base/thread-pool.ts';

const requests = (): number =>
  process.getActiveResourcesInfo().filter(name => name === 'FSReqCallback').length;

test('a request comes every ten seconds', () => {
  mock.timers.enable({ apis: ['setInterval'] });
  try {
    keepPoolAwake();
    mock.timers.tick(9999);
    assert.equal(requests(), 0);
    mock.timers.tick(1);
    assert.equal(requests(), 1);
  } finally {
    mock.timers.reset();
  }
});
