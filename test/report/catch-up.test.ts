import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CatchUp } from '../../src/report/catch-up.ts';
import { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';
import { TestScreen } from './test-screen.ts';

const rig = new Rig();
after(() => rig.close());

/** A log of 1,000 lines of a hundred bytes, opened so many bytes from its beginning. */
async function opened(position: number) {
  const path = join(await rig.directory(), 'mail.log');
  await writeFile(path, `${'x'.repeat(99)}\n`.repeat(1000));
  const screen = new TestScreen();
  let now = 0;
  const catchUp = new CatchUp(screen, () => now);
  catchUp.notice({ kind: 'opened', path, position });
  const read = (lines: number, ms: number): void => {
    now = ms;
    catchUp.read(Array.from({ length: lines }, () => 'x'.repeat(99)));
  };
  return { screen, catchUp, read };
}

test('what there was at the start is shown until it has been read, and nothing after', async () => {
  const { screen, read } = await opened(60_000);
  read(100, 1000);
  assert.match(screen.text, /^25 %, 0 MB of 0 MB, 100 lines\/s, 3 s left/);
  read(299, 2000);
  assert.match(screen.text, /^99 %/);
  read(1, 3000);
  assert.deepEqual({ text: screen.text.trimEnd(), column: screen.column }, { text: '', column: 0 });
  const { length } = screen.writes;
  read(500, 4000);
  assert.equal(screen.writes.length, length);
});

test('a log that is not read to the size it had is given up after a while', async () => {
  const { screen, read } = await opened(0);
  read(10, 1000);
  assert.match(screen.text, /^1 %/);
  await waitFor('a blank line', () => screen.text.trimEnd() === '');
});

test('the journal has no bytes to wait for', () => {
  const screen = new TestScreen();
  let now = 0;
  const catchUp = new CatchUp(screen, () => now);
  catchUp.notice({ kind: 'opened', path: 'journal', position: 0 });
  now = 1000;
  catchUp.read(['a line']);
  assert.deepEqual(screen.writes, []);
});
