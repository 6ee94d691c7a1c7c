import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stopHistory } from '../../src/daemon/history.ts';
import { History } from '../../src/history/history.ts';
import { Recorder } from '../../src/history/recorder.ts';
import { loadMailRecogniser } from '../../src/mta/load.ts';

test('a stop ends while a write does not, and tells it', async () => {
  const warnings: string[] = [];
  const warn = (text: string): void => void warnings.push(text);
  const mail = await loadMailRecogniser();
  const history = new History({
    mail,
    sink: () =>
      new Recorder({ open: () => new Promise(() => undefined), serial: 1, age: 1e9, warn }),
    live: () => null,
    kept: user => user,
    refusals: 10,
    hadGrant: () => false,
    now: () => 1_795_000_000,
  });
  await stopHistory(history, warn);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /not written within .* s; what happened last is not in it$/);
});
