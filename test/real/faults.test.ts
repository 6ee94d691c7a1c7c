/**
 * A short pass of the fault campaign (test/faults; `npm run test:faults` is the long one).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAULTS } from '../faults/faults.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';

for (const { name, short, needsRoot, programs, run } of FAULTS) {
  const skip = requirePrograms(programs, { root: needsRoot });
  test(`${name}: nothing is lost, nothing left open`, { skip }, async () => {
    const rig = new Rig();
    try {
      const { logins, lost, open, postfix } = await run(rig, short);
      assert.deepEqual({ lost, open }, { lost: 0, open: 0 }, `of ${logins} logins`);
      assert.equal(postfix?.wrong ?? 0, 0, `of ${postfix?.asked} questions to Postfix`);
    } finally {
      await rig.close();
    }
  });
}
