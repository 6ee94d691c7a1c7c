/**
 * `popbsmtp status --check`: whether the daemon does its work, for a monitoring program, a container or a cluster.
 *
 * Promises: one line and one of the exit statuses 0 to 3 within two seconds, also of a daemon that hangs, of a map that another
 * program locks, and where it cannot tell: of a wrong configuration, an account that it cannot become, a bug.
 * Known limit: a command line that cannot be read is a usage error (64) here as everywhere.  Whether it asks for a check at all is not
 * known then, and whoever writes it sees that at once, while the rest goes wrong later, unseen.
 * Leaves to others: what is well (report/status-check.ts).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, reasonOf } from '../base/errors.ts';
import { quantity } from '../base/quantity.ts';
import { ask } from '../control/client.ts';
import type { Status } from '../control/status.ts';
import { dueRows } from '../daemon/due-rows.ts';
import { type Grace, graceOf } from '../grant/grace.ts';
import type { MapSpec } from '../map/map.ts';
import { formatMapSpec, readRows } from '../map/map-types.ts';
import { becomeOwner } from '../map/privileges.ts';
import { mapsOf } from '../map/spec.ts';
import { withConfig } from '../options/config.ts';
import { settingsOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import { print } from '../report/print.ts';
import {
  type Check,
  checkLine,
  critical,
  isBusy,
  judge,
  LEVELS,
  unknown,
} from '../report/status-check.ts';

/** For an answer, of which there are two at most; with the pause and the start of this program less than two seconds. */
const PATIENCE_MS = 700;
const PAUSE_MS = 200;

/** @returns the exit status */
export async function checkStatus(typed: Values): Promise<number> {
  const { check, status } = await look(typed);
  await print(checkLine(check, status));
  return LEVELS[check.level];
}

interface Look {
  readonly check: Check;
  readonly status: Status | null;
}

async function look(typed: Values): Promise<Look> {
  try {
    const settings = settingsOf(withConfig(typed), 'status');
    const { map } = mapsOf(settings);
    becomeOwner([map]);
    return await lookAt(map, graceOf(settings));
  } catch (error) {
    if (error instanceof Failure) return { check: unknown(error.line), status: null };
    // The line has no room for where it happened.
    process.stderr.write(`popbsmtp: a bug: ${error instanceof Error ? error.stack : error}\n`);
    return { check: unknown(`a bug: ${reasonOf(error)}`), status: null };
  }
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
  ask(map, { command: 'status' }, { patienceMs: PATIENCE_MS });

/** Whoever may not ask knows nothing. */
const ofFailure = ({ code, message, line }: Failure): Check =>
  code === 'CONTROL_DENIED' ? unknown(line) : critical(message);

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
