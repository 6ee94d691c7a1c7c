/**
 * From the start of the daemon until it follows its log.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MAIN } from '../real/popbsmtp.ts';
import type { Rig } from '../real/rig.ts';

/** Seconds for each of so many starts with the same log and map. */
export async function startTimes(rig: Rig, rounds: number): Promise<number[]> {
  const directory = await rig.directory();
  const log = join(directory, 'mail.log');
  writeFileSync(log, '');
  const map = `lmdb:${join(directory, 'map')}`;
  const args = [MAIN, '--watchlog', log, '--map', map, '--mynetworks', 'none'];
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const exit = once(child, 'exit');
    let output = '';
    for await (const text of child.stdout.setEncoding('utf8')) {
      output += text;
      if (output.includes('watching')) break;
    }
    times.push((performance.now() - start) / 1000);
    child.kill();
    await exit;
  }
  return times;
}
