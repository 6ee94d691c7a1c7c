import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { failure } from '../../src/base/errors.ts';
import type { Change, Effect } from '../../src/grant/change.ts';
import type { Grant } from '../../src/grant/grant-table.ts';
import type { LookupMap, MapSpec, Row } from '../../src/map/map.ts';
import { MemoryMap } from '../../src/map/memory-map.ts';
import { Mirror } from '../../src/map/mirror.ts';
import { MirroredMap } from '../../src/map/mirrored-map.ts';
import { waitFor } from '../real/wait.ts';
import { addresses, ip } from './addresses.ts';

const SPEC: MapSpec = { type: 'lmdb', path: '/map' };
const OLD: Row = { key: '10.9.9.9', value: '5', stamp: epoch(5) };
const FOREIGN: Row = { key: '10.9.9.8', value: 'OK', stamp: null };

const put = (address: string, stamp = 1): Change => ({ ip: ip(address), stamp: epoch(stamp) });

/** A map that can be told to fail, or to wait. */
class Second implements LookupMap {
  readonly spec = SPEC;
  readonly identity = 'second';
  readonly memory: MemoryMap;
  readonly commits: (readonly Change[])[] = [];
  trouble: 'none' | 'full' | 'replaced' = 'none';
  gate: Promise<unknown> = Promise.resolve();
  closed = false;

  constructor(rows: readonly Row[]) {
    this.memory = new MemoryMap(SPEC, rows);
  }

  rows(): Promise<Row[]> {
    return this.memory.rows();
  }

  eachGrant(take: (grant: Grant) => void): Promise<void> {
    return this.memory.eachGrant(take);
  }

  remove(rows: readonly Row[]): Promise<Effect[]> {
    return this.memory.remove(rows);
  }

  async commit(changes: readonly Change[]): Promise<Effect[]> {
    this.commits.push(changes);
    await this.gate;
    if (this.trouble === 'full') throw failure('MAP_IO', { path: '/map', reason: 'full' });
    return this.memory.commit(changes);
  }

  check(): void {
    if (this.trouble === 'replaced') {
      this.trouble = 'none';
      throw failure('MAP_REPLACED', { path: '/map', how: 'replaced' });
    }
  }

  async reopen(): Promise<Row[]> {
    return this.rows();
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

interface Pair {
  readonly map: MirroredMap;
  readonly second: Second;
  readonly mirror: Mirror;
  readonly said: string[];
  /** Waits until both hold the same grants. */
  equal(): Promise<void>;
}

function pair(rows: readonly Row[] = [], opening: () => void = () => undefined): Pair {
  const first = new MemoryMap(SPEC);
  const second = new Second(rows);
  const said: string[] = [];
  const mirror = new Mirror({
    name: 'hash:/map',
    open: async () => {
      opening();
      return { map: second, close: () => second.close() };
    },
    rows: () => first.rows(),
    warn: text => said.push(text),
    retryMs: 5,
  });
  const grants = async (of: { rows(): Promise<Row[]> }): Promise<Row[]> =>
    (await of.rows()).filter(({ stamp }) => stamp !== null);
  const equal = async (): Promise<void> => {
    const texts = async (): Promise<string[]> =>
      (await Promise.all([grants(first), grants(second)])).map(list => JSON.stringify(list));
    const isEqual = async (): Promise<boolean> => new Set(await texts()).size === 1;
    await waitFor('equal maps', isEqual, { seen: async () => (await texts()).join(' and ') });
  };
  return { map: new MirroredMap(first, [mirror]), second, mirror, said, equal };
}

const until = async (what: () => boolean): Promise<void> => {
  await waitFor(String(what), what);
};

describe('a mirror', () => {
  test("is made equal at the start; rows of the administrator's stay", async () => {
    const { map, second, mirror, equal, said } = pair([OLD, FOREIGN]);
    await map.commit([put('10.0.0.1')]);
    await equal();
    assert.deepEqual(
      (await second.rows()).map(({ key }) => key),
      ['10.0.0.1', FOREIGN.key],
    );
    await mirror.close();
    assert.equal(second.closed, true);
    assert.deepEqual(said, []);
  });

  test('gets what came while it was busy as one commit, and the first does not wait', async () => {
    const { map, second, mirror, equal } = pair();
    await until(() => second.commits.length === 1);
    let open = (): void => undefined;
    second.gate = new Promise<void>(resolve => {
      open = resolve;
    });
    await map.commit([put('10.0.0.1')]);
    await until(() => second.commits.length === 2);
    for (const address of addresses('10.1', 20)) await map.commit([put(address)]);
    await map.commit([{ ip: ip('10.0.0.1'), stamp: null }]);
    assert.equal((await map.rows()).length, 20);
    open();
    await equal();
    assert.equal(second.commits.length, 3);
    await mirror.close();
  });

  test('that fails does not disturb the first, and catches up; both is said once', async () => {
    const { map, second, mirror, equal, said } = pair([OLD]);
    await equal();
    second.trouble = 'full';
    await map.commit([put('10.0.0.1')]);
    const commits = second.commits.length;
    await until(() => second.commits.length > commits + 2);
    assert.deepEqual(await map.commit([put('10.0.0.2'), put('10.0.0.1', 2)]), ['added', 'renewed']);
    second.trouble = 'none';
    await equal();
    await until(() => said.length === 2);
    assert.match(said[0] ?? '', /^hash:\/map does not follow .* full; /);
    assert.match(said[1] ?? '', /^hash:\/map is equal to the first map again$/);
    await mirror.close();
  });

  test('that cannot be opened is opened later', async () => {
    let tries = 0;
    const { map, mirror, equal, said } = pair([OLD], () => {
      tries++;
      if (tries < 3) throw failure('MAP_OWNED', { path: '/map', pid: 7 });
    });
    await map.commit([put('10.0.0.1')]);
    await equal();
    await until(() => said.length === 2);
    assert.equal(tries, 3);
    await mirror.close();
  });

  test('that was replaced by an old copy is made equal', async () => {
    const { map, second, mirror, equal } = pair();
    await map.commit([put('10.0.0.1')]);
    await equal();
    await until(() => second.commits.length > 0);
    await second.memory.commit([put('10.9.9.9', 5)]);
    second.trouble = 'replaced';
    await until(() => {
      map.check();
      return second.trouble === 'none';
    });
    await equal();
    await mirror.close();
  });
});
