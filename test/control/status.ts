/** The state of a daemon as tests want it. */

import { COMMIT_BOUNDS, noTotals } from '../../src/control/counters.ts';
import { MINUTES } from '../../src/control/minutes.ts';
import type { Status } from '../../src/control/status.ts';
import type { FleetStatus } from '../../src/fleet/fleet.ts';

export const someStatus = (changes: Partial<Status> = {}): Status => ({
  version: '1.2.3',
  pid: 4711,
  since: '2026-11-25T00:00:00.000Z',
  uptime: 7500,
  map: 'lmdb:/var/popbsmtp/pop-before-smtp',
  grace: 900,
  sources: [
    {
      name: '/var/log/mail.log',
      lines: 12_345,
      lastLine: '2026-11-25T02:04:57.000Z',
      position: 1_234_567,
      lag: 12,
    },
    { name: 'journal', lines: 0, lastLine: null, position: null, lag: null },
  ],
  lines: 12_345,
  logins: { dovecot: 100, courier: 20 },
  lastLogin: '2026-11-25T02:04:50.500Z',
  loginsByMinute: Array.from({ length: MINUTES }, (_, index) => (index === 59 ? 8 : index % 2)),
  grantsByMinute: Array.from({ length: MINUTES }, (_, index) => index),
  ...noTotals(),
  grants: 42,
  sessions: 3,
  granted: 50,
  refreshed: 61,
  relayed: { dovecot: 12 },
  relayedRecipients: { dovecot: 15 },
  ignored: { 'in mynetworks': 8, revoked: 1 },
  logouts: 7,
  purged: 6,
  kept: 5,
  evicted: 4,
  withdrawn: 2,
  limitsExceeded: 3,
  historyErrors: 1,
  allowed: 2,
  revoked: 1,
  commits: {
    count: 10,
    errors: 1,
    rows: 20,
    seconds: 0.005,
    buckets: COMMIT_BOUNDS.map((_, index) => (index < 3 ? 3 : 0)),
  },
  settled: true,
  trouble: null,
  overdue: 0,
  fleet: null,
  lastProblem: null,
  recentProblems: [],
  ...changes,
});

/** Of a host that does everything in its fleet. */
export const someFleet: FleetStatus = {
  engine: 'redis://redis.example.org:6379/0',
  readsFrom: null,
  name: 'mx1',
  role: 'both',
  connected: true,
  reason: null,
  upstream: null,
  memory: { used: 1_000_000, most: null, policy: 'noeviction' },
  clockOffset: 0.25,
  publish: { published: 1234, waiting: 5, dropped: 6 },
  subscribe: { received: 7890, refused: 2, lag: 1.5, lastId: '1700000000000-1' },
};
