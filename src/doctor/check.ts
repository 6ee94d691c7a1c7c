/**
 * A check: one question about this installation, gathered and judged apart.
 *
 * Gathering touches files, programs and sockets and hands over facts; judging is a function of the facts, so that
 * every fault can be tested without having it.
 */
import type { EpochSeconds } from '../base/clock.ts';
import type { Rehearsal } from '../daemon/rehearsal.ts';
import type { RunSettings } from '../daemon/settings.ts';
import type { DaemonState } from './daemon-state.ts';
import type { CheckName, Verdict } from './finding.ts';
import type { LogStates } from './log-state.ts';
import type { MapState } from './map-state.ts';
import type { OtherMtaState, Reader } from './other-mta-state.ts';
import type { PostfixAnswer } from './postfix-state.ts';
import type { ServiceState } from './service-state.ts';
import type { Endpoint } from './smtp-session.ts';

/** What is examined; what several checks need is gathered once. */
export interface Subject {
  readonly settings: RunSettings;
  now(): EpochSeconds;
  daemon(): Promise<DaemonState>;
  logs(): Promise<LogStates>;
  /** What the daemon would decide of the logins in the logs. */
  rehearsal(): Promise<Rehearsal>;
  map(): Promise<MapState>;
  service(): Promise<ServiceState>;
  postfix(): Promise<PostfixAnswer>;
  /** The SMTP server that reads the map where it is not Postfix; null where there is none. */
  otherMta(): Promise<OtherMtaState | null>;
  /** Of the maps behind the first one that Postfix cannot read. */
  otherReaders(): Promise<readonly Reader[]>;
  /** Where the relay test is made; `find` for what master.cf says, null for nowhere. */
  readonly smtp: Endpoint | 'find' | null;
  /** Aborted when the user wants to end; a probe row is taken away first. */
  readonly ended: AbortSignal;
}

export interface Check {
  readonly name: CheckName;
  run(subject: Subject): Promise<readonly Verdict[]>;
}

export function check<Facts>(
  name: CheckName,
  gather: (subject: Subject) => Facts | Promise<Facts>,
  judge: (facts: Facts) => readonly Verdict[],
): Check {
  return { name, run: async subject => judge(await gather(subject)) };
}
