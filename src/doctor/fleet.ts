/**
 * Whether this host can do its part in its fleet, and whether its daemon does.
 *
 * Promises: nothing is published, and nothing taken: the engine is asked in ways that change nothing.
 */
import { epoch } from '../base/clock.ts';
import { Failure, reasonOf } from '../base/errors.ts';
import { connectTo } from '../fleet/connection.ts';
import { type FleetSettings, formatEngine, publishes, subscribes } from '../fleet/engine.ts';
import type { FleetStatus } from '../fleet/fleet.ts';
import { beginning } from '../fleet/position.ts';
import { TOLERATED_SKEW } from '../fleet/skew.ts';
import { check } from './check.ts';
import { error, failed, ok, type Verdict, warning } from './finding.ts';

export interface FleetFacts {
  readonly settings: FleetSettings;
  /** Seconds by which the engine's clock is ahead, or why it cannot be used. */
  readonly engine: { readonly offset: number } | { readonly problem: unknown };
  /** What the daemon says; null when it cannot be asked, or is not in this fleet. */
  readonly daemon: FleetStatus | null;
}

export const fleetCheck = check(
  'fleet',
  async ({ settings: { fleet }, daemon, ended }): Promise<FleetFacts | null> => {
    if (fleet === null) return null;
    const engine = await tryEngine(fleet, ended);
    const { answer } = await daemon();
    const status = answer.kind === 'status' ? answer.status.fleet : null;
    return { settings: fleet, engine, daemon: status };
  },
  facts => (facts === null ? [] : judgeFleet(facts)),
);

async function tryEngine(
  settings: FleetSettings,
  ended: AbortSignal,
): Promise<FleetFacts['engine']> {
  try {
    const connection = await connectTo(settings, ended);
    try {
      const asked = Date.now() / 1000;
      const time = await connection.time();
      if (publishes(settings)) await connection.tryAppend();
      if (subscribes(settings)) await connection.read(beginning(time, 0), 1, 0);
      return { offset: time - epoch(asked) };
    } finally {
      connection.close();
    }
  } catch (problem) {
    return { problem };
  }
}

export function judgeFleet({ settings, engine, daemon }: FleetFacts): Verdict[] {
  return [
    engineVerdict(settings, engine),
    ...('offset' in engine ? clockVerdict(engine.offset) : []),
    ...(daemon === null ? [] : daemonVerdicts(daemon)),
  ];
}

function engineVerdict(settings: FleetSettings, engine: FleetFacts['engine']): Verdict {
  const where = formatEngine(settings.engine);
  if ('offset' in engine) return ok(`${where} can be used (${settings.role})`);
  const { problem } = engine;
  if (problem instanceof Failure) return failed(problem);
  return error(
    `${where} cannot be used (${settings.role}): ${reasonOf(problem)}`,
    'start it, or fix fleet, fleet-user and fleet-password-file, and what the account may do: popbsmtp-fleet(7)',
  );
}

function clockVerdict(offset: number): Verdict[] {
  if (Math.abs(offset) <= TOLERATED_SKEW) return [];
  const seconds = Math.round(Math.abs(offset));
  return [
    warning(
      `this host's clock is ${seconds} s ${offset > 0 ? 'behind' : 'ahead of'} that of the engine`,
      'set the clocks of all hosts of the fleet, and keep them with NTP',
    ),
  ];
}

/** Seconds for which what others publish may lie there, without being worth a word. */
const LAG = 5;

function daemonVerdicts({ connected, publish, subscribe }: FleetStatus): Verdict[] {
  const verdicts: Verdict[] = [];
  if (!connected) {
    verdicts.push(
      error(
        'the daemon is not connected to its fleet',
        'it tries again every few seconds; its log says why it cannot',
      ),
    );
  }
  if (publish !== null && publish.dropped > 0) {
    verdicts.push(
      warning(
        `${publish.dropped} entries of this host were dropped for want of room`,
        'look why the engine could not take them; all grants are told again when it does',
      ),
    );
  }
  if (subscribe !== null && subscribe.refused > 0) {
    verdicts.push(
      warning(
        `${subscribe.refused} entries of the streams were refused`,
        "the daemon's log names the latest: let nobody but popbsmtp of this version publish there",
      ),
    );
  }
  if (subscribe !== null && subscribe.lag > LAG) {
    verdicts.push(
      warning(
        `what others publish is dealt with after ${Math.round(subscribe.lag)} s`,
        'after a start this passes; else this host, or the engine, is too slow for the fleet: popbsmtp-fleet(7)',
      ),
    );
  }
  return verdicts.length === 0 ? [ok('the daemon is connected')] : verdicts;
}
