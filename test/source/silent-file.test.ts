/** A log whose changes the kernel does not tell of: written to under another name, in a directory that is not watched. */
import assert from 'node:assert/strict';
import { appendFileSync, linkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mock, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { FileSource } from '../../src/source/file-source.ts';
import { directory } from '../map/scratch.ts';
import { waitFor } from '../real/wait.ts';

/** Enough of the event loop for a look, and for what the kernel has to tell. */
async function look(milliseconds: number): Promise<void> {
  mock.timers.tick(milliseconds);
  for (let count = 0; count < 20; count++) await turn();
}

test('is looked at each second, four times a second once lines were found so, and each second when it tells again', async () => {
  const log = join(await directory(), 'mail.log');
  const other = join(await directory(), 'other');
  writeFileSync(log, '');
  linkSync(log, other);
  const lines: string[] = [];
  const source = new FileSource(
    log,
    { lines: async batch => void lines.push(...batch), notice: () => undefined },
    () => 0,
  );
  mock.timers.enable({ apis: ['setInterval'] });
  try {
    source.start();
    await source.look();
    appendFileSync(other, 'one\n');
    await look(999);
    assert.deepEqual(lines, []);
    await look(1);
    assert.deepEqual(lines, ['one']);
    appendFileSync(other, 'two\n');
    await look(250);
    assert.deepEqual(lines, ['one', 'two']);
    appendFileSync(log, 'three\n');
    await waitFor('what the kernel tells', () => lines.length === 3);
    appendFileSync(other, 'four\n');
    await look(250);
    assert.deepEqual(lines.slice(3), []);
    await look(750);
    assert.deepEqual(lines.slice(3), ['four']);
  } finally {
    await source.stop();
    mock.timers.reset();
  }
});
