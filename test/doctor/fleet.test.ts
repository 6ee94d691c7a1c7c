import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failure } from '../../src/base/errors.ts';
import { type FleetFacts, judgeFleet } from '../../src/doctor/fleet.ts';
import { parseEngine } from '../../src/fleet/engine.ts';
import { someFleet } from '../control/status.ts';
import { said } from './arrange.ts';

const HEALTHY: FleetFacts = {
  settings: {
    site: { kind: 'engines', engines: [parseEngine('redis://h', '-')] },
    role: 'both',
    readFrom: 'primary',
    user: null,
    passwordFile: null,
    caFile: null,
    prefix: 'popbsmtp',
    format: 1,
    renewal: 0,
    name: 'mx1',
  },
  engine: { where: 'redis://h:6379/0', offset: 0.5 },
  survey: { engines: [], sentinels: [] },
  daemon: {
    ...someFleet,
    publish: { published: 1, waiting: 0, dropped: 0 },
    subscribe: { received: 1, refused: 0, lag: 0, lastId: null },
  },
};
const daemon = (changes: Partial<NonNullable<FleetFacts['daemon']>>): Partial<FleetFacts> => ({
  daemon: HEALTHY.daemon && { ...HEALTHY.daemon, ...changes },
});
const CAN = 'ok: redis://h:6379/0 can be used (both)';
const IS = 'ok: the daemon is connected';

const TABLE: [what: string, changes: Partial<FleetFacts>, said: (string | RegExp)[]][] = [
  ['all is well', {}, [CAN, IS]],
  ['the daemon cannot be asked', { daemon: null }, [CAN]],
  [
    'the engine cannot be reached',
    { engine: { problem: new Error('connect ECONNREFUSED') }, daemon: null },
    ['error: redis://h:6379/0 cannot be used (both): connect ECONNREFUSED'],
  ],
  [
    'the password cannot be read',
    { engine: { problem: failure('FLEET_FILE', { path: '/p', reason: 'no' }) }, daemon: null },
    ['error: cannot read /p: no'],
  ],
  [
    'the clocks differ',
    { engine: { where: 'redis://h:6379/0', offset: -61 } },
    [CAN, "warning: this host's clock is 61 s ahead of that of the engine", IS],
  ],
  [
    'the daemon is cut off',
    daemon({ connected: false, reason: { code: 'OOM', text: 'OOM command not allowed' } }),
    [CAN, 'error: the daemon is not connected to its fleet: OOM command not allowed'],
  ],
  [
    'it reads from a replica without its primary',
    daemon({
      upstream: { isUp: false, silence: 40 },
      subscribe: { received: 1, refused: 0, lag: 40, lastId: null },
    }),
    [CAN, 'warning: the daemon reads from a replica that has not heard of its primary for 40 s'],
  ],
  [
    'entries were lost',
    daemon({ publish: { published: 1, waiting: 0, dropped: 7 } }),
    [CAN, /^warning: 7 entries of this host were dropped/],
  ],
  [
    'entries were refused, and others come late',
    daemon({ subscribe: { received: 1, refused: 2, lag: 30, lastId: null } }),
    [CAN, /^warning: 2 entries .* refused/, /^warning: .* after 30 s$/],
  ],
];

for (const [what, changes, expected] of TABLE) {
  test(what, () => {
    const found = said(judgeFleet({ ...HEALTHY, ...changes }));
    assert.equal(found.length, expected.length, found.join());
    for (const [index, one] of expected.entries()) {
      if (typeof one === 'string') assert.equal(found[index], one);
      else assert.match(found[index] ?? '', one);
    }
  });
}
