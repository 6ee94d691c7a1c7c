import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Fifo } from '../../src/grant/fifo.ts';

test('behaves as an array that is pushed and shifted', () => {
  const steps = fc.array(fc.integer({ min: -1500, max: 1500 }), { maxLength: 20 });
  fc.assert(
    fc.property(steps, counts => {
      const fifo = new Fifo<number>();
      const model: number[] = [];
      let next = 0;
      for (const count of counts) {
        for (let step = 0; step < Math.abs(count); step++) {
          if (count > 0) {
            fifo.push(next);
            model.push(next++);
          } else {
            fifo.drop();
            model.shift();
          }
        }
        if (count % 7 === 0) {
          fifo.keep(entry => entry % 3 !== 0);
          model.splice(0, model.length, ...model.filter(entry => entry % 3 !== 0));
        }
        assert.equal(fifo.first, model[0]);
        assert.equal(fifo.size, model.length);
        assert.deepEqual(fifo.oldest(3), model.slice(0, 3));
      }
    }),
    { numRuns: 50 },
  );
});
