/**
 * Whatever happens to a log, in whatever order: the file source delivers what the model (log-world.ts) says.
 *
 * So many sequences for each of the three tests; POPBSMTP_MODEL_RUNS=100000 looks for longer.
 */
import { test } from 'node:test';
import fc from 'fast-check';
import { LogWorld, type Scheme } from './log-world.ts';

const RUNS = Number(process.env['POPBSMTP_MODEL_RUNS'] ?? 300);

type Step = readonly [weight: number, run: (world: LogWorld) => unknown];

/** With how often each comes up. */
const STEPS: Readonly<Record<string, Step>> = {
  write: [6, world => world.write(1)],
  'write more': [3, world => world.write(5)],
  'write much': [1, world => world.write(30)],
  'write partly': [3, world => world.writePartly()],
  'write to the old file': [2, world => world.writeToOld(2)],
  rotate: [3, world => world.rotate(false)],
  'rotate, the writer stays': [3, world => world.rotate(true)],
  'move away': [1, world => world.moveAway(true)],
  'copy and truncate': [3, world => world.copyTruncate()],
  truncate: [1, world => world.truncate(0)],
  'truncate and refill': [1, world => world.truncate(20)],
  remove: [1, world => world.remove()],
  create: [2, world => world.create()],
  'replace by the same size': [1, world => world.replace()],
  compress: [2, world => world.compress()],
  'move the directory': [1, world => world.moveDirectory()],
  wait: [1, world => world.wait()],
  pause: [1, world => world.pause()],
  'go on': [2, world => world.goOn()],
  look: [8, world => world.look()],
  save: [2, world => world.save()],
  stop: [2, world => world.stop()],
  kill: [2, world => world.kill()],
  resume: [4, world => world.resume()],
};

const step = fc.oneof(
  ...Object.entries(STEPS).map(([name, [weight]]) => ({ weight, arbitrary: fc.constant(name) })),
);

async function follow(scheme: Scheme, steps: readonly string[]): Promise<void> {
  const world = new LogWorld(scheme);
  try {
    for (const name of steps) await STEPS[name]?.[1](world);
    await world.finish();
  } finally {
    await world.clear();
  }
}

for (const scheme of ['numbered', 'dated', 'linked'] as const) {
  test(`what is due is delivered once and in order: ${scheme}`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }), steps =>
        follow(scheme, steps),
      ),
      { numRuns: RUNS, includeErrorInReport: true },
    );
  });
}
