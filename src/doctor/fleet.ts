/**
 * Whether this host can do its part in its fleet, and whether its daemon does.
 *
 * Promises: nothing is published, and nothing taken: the engine is asked in ways that change nothing.
 */
import { epoch } from '../base/clock.ts';
import { Failure, reasonOf } from '../base/errors.ts';
import { type FleetSettings, formatSite, publishes, subscribes } from '../fleet/engine.ts';
import type { FleetStatus } from '../fleet/fleet.ts';
import { isStale } from '../fleet/info.ts';
import { beginning } from '../fleet/position.ts';
import { connectTo, type Purpose } from '../fleet/search.ts';
import { TOLERATED_SKEW } from '../fleet/skew.ts';
import { type Survey, surveyOf } from '../fleet/survey.ts';
import { check } from './check.ts';
import { error, failed, ok, type Verdict, warning } from './finding.ts';
import { judgeSite } from './fleet-site.ts';

export interface FleetFacts {
  readonly settings: FleetSettings;
  /** The engines that are used, and the seconds by which the clock of the last is ahead; or why none can be. */
  readonly engine:
    | { readonly offset: number; readonly where: string }
    | { readonly problem: unknown };
  /** What each engine and each sentinel says. */
  readonly survey: Survey;
  /** What the daemon says; null when it cannot be asked, or is not in this fleet. */
  readonly daemon: FleetStatus | null;
}

export const fleetCheck = check(
  'fleet',
  async ({ settings: { fleet }, daemon, ended }): Promise<FleetFacts | null> => {
    if (fleet === null) return null;
    const [engine, survey] = await Promise.all([tryEngine(fleet, ended), surveyOf(fleet, ended)]);
    const { answer } = await daemon();
    const status = answer.kind === 'status' ? answer.status.fleet : null;
    return { settings: fleet, engine, survey, daemon: status };
  },
  facts => (facts === null ? [] : judgeFleet(facts)),
);

async function tryEngine(
  settings: FleetSettings,
  ended: AbortSignal,
): Promise<FleetFacts['engine']> {
  try {
    const used: Awaited<ReturnType<typeof tryPurpose>>[] = [];
    if (publishes(settings)) used.push(await tryPurpose(settings, 'publish', ended));
    if (subscribes(settings)) used.push(await tryPurpose(settings, settings.readFrom, ended));
    const where = [...new Set(used.map(one => one.where))].join(', ');
    return { where, offset: used.at(-1)?.offset ?? 0 };
  } catch (problem) {
    return { problem };
  }
}

async function tryPurpose(settings: FleetSettings, purpose: Purpose, ended: AbortSignal) {
  const connection = await connectTo(settings, purpose, () => undefined, ended);
  try {
    const asked = Date.now() / 1000;
    const time = await connection.time();
    if (purpose === 'publish') await connection.tryAppend();
    else await connection.read(beginning(time, 0), 1, 0);
    return { where: connection.where, offset: time - epoch(asked) };
  } finally {
    connection.close();
  }
}

export function judgeFleet({ settings, engine, survey, daemon }: FleetFacts): Verdict[] {
  return [
    engineVerdict(settings, engine),
    ...judgeSite(survey),
    ...('offset' in engine ? clockVerdict(engine.offset) : []),
    ...(daemon === null ? [] : daemonVerdicts(daemon)),
  ];
}

function engineVerdict(settings: FleetSettings, engine: FleetFacts['engine']): Verdict {
  if ('offset' in engine) return ok(`${engine.where} can be used (${settings.role})`);
  const { problem } = engine;
  if (problem instanceof Failure) return failed(problem);
  return error(
    `${formatSite(settings.site)} cannot be used (${settings.role}): ${reasonOf(problem)}`,
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

function daemonVerdicts({
  connected,
  reason,
  upstream,
  publish,
  subscribe,
}: FleetStatus): Verdict[] {
  const verdicts: Verdict[] = [];
  if (!connected) {
    verdicts.push(
      error(
        `the daemon is not connected to its fleet${reason ? `: ${reason.text}` : ''}`,
        'it tries again every few seconds',
      ),
    );
  }
  if (isStale(upstream ?? null)) {
    verdicts.push(
      warning(
        `the daemon reads from a replica that has not heard of its primary for ${upstream?.silence ?? 0} s`,
        'name another engine, or the sentinels: it goes there by itself',
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
  // A daemon of an earlier version says nothing of it.
  if (subscribe !== null && subscribe.lag > LAG && !isStale(upstream ?? null)) {
    verdicts.push(
      warning(
        `what others publish is dealt with after ${Math.round(subscribe.lag)} s`,
        'after a start this passes; else this host, or the engine, is too slow for the fleet: popbsmtp-fleet(7)',
      ),
    );
  }
  return verdicts.length === 0 ? [ok('the daemon is connected')] : verdicts;
}
