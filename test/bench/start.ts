/**
 * From the start of the daemon until it follows its log.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Rig } from '../real/rig.ts';

/** Seconds for each of so many starts, of several programs by turns, each with the same log and map every time. */
export async function startTimes(
  rig: Rig,
  rounds: number,
  mains: readonly string[],
): Promise<number[][]> {
  const starts: (() => Promise<number>)[] = [];
  for (const main of mains) {
    const directory = await rig.directory();
    writeFileSync(join(directory, 'mail.log'), '');
    starts.push(() => startTime(main, directory));
  }
  const times = mains.map((): number[] => []);
  for (let round = 0; round < rounds; round++)
    for (const [index, start] of starts.entries()) times[index]?.push(await start());
  return times;
}

async function startTime(main: string, directory: string): Promise<number> {
  const log = join(directory, 'mail.log');
  const map = `lmdb:${join(directory, 'map')}`;
  const args = [main, '--watchlog', log, '--map', map, '--mynetworks', 'none'];
  const start = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  let output = '';
  for await (const text of child.stdout.setEncoding('utf8')) {
    output += text;
    if (output.includes('watching')) break;
  }
  const took = performance.now() - start;
  child.kill();
  await exit;
  return took / 1000;
}
