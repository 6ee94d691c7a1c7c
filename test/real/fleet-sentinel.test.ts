/**
 * A fleet whose engine fails again and again, with real Redis and real sentinels, under load: no login is lost, and none is left open;
 * and the accounts of popbsmtp-fleet(7) for sentinels.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { packageRoot } from '../../src/base/package.ts';
import { FleetHost } from './fleet-host.ts';
import { popbsmtp } from './popbsmtp.ts';
import { requirePrograms } from './programs.ts';
import { ENGINE_PROGRAMS } from './redis.ts';
import { Rig } from './rig.ts';
import { PRIMARY, SentinelSite } from './sentinel.ts';
import { waitFor } from './wait.ts';

const skip = requirePrograms(ENGINE_PROGRAMS);

const PAGE = readFileSync(
  join(packageRoot(), 'src/packaging/manual/pages/popbsmtp-fleet.7.md'),
  'utf8',
);
const FAILOVERS = 5;
/** Of 127.0.0.0/8, each once. */
const address = (number: number): string =>
  `127.${1 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;

/** New addresses log in until it is ended. */
class Load {
  readonly #host: FleetHost;
  readonly #from: number;
  #count = 0;
  #isEnding = false;
  readonly #running: Promise<void>;

  constructor(host: FleetHost, from: number) {
    this.#host = host;
    this.#from = from;
    this.#running = this.#run();
  }

  /** @returns all that have logged in */
  async end(): Promise<string[]> {
    this.#isEnding = true;
    await this.#running;
    return Array.from({ length: this.#count }, (_, index) => address(this.#from + index));
  }

  async #run(): Promise<void> {
    while (!this.#isEnding) {
      const batch = Array.from({ length: 10 }, (_, index) =>
        address(this.#from + this.#count + index),
      );
      await this.#host.logIn(...batch);
      this.#count += batch.length;
      await sleep(40);
    }
  }
}

describe('an engine that is killed again and again, under load', { skip }, () => {
  const rig = new Rig();
  after(() => rig.close());

  test('all maps are the same at the end, and have what the publishers hold', async () => {
    const site = await SentinelSite.start(rig, { engines: 3 });
    const host = (name: string, role: 'publish' | 'both' | 'subscribe', ...more: string[]) =>
      FleetHost.make(rig, {
        name,
        role,
        engine: [],
        more: [...site.options, '--grace', '2h', '--max-grants', '1000000', ...more],
      });
    const hosts = [
      await host('a', 'publish'),
      await host('b', 'both'),
      await host('s', 'subscribe'),
      await host('r', 'subscribe', '--fleet-read', 'replica'),
    ] as const;
    const [a, b, s, r] = hosts;
    await Promise.all(hosts.map(one => one.startConnected()));
    const loads = [new Load(a, 0), new Load(b, 4_000_000)];
    for (let count = 0; count < FAILOVERS; count++) {
      const former = await site.primary();
      await former.kill();
      const next = await site.primaryAfter(former);
      for (const one of [a, b]) {
        await waitFor('the new primary', async () => {
          const fleet = await one.fleet();
          return fleet?.connected === true && fleet.engine === next.url;
        });
      }
      await former.again();
      await site.settled();
    }
    const logged = (await Promise.all(loads.map(one => one.end()))).flat();
    assert.ok(logged.length > 1000, String(logged.length));
    await Promise.all([a, b].map(one => one.published()));
    for (const one of [b, s, r]) {
      const missing = async (): Promise<string[]> => {
        const there = new Set(await one.grants());
        return logged.filter(ip => !there.has(ip));
      };
      await waitFor('all logins', async () => (await missing()).length === 0, {
        seen: async () => (await missing()).slice(0, 20).join(' '),
      });
      assert.equal((await one.grants()).length, logged.length, 'nothing else is open');
    }
    const revoked = logged[0] ?? '';
    await popbsmtp('revoke', '--map', b.map, revoked);
    await Promise.all([b, s, r].map(one => one.hasNot(revoked)));
  });
});

describe('sentinels with an account of their own', { skip }, () => {
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
    site = await SentinelSite.start(rig, {
      engines: 2,
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
    assert.match(all.stdout, /^ok +fleet +redis:.* can be used \(both\)$/m);
    assert.match(all.stdout, /also takes entries while it is cut off from its replicas/);
  });
});
