/**
 * Who writes the row of a test, and takes it away: the doctor itself, into a map in place, or else the daemon.
 *
 * Promises: a daemon that hangs is found out by a question, which is given up soon (control/client.ts), before it is told anything: an
 * order to one that works may take as long as the map's lock.
 */
import type { IpText } from '../base/address.ts';
import { epoch } from '../base/clock.ts';
import { type ErrorCode, Failure } from '../base/errors.ts';
import { ask } from '../control/client.ts';
import type { LookupMap, MapSpec } from '../map/map.ts';
import { formatMapSpec, isInPlace } from '../map/map-types.ts';
import { isDaemonsAccount } from './account.ts';
import type { Subject } from './check.ts';
import { skipped, type Verdict, warning } from './finding.ts';

/** Seconds. */
const PROBE_LIFE = 120;
/** What another account may be able to do. */
const CLOSED: ReadonlySet<ErrorCode> = new Set([
  'MAP_PERMISSION',
  'MAP_UNREADABLE',
  'MAP_DIRECTORY',
]);

export interface RowWriter {
  /** @returns why it cannot be tried; null when the row is there */
  write(ip: IpText): Promise<Verdict | null>;
  /** @throws what went wrong */
  takeAway(ip: IpText): Promise<void>;
  /** What to do about a row that could not be taken away. */
  remedy(ip: IpText): string;
}

export function inFile(
  map: Pick<LookupMap, 'spec' | 'commit'>,
  { settings, now }: Pick<Subject, 'settings' | 'now'>,
): RowWriter {
  const { spec } = map;
  return {
    async write(ip) {
      const stamp = epoch(Math.min(now(), now() - settings.grace.of(ip) + PROBE_LIFE));
      try {
        await map.commit([{ ip, stamp }]);
        return null;
      } catch (problem) {
        return unwritable(problem, spec);
      }
    },
    async takeAway(ip) {
      await map.commit([{ ip, stamp: null }]);
    },
    remedy: ip =>
      isInPlace(spec)
        ? `postmap -d ${ip} ${formatMapSpec(spec)}`
        : 'run "popbsmtp purge" in two minutes, or start the daemon then: it is due by that time',
  };
}

export function ofDaemon(spec: MapSpec): RowWriter {
  const requireAnswer = (): Promise<unknown> => ask(spec, { command: 'status' });
  return {
    async write(address) {
      try {
        await requireAnswer();
        const request = { command: 'probe', address, seconds: PROBE_LIFE } as const;
        const result = await ask(spec, request);
        if (result?.kind === 'written') return null;
        const why = result === null ? 'nothing listens at its control socket' : result.reason;
        return skipped(`not tried: the daemon did not write the row of a test: ${why}`);
      } catch (problem) {
        if (!(problem instanceof Failure)) throw problem;
        return skipped(`not tried: the daemon did not write the row of a test: ${problem.message}`);
      }
    },
    async takeAway(address) {
      await requireAnswer();
      const request = { command: 'unprobe', address } as const;
      const result = await ask(spec, request);
      if (result?.gone !== true) throw new Error('the daemon could not');
    },
    remedy: () =>
      'the daemon ends it by itself, two minutes after it was written; see what it logs',
  };
}

export function unwritable(problem: unknown, spec: MapSpec): Verdict {
  if (!(problem instanceof Failure)) throw problem;
  return warning(
    `no row could be written to ${formatMapSpec(spec)} to try it: ${problem.message}`,
    isDaemonsAccount(spec) || !CLOSED.has(problem.code)
      ? problem.hint
      : 'run "popbsmtp doctor" as root, or as the account of the daemon',
  );
}
