/**
 * Runs a command and tells how long it took and how much memory it had.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

export interface Run {
  readonly seconds: number;
  /** The most resident memory that was seen, in MiB; sampled, so a short peak may be missed. */
  readonly peakMiB: number;
}

export interface Command {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** grep stops at the first match when it sees /dev/null. */
  readonly toPipe?: boolean;
}

const SAMPLE_MS = 20;

async function peakOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const [, kilobytes = '0'] = /^VmHWM:\s+(\d+) kB/m.exec(status) ?? [];
  return Number(kilobytes) / 1024;
}

/** @throws Error when the command fails */
export async function timed({ program, args, env = {}, toPipe = false }: Command): Promise<Run> {
  const nowhere = openSync('/dev/null', 'w');
  const start = performance.now();
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', toPipe ? 'pipe' : nowhere, nowhere],
  });
  child.stdout?.resume();
  let peakMiB = 0;
  const sampler = setInterval(() => {
    if (child.pid === undefined) return;
    void peakOf(child.pid).then(peak => {
      peakMiB = Math.max(peakMiB, peak);
    });
  }, SAMPLE_MS);
  const [status]: unknown[] = await once(child, 'exit');
  const seconds = (performance.now() - start) / 1000;
  clearInterval(sampler);
  closeSync(nowhere);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${status}`);
  return { seconds, peakMiB };
}

export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}

export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Runs all commands so many times, by turns, so that a mood of the machine meets all of them alike. */
export async function interleaved(
  commands: readonly Command[],
  rounds: number,
): Promise<Map<string, Run>> {
  const runs = new Map<string, Run[]>();
  for (let round = 0; round < rounds; round++) {
    for (const command of commands) {
      runs.set(command.name, [...(runs.get(command.name) ?? []), await timed(command)]);
    }
  }
  return new Map(
    [...runs].map(([name, all]) => [
      name,
      {
        seconds: median(all.map(({ seconds }) => seconds)),
        peakMiB: Math.max(...all.map(({ peakMiB }) => peakMiB)),
      },
    ]),
  );
}
