/**
 * An engine whose clock is wrong, with the real Redis: logins open everywhere all the same, and end in their time.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { FleetHost } from './fleet-host.ts';
import { MovedClock } from './moved-clock.ts';
import { freePort } from './ports.ts';
import { requirePrograms } from './programs.ts';
import { ENGINE_PROGRAMS, Redis } from './redis.ts';
import { Rig } from './rig.ts';

const skip = requirePrograms([...ENGINE_PROGRAMS, 'gcc']);
const HOUR = 3600;

describe('the clock of the engine', { skip }, () => {
  const rig = new Rig();
  after(() => rig.close());

  test('an hour back, right again, an hour forward, and right again', async () => {
    const clock = await MovedClock.make(rig);
    const redis = await Redis.startWith(rig, await freePort(), clock.env);
    const common = { engine: redis.url, more: ['--grace', '90s'] };
    const host = (name: string, role: 'publish' | 'both' | 'subscribe'): Promise<FleetHost> =>
      FleetHost.make(rig, { name, role, ...common });
    const [a, b, s] = [
      await host('a', 'publish'),
      await host('b', 'both'),
      await host('s', 'subscribe'),
    ];
    await Promise.all([a, b, s].map(one => one.startConnected()));
    for (const [at, seconds] of [0, -HOUR, 0, HOUR, 0].entries()) {
      clock.moveBy(seconds);
      const ips = [`10.1.0.${at}`, `10.2.0.${at}`] as const;
      await a.logIn(ips[0]);
      await b.logIn(ips[1]);
      await Promise.all([b, s].map(one => one.has(...ips)));
      if (seconds === 0) continue;
      // Who only publishes asks now and then.
      if (seconds < 0) await a.daemon.waitForText(/clock is 3600 s ahead of that of the engine/);
      // Whoever comes now as well, and whoever comes back.
      const late = await host(`late${at}`, 'subscribe');
      await late.startConnected();
      await late.has(...ips);
      assert.equal(await late.daemon.stop(), 0);
      await s.kill();
      await s.startConnected();
    }
    await Promise.all([a, b, s].map(one => one.hasOnly([])));
    assert.ok(!s.daemon.transcript().includes('look at its clock'), s.daemon.transcript());
  });
});
