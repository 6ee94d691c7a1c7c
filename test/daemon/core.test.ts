/**
 * What the core takes over from an earlier run, and what it makes of it.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, test } from 'node:test';
import { epoch, type Moment } from '../../src/base/clock.ts';
import { Failure } from '../../src/base/errors.ts';
import { Core } from '../../src/daemon/core.ts';
import { classifierFor } from '../../src/daemon/rules.ts';
import type { DecisionRules } from '../../src/grant/decider.ts';
import type { Decision } from '../../src/grant/decision.ts';
import { Grace } from '../../src/grant/grace.ts';
import { NO_POLICY } from '../../src/grant/policy.ts';
import type { HeldMap } from '../../src/map/held-map.ts';
import type { MapSpec, Row } from '../../src/map/map.ts';
import { MemoryMap } from '../../src/map/memory-map.ts';
import { stampOf } from '../../src/map/row.ts';
import { ip } from '../map/addresses.ts';
import { directory } from '../map/scratch.ts';

const NOON = 1_700_000_000;
const GRACE = 900;
const A = ip('198.51.100.1');
const B = ip('198.51.100.2');

const place = await directory();
let maps = 0;
let spec: MapSpec;
let now: number;
let told: Decision[];
let warnings: string[];

beforeEach(() => {
  maps++;
  spec = { type: 'lmdb', path: join(place, `map${maps}`) };
  now = NOON;
  told = [];
  warnings = [];
});

const row = (key: string, value: string): Row => ({ key, value, stamp: stampOf(value) });

async function rulesOver(exclude = 'none'): Promise<DecisionRules> {
  const networks = {
    mynetworks: { value: 'none', origin: 'the test' },
    postfixConfig: null,
    exclude: { value: exclude, origin: 'the test' },
    wholeAddresses: false,
    refuseOwn: false,
    otherMap: null,
  };
  const classifier = await classifierFor(networks, text => assert.fail(text));
  return { classifier, grace: new Grace(GRACE), policy: NO_POLICY };
}

async function coreOver(map: MemoryMap, exclude?: string): Promise<Core> {
  return new Core({
    rules: await rulesOver(exclude),
    bounds: { maxGrants: 100, sessionLimit: null },
    map,
    clock: { now: (): Moment => ({ wall: epoch(now), steady: epoch(now) }) },
    report: decision => void told.push(decision),
    warn: text => void warnings.push(text),
  });
}

const held = (map: MemoryMap, owner?: HeldMap['owner']): HeldMap => ({
  map,
  ...(owner && { owner }),
  close: async () => undefined,
});

const kinds = (): string[] => told.map(({ kind }) => kind);

/** Restores from the rows, and enforces; what the map holds then. */
async function started(map: MemoryMap, exclude?: string): Promise<string[]> {
  const core = await coreOver(map, exclude);
  await core.restore(held(map));
  await core.enforce();
  return (await map.rows()).map(({ key, value }) => `${key} ${value}`);
}

describe('at a start', () => {
  test('what is due ends, and what is not stays as it is', async () => {
    const map = new MemoryMap(spec, [row(A, `${NOON - GRACE}`), row(B, `${NOON - GRACE + 1}`)]);
    assert.deepEqual(await started(map), [`${B} ${NOON - GRACE + 1}`]);
    assert.deepEqual(kinds(), ['purged']);
  });

  test('a row from the future counts from now, once and for all', async () => {
    const map = new MemoryMap(spec, [row(A, `${NOON + 86_400}`)]);
    for (const later of [0, GRACE - 1]) {
      now = NOON + later;
      assert.deepEqual(await started(map), [`${A} ${NOON}`]);
    }
    now = NOON + GRACE;
    assert.deepEqual(await started(map), []);
  });

  test('an allowance opens and keeps, unless its address is excluded by now', async () => {
    const earlier = await coreOver(new MemoryMap(spec));
    await earlier.pipeline.allow(A, 3600);
    await earlier.saveOrders();
    const map = new MemoryMap(spec, [row(A, `${NOON}`)]);
    now = NOON + GRACE;
    assert.deepEqual(await started(map), [`${A} ${now}`]);
    assert.deepEqual(await started(new MemoryMap(spec)), [`${A} ${now}`]);
    now += GRACE;
    assert.deepEqual(await started(map, A), []);
    assert.deepEqual(await started(new MemoryMap(spec), A), []);
  });

  test('a revocation of a user ends what the roster knows to be his', async () => {
    const earlier = await coreOver(new MemoryMap(spec));
    const login = { session: null, tls: null, time: epoch(NOON), server: 'dovecot' } as const;
    await earlier.pipeline.events([
      { event: 'login', ip: A, user: 'mallory', ...login },
      { event: 'login', ip: B, user: 'anna', ...login },
    ]);
    await earlier.saveRoster();
    earlier.orders.revoke({ kind: 'user', user: 'mallory' }, 60, earlier.clock.now());
    await earlier.saveOrders();
    const map = new MemoryMap(spec, [row(A, `${NOON}`), row(B, `${NOON}`)]);
    assert.deepEqual(await started(map), [`${B} ${NOON}`]);
  });
});

test('another grace period holds for grants, for what is ordered, and for whoever asks', async () => {
  const map = new MemoryMap(spec);
  const core = await coreOver(map);
  await core.restore(held(map));
  const login = { session: null, tls: null, time: epoch(NOON), server: 'dovecot' } as const;
  await core.pipeline.events([{ event: 'login', ip: A, user: 'anna', ...login }]);
  await core.pipeline.allow(B, 3 * GRACE);
  await core.pipeline.setRules({ ...(await rulesOver()), grace: new Grace(4 * GRACE) });
  assert.equal(core.grace.standard, 4 * GRACE);
  now = NOON + 3 * GRACE - 1;
  await core.pipeline.purge();
  assert.deepEqual(
    [core.grants.stampOf(A), core.orders.loginOf(B, core.clock.now())],
    [NOON, now + 1 - 4 * GRACE],
  );
  now = NOON + 4 * GRACE;
  await core.pipeline.purge();
  assert.deepEqual(await map.rows(), []);
});

describe('orders that cannot be read', () => {
  beforeEach(() => writeFile(`${spec.path}.orders`, 'x'));

  test('are an error, since they may refuse somebody', async () => {
    const core = await coreOver(new MemoryMap(spec));
    await assert.rejects(
      core.restore(held(new MemoryMap(spec))),
      error => error instanceof Failure && error.code === 'STATE_UNREADABLE',
    );
  });

  test('keep nothing open for who would rather end too much', async () => {
    const map = new MemoryMap(spec, [row(A, `${NOON - GRACE}`)]);
    const core = await coreOver(map);
    await core.restore(held(map), { tolerant: true });
    await core.enforce();
    assert.deepEqual(await map.rows(), []);
    assert.match(warnings.join(), /^cannot read \S+\.orders: /);
  });
});

test('a roster that cannot be read costs only names', async () => {
  await writeFile(`${spec.path}.roster`, 'x');
  assert.deepEqual(await started(new MemoryMap(spec, [row(A, `${NOON}`)])), [`${A} ${NOON}`]);
  assert.match(warnings.join(), /^cannot read \S+\.roster: /);
});

test('a roster that cannot be noted is told once', async () => {
  await mkdir(`${spec.path}.roster`);
  const core = await coreOver(new MemoryMap(spec));
  for (let count = 0; count < 3; count++) await core.noteRoster();
  assert.equal(warnings.length, 1);
  assert.match(warnings.join(), /\.roster/);
});

test('whose the grants are is known without a stop', async () => {
  const core = await coreOver(new MemoryMap(spec));
  const login = { session: null, tls: true, time: epoch(NOON), server: 'dovecot' } as const;
  await core.noteRoster();
  await core.pipeline.events([
    { event: 'login', ip: A, user: 'anna', ...login },
    { event: 'login', ip: B, user: 'bert', ...login },
  ]);
  await core.noteRoster();
  const map = new MemoryMap(spec, [row(A, `${NOON}`)]);
  const next = await coreOver(map);
  await next.restore(held(map));
  assert.deepEqual([next.roster.of(A), next.roster.of(B)], [core.roster.of(A), null]);
  await next.dropRoster();
  assert.ok(!existsSync(`${spec.path}.roster`));
});

test('orders that are saved already are not saved again', async () => {
  const core = await coreOver(new MemoryMap(spec));
  core.orders.revoke({ kind: 'user', user: 'mallory' }, 60, core.clock.now());
  await core.saveOrders();
  await rm(`${spec.path}.orders`);
  await core.saveOrders();
  assert.ok(!existsSync(`${spec.path}.orders`));
  core.orders.revoke({ kind: 'user', user: 'eve' }, 60, core.clock.now());
  await core.saveOrders();
  assert.ok(existsSync(`${spec.path}.orders`));
});

describe('a map of another program', () => {
  const ROWS = [
    row('10', 'OK'),
    row('192.0.2.7', 'OK'),
    row(A, 'ok'),
    row('198.51.100.3', 'REJECT'),
    row('unknown', 'ok'),
  ];

  test('has its grants end from the first contact on, and only from that on', async () => {
    let contacts = 0;
    const map = new MemoryMap(spec, ROWS);
    const first = await coreOver(map);
    await first.restore(held(map, { isFirst: true, meet: async () => void contacts++ }));
    await first.enforce();
    assert.equal((await map.rows()).find(({ key }) => key === A)?.value, `${NOON}`);
    assert.equal(contacts, 1);
    assert.match(
      warnings.join('\n'),
      /^\S+ was another program's: 1 of its rows .*: 198\.51\.100\.1$/,
    );
    assert.deepEqual(
      first.endlessRows.map(({ key }) => key),
      ['10', '192.0.2.7', 'unknown'],
    );
    now += GRACE;
    await first.pipeline.purge();
    assert.deepEqual(
      (await map.rows()).map(({ key }) => key),
      ['10', '192.0.2.7', '198.51.100.3', 'unknown'],
    );
  });

  test('keeps what is added later', async () => {
    const map = new MemoryMap(spec, ROWS);
    const core = await coreOver(map);
    await core.restore(held(map, { isFirst: false, meet: () => assert.fail() }));
    await core.enforce();
    assert.deepEqual(await map.rows(), ROWS);
    assert.equal(core.endlessRows.length, 4);
  });
});

test('the end of all ends grants and allowances, and neither refusals nor rows of others', async () => {
  const map = new MemoryMap(spec, [row('10', 'OK'), row(B, `${NOON}`)]);
  const core = await coreOver(map);
  await core.restore(held(map));
  await core.pipeline.allow(A, 3600);
  core.orders.revoke({ kind: 'user', user: 'mallory' }, 60, core.clock.now());
  await core.saveOrders();
  await core.endAll();
  const left = new MemoryMap(spec, await map.rows());
  assert.deepEqual(await started(left), ['10 OK']);
  const next = await coreOver(left);
  await next.restore(held(left));
  assert.deepEqual(
    next.orders.list(next.clock.now()).map(({ kind }) => kind),
    ['revoke'],
  );
});
