/**
 * `popbsmtp status --check`: whether the daemon does its work, for a monitoring program, a container or a cluster.
 *
 * Promises: one line and one of the exit statuses 0 to 3 within two seconds, also of a daemon that hangs and of a map that another
 * program locks.
 * Leaves to others: what is well (report/status-check.ts).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../base/errors.ts';
import { quantity } from '../base/quantity.ts';
import { ask } from '../control/client.ts';
import type { Status } from '../control/status.ts';
import { dueRows } from '../daemon/due-rows.ts';
import type { Grace } from '../grant/grace.ts';
import type { MapSpec } from '../map/map.ts';
import { formatMapSpec, readRows } from '../map/map-types.ts';
import { print } from '../report/print.ts';
import { type Check, checkLine, critical, isBusy, judge, LEVELS } from '../report/status-check.ts';

/** For an answer, of which there are two at most; with the pause and the start of this program less than two seconds. */
const PATIENCE_MS = 700;
const PAUSE_MS = 200;

/** @returns the exit status */
export async function checkStatus(map: MapSpec, grace: Grace): Promise<number> {
  const { check, status } = await lookAt(map, grace);
  await print(checkLine(check, status));
  return LEVELS[check.level];
}

interface Look {
  readonly check: Check;
  readonly status: Status | null;
}

async function lookAt(map: MapSpec, grace: Grace): Promise<Look> {
  try {
    const first = await askStatus(map);
    if (first === null) return { check: await withoutDaemon(map, grace), status: null };
    if (!isBusy(first)) return { check: judge(first, first), status: first };
    await sleep(PAUSE_MS);
    const second = await askStatus(map);
    if (second === null) return { check: critical('it has just ended'), status: null };
    return { check: judge(first, second), status: second };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { check: ofFailure(error), status: null };
  }
}

const askStatus = (map: MapSpec): Promise<Status | null> =>
  ask(map, { command: 'status' }, undefined, 'socket', PATIENCE_MS);

/** Whoever may not ask knows nothing. */
const ofFailure = ({ code, message, line }: Failure): Check =>
  code === 'CONTROL_DENIED' ? { level: 'UNKNOWN', text: line } : critical(message);

async function withoutDaemon(map: MapSpec, grace: Grace): Promise<Check> {
  const text = `no popbsmtp is running for ${formatMapSpec(map)}`;
  const due = await Promise.race([dueIn(map, grace), sleep(PATIENCE_MS, null, { ref: false })]);
  // Who waits for a lock would keep this program from its end.
  if (due === null) endAfterPrinting();
  return critical(
    due === null || due === 0 ? text : `${text}, and ${quantity(due, 'row is', 'rows are')} due`,
  );
}

const endAfterPrinting = (): void =>
  void setTimeout(() => process.exit(LEVELS.CRITICAL), PAUSE_MS).unref();

/** Null when it cannot be told. */
async function dueIn(map: MapSpec, grace: Grace): Promise<number | null> {
  try {
    return (await dueRows(map, await readRows(map), grace)).length;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return null;
  }
}
