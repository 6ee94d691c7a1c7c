/** What the doctor makes of systemd's answers. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { judgeService, NETWORK_PATHS } from '../../src/doctor/service.ts';
import { said } from './arrange.ts';

const UNIT_FILE = join(import.meta.dirname, '../../../init/popbsmtp.service');

describe('the service', () => {
  const TIMER = { LoadState: 'loaded', ActiveState: 'active', UnitFileState: 'enabled' };
  const UPTIME = 5000;
  const judge = (
    properties: Readonly<Record<string, string>>,
    timer: Readonly<Record<string, string>> = {},
  ): string =>
    said(
      judgeService({
        service: new Map(Object.entries(properties)),
        timer: new Map(Object.entries({ ...TIMER, ...timer })),
        stopped: null,
        uptime: UPTIME,
      }),
    ).join();
  const RUNNING = {
    LoadState: 'loaded',
    ActiveState: 'active',
    SubState: 'running',
    UnitFileState: 'enabled',
    Result: 'success',
    NRestarts: '0',
    WatchdogUSec: '30s',
    WatchdogTimestampMonotonic: `${(UPTIME - 10) * 1_000_000}`,
  };
  const table: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
    ['running', {}, /^ok: popbsmtp\.service is active, watchdog 30s$/],
    ['without a watchdog', { WatchdogUSec: '0' }, /is active$/],
    ['not installed', { LoadState: 'not-found', ActiveState: 'inactive' }, /^$/],
    [
      'failed',
      { ActiveState: 'failed', SubState: 'failed', Result: 'watchdog' },
      /^error: .*failed \(failed, watchdog\)/,
    ],
    ['stopped', { ActiveState: 'inactive', SubState: 'dead' }, /^error: .*inactive \(dead\)/],
    ['not in use', { ActiveState: 'inactive', UnitFileState: 'disabled' }, /^$/],
    ['started again and again', { NRestarts: '7' }, /^warning: .* 7 times/],
    ['not enabled', { UnitFileState: 'disabled' }, /^warning: .*next boot/],
    [
      'without sight of the machine',
      { PrivateNetwork: 'yes', BindReadOnlyPaths: '' },
      /^warning: .* does not see this machine's, whose own addresses/,
    ],
    [
      'with sight of the machine',
      {
        PrivateNetwork: 'yes',
        BindReadOnlyPaths: '-/proc/1/net/route:/run/popbsmtp-net/route:norbind',
      },
      /^ok: /,
    ],
    [
      'that has not told the watchdog',
      { WatchdogUSec: '1min', WatchdogTimestampMonotonic: `${(UPTIME - 61) * 1_000_000}` },
      /^error: .* has not told the watchdog for 61 seconds/,
    ],
    ["in the machine's network", { PrivateNetwork: 'no', BindReadOnlyPaths: '' }, /^ok: /],
  ];
  for (const [name, properties, expected] of table) {
    test(name, () => assert.match(judge({ ...RUNNING, ...properties }), expected));
  }
  test('what shows it the network is what the unit has', async () => {
    const unit = await readFile(UNIT_FILE, 'utf8');
    const paths = Array.from(unit.matchAll(/^BindReadOnlyPaths=(.*)$/gm), ([, each]) => each);
    assert.equal(NETWORK_PATHS, paths.join(' '));
  });

  const timers: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
    [
      'is stopped',
      { ActiveState: 'inactive' },
      /^warning: popbsmtp-purge\.timer is inactive: nothing ends grants/,
    ],
    ['is not enabled', { UnitFileState: 'disabled' }, /^warning: .* after the next boot/],
    ['is not installed', { LoadState: 'not-found' }, /^warning: .* is not installed/],
  ];
  for (const [name, timer, expected] of timers)
    test(`whose timer ${name}`, () => {
      assert.match(judge(RUNNING, timer), expected);
      const unused = { ...RUNNING, ActiveState: 'inactive', UnitFileState: 'disabled' };
      assert.equal(judge(unused, timer), '', 'whoever does not use the unit is not told');
    });

  test('that cannot be asked for is no service that is well', () =>
    assert.match(said(judgeService({ unasked: 'no bus' })).join(), /^skipped: .*: no bus$/));

  test('without systemd', () => assert.deepEqual(judgeService(null), []));
});
