/**
 * A fleet whose engine fails again and again, with real Redis and real sentinels, under load: no login is lost, and none is left open;
 * and the accounts of popbsmtp-fleet(7) for sentinels.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { packageRoot } from '../../src/base/package.ts';
import { makeCertificate } from './certificate.ts';
import { failOver } from './fleet-failovers.ts';
import { FleetHost } from './fleet-host.ts';
import { popbsmtp } from './popbsmtp.ts';
import { requirePrograms } from './programs.ts';
import { ENGINE_PROGRAMS } from './redis.ts';
import { Rig } from './rig.ts';
import { PRIMARY, SentinelSite } from './sentinel.ts';
import { waitFor } from './wait.ts';

const skip = requirePrograms(ENGINE_PROGRAMS);
const skipTls = requirePrograms([...ENGINE_PROGRAMS, 'openssl']);

const PAGE = readFileSync(
  join(packageRoot(), 'src/packaging/manual/pages/popbsmtp-fleet.7.md'),
  'utf8',
);
describe('an engine that is killed again and again, under load', { skip }, () => {
  const rig = new Rig();
  after(() => rig.close());

  // With 1,000 logins a second: `npm run test:faults engine`.
  test('all maps have what the publishers hold, and nothing else', async () => {
    const { logins, ...wrong } = await failOver(rig, { failovers: 5, rate: 400 });
    assert.deepEqual(wrong, { lost: 0, open: 0 }, `of ${logins} logins`);
  });
});

for (const transport of ['in the clear', 'over TLS'] as const) {
  describe(`sentinels with an account of their own, ${transport}`, { skip: skipTls }, () => {
    const rig = new Rig();
    let site: SentinelSite;
    after(() => rig.close());
    before(async () => {
      const lines = PAGE.split('\n').map(line => line.trim());
      const beginning = (...words: readonly string[]): string[] =>
        lines.filter(line => words.some(word => line.startsWith(`${word} `)));
      const engine = beginning('user sentinel', 'user replica', 'masteruser', 'masterauth');
      const sentinel = beginning('user popbsmtp', 'sentinel auth-user', 'sentinel auth-pass');
      assert.deepEqual([engine.length, sentinel.length], [4, 3]);
      const certificate = await makeCertificate(rig, 'engines');
      site = await SentinelSite.start(rig, {
        engines: 2,
        ...(transport === 'over TLS' && { certificate }),
        more: engine.flatMap(line => `--${line}`.split(' ')),
        sentinelLines: sentinel.map(line => line.replace(/(auth-\w+) \w+/, `$1 ${PRIMARY}`)),
      });
    });

    test('are asked as who it is, and a wrong name or password is told', async () => {
      const password = join(await rig.directory(), 'password');
      await writeFile(password, 'wrong\n');
      const account = [
        '--fleet-sentinel-user',
        'popbsmtp',
        '--fleet-sentinel-password-file',
        password,
      ];
      const more = [...site.options, ...account];
      const a = await FleetHost.make(rig, { name: 'a', role: 'both', engine: [], more });
      await a.start();
      await waitFor('the reason', async () => (await a.fleet())?.reason?.code === 'WRONGPASS');
      await writeFile(password, 'PASSWORD\n');
      await a.connected(true);
      assert.equal((await a.fleet())?.engine, (await site.primary()).url);

      const named = [...more, '--fleet-sentinel-name', 'other'];
      const doctor = await popbsmtp('doctor', '--no-smtp', '--map', a.map, ...named);
      assert.match(doctor.stdout, /knows no primary of the name other/);
      const all = await popbsmtp('doctor', '--no-smtp', '--map', a.map, ...more);
      assert.match(all.stdout, /^ok +fleet +rediss?:.* can be used \(both\)$/m);
      assert.match(all.stdout, /also takes entries while it is cut off from its replicas/);

      const former = await site.primary();
      await former.kill();
      const next = await site.primaryAfter(former);
      await waitFor('the new primary', async () => (await a.fleet())?.engine === next.url);
      await a.connected(true);
    });

    if (transport === 'in the clear') return;

    test('have to prove who they are', async () => {
      const [first = ''] = site.ports;
      const more = [
        '--fleet-sentinels',
        `rediss://127.0.0.1:${first}`,
        '--fleet-sentinel-name',
        PRIMARY,
      ];
      const c = await FleetHost.make(rig, { name: 'c', role: 'both', engine: [], more });
      await c.start();
      await waitFor('the reason', () =>
        /no connection to .*self-signed certificate/.test(c.daemon.transcript()),
      );
    });
  });
}
