import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import type { Decision } from '../../src/grant/decision.ts';
import type { MapSpec } from '../../src/map/map.ts';
import { withShownUser } from '../../src/report/decisions.ts';
import { shownUsers } from '../../src/report/user-names.ts';
import { assertRejects } from '../failure.ts';
import { ip } from '../map/addresses.ts';
import { Rig } from '../real/rig.ts';

const rig = new Rig();
let directory = '';
let count = 0;

before(async () => {
  directory = await rig.directory();
});
after(() => rig.close());

const newMap = (): MapSpec => ({ type: 'lmdb', path: join(directory, `map-${++count}`) });
const hashed = (map: MapSpec, nowrite = false) => shownUsers({ logUsers: 'hashed', map, nowrite });

test('plain names stay as they are, and none are none; neither makes a key', async () => {
  const map = newMap();
  const plain = await shownUsers({ logUsers: 'plain', map, nowrite: false });
  const none = await shownUsers({ logUsers: 'none', map, nowrite: false });
  assert.deepEqual(
    [plain('anna'), plain(null), none('anna'), none(null)],
    ['anna', null, null, null],
  );
  assert.deepEqual(await readdir(directory), []);
});

test('a hash is the same for the same name, today and tomorrow, on this map only', async () => {
  const map = newMap();
  const today = await hashed(map);
  const tomorrow = await hashed(map);
  const elsewhere = await hashed(newMap());
  assert.match(today('anna') ?? '', /^[0-9a-f]{16}$/);
  assert.equal(today('anna'), tomorrow('anna'));
  assert.notEqual(today('anna'), today('Anna'));
  assert.notEqual(today('anna'), elsewhere('anna'));
  assert.equal(today(null), null);
});

test('the key is for its owner only, and nothing else is left behind', async () => {
  const map = newMap();
  await Promise.all([hashed(map), hashed(map), hashed(map)]);
  const file = `${map.path}.user-key`;
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.match(await readFile(file, 'utf8'), /^[0-9a-f]{64}\n$/);
  const left = (await readdir(directory)).filter(name => /user-key./.test(name));
  assert.deepEqual(left, []);
});

test('two that start at once have the same key', async () => {
  const map = newMap();
  const [one, other] = await Promise.all([hashed(map), hashed(map)]);
  assert.equal(one('anna'), other('anna'));
});

test('a dry run makes no key, and uses the one that is there', async () => {
  const map = newMap();
  const before = await hashed(map, true);
  await assert.rejects(stat(`${map.path}.user-key`), { code: 'ENOENT' });
  const real = await hashed(map);
  assert.notEqual(before('anna'), real('anna'));
  assert.equal((await hashed(map, true))('anna'), real('anna'));
});

test('a key that is none, or that cannot be made, is told', async () => {
  const map = newMap();
  await writeFile(`${map.path}.user-key`, 'secret\n');
  await assertRejects(hashed(map), 'USER_KEY', `${map.path}.user-key`, '64 hexadecimal digits');
  const nowhere = { type: 'lmdb', path: join(directory, 'none/map') };
  await assertRejects(hashed(nowhere), 'USER_KEY', 'no such file or directory', '--log-users');
});

test('every decision that names a user shows him so', async () => {
  const show = await shownUsers({ logUsers: 'none', map: newMap(), nowrite: false });
  const about = { server: 'x', ip: ip('192.0.2.1'), user: 'anna', time: epoch(0), session: null };
  const login = { ...about, event: 'login', tls: null } as const;
  const logout = { ...about, event: 'logout' } as const;
  const grant = { ip: about.ip, stamp: about.time };
  const order = {
    kind: 'revoke',
    subject: { kind: 'user', user: 'anna' },
    made: about.time,
    until: epoch(60),
  } as const;
  const decisions: readonly Decision[] = [
    { kind: 'login', login, outcome: { kind: 'granted', effect: 'added' } },
    { kind: 'limit exceeded', login, reason: 'too many users', most: 1, action: 'warn' },
    { kind: 'logout', logout, ip: about.ip },
    { kind: 'purged', grant },
    { kind: 'withdrawn', grant, reason: 'too many users' },
    { kind: 'purged', grant, holder: { user: 'anna', server: 'x' } },
    { kind: 'withdrawn', grant, reason: 'too many users', holder: { user: 'anna', server: 'x' } },
    { kind: 'revoked', orders: [order], grants: [] },
    { kind: 'lifted', orders: [{ ...order, kind: 'lift' }], ended: [order], grants: [] },
    { kind: 'order bounded', what: 'dropped', order },
    { kind: 'in force', orders: [order] },
  ];
  for (const decision of decisions) {
    const shown = withShownUser(decision, show);
    assert.equal(shown.kind, decision.kind);
    assert.ok(!JSON.stringify(shown).includes('anna'), decision.kind);
  }
});
