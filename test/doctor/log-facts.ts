/** A log as it should be, for the tests that spoil it. */
import { epoch } from '../../src/base/clock.ts';
import type { LogState } from '../../src/doctor/log-state.ts';
import type { Tail } from '../../src/doctor/log-tail.ts';
import { zoneOf } from '../../src/line/zone.ts';
import { login } from './arrange.ts';

export const NOW = epoch(1_700_000_000);
export const GRACE = 900;
export const HOUR = 3600;

export type ReadLog = Extract<LogState, { kind: 'read' }>;

export const TAIL: Tail = {
  lines: 10,
  logins: [login('10.0.0.1', NOW - 60), login('10.0.0.2', NOW - 30)],
  refusals: [],
  missed: { lines: 0, example: '' },
  strays: [],
  firstStamp: epoch(NOW - 10 * HOUR),
  lastStamp: NOW,
};
export const LOG: ReadLog = {
  kind: 'read',
  name: '/log',
  among: null,
  mounted: false,
  modified: NOW,
  tail: TAIL,
  ahead: null,
  account: null,
};

export const facts = (...logs: LogState[]) => ({
  logs,
  journalLogin: null,
  now: NOW,
  grace: GRACE,
  zone: zoneOf({ value: '+01:00', origin: '' }),
  asDaemon: true,
  stopped: null,
});
