/** Writes a history whose file may not grow, again and again, and prints what each try comes to. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../src/base/errors.ts';
import { blockKey } from '../../src/history/block.ts';
import { HistoryFile } from '../../src/history/history-file.ts';

const [path = ''] = process.argv.slice(2);
const file = await HistoryFile.open(path, { most: 2 ** 26, warn: () => undefined });
for (let round = 0; round < 10; round++) {
  const blocks = Array.from({ length: 100 }, (_, serial) => ({
    key: blockKey(round, serial),
    bytes: Buffer.alloc(8000, round + 1),
    filter: Buffer.alloc(100, round + 1),
  }));
  try {
    await file.write({ blocks, messages: new Map([['mx 1', { round }]]) });
    process.stdout.write('written\n');
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    process.stdout.write(`${error.code} ${error.line}\n`);
  }
  // What nobody awaits ends the program between two turns.
  await sleep(1);
}
await file.close();
