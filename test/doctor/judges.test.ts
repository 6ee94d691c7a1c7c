/**
 * The smaller judges: map, rows, daemon, service, Postfix, mynetworks, lookup.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { canonicalIp } from '../../src/base/address.ts';
import { epoch } from '../../src/base/clock.ts';
import { failure } from '../../src/base/errors.ts';
import { parseMynetworks } from '../../src/classifier/mynetworks-parser.ts';
import { parseIds } from '../../src/doctor/account.ts';
import { judgeConfiguration } from '../../src/doctor/configuration.ts';
import { judgeDaemon } from '../../src/doctor/daemon.ts';
import { ok } from '../../src/doctor/finding.ts';
import { judgeLookup } from '../../src/doctor/lookup.ts';
import { judgeMap, judgeRows } from '../../src/doctor/map.ts';
import type { FileState, MapState } from '../../src/doctor/map-state.ts';
import { judgePostfix } from '../../src/doctor/postfix.ts';
import { judgeService } from '../../src/doctor/service.ts';
import { judgeTrustedNetworks } from '../../src/doctor/trusted-networks.ts';
import type { Row } from '../../src/map/map.ts';
import { stampOf } from '../../src/map/row.ts';
import { levels, MAP, postfixWith, said } from './arrange.ts';

const NOW = epoch(1_700_000_000);

describe('the map', () => {
  const at = (path: string, mode: number, uid = 7): FileState => ({ path, uid, gid: uid, mode });
  const map = (file: FileState | null, ...directories: FileState[]): MapState => ({
    spec: MAP,
    file,
    directories,
    rows: [],
  });
  const FILE = at('/d/m.lmdb', 0o600);
  const OPEN = at('/d/m.lmdb', 0o644);
  const forAll = (state: MapState): MapState => ({ ...state, spec: { ...MAP, mode: 0o644 } });
  const table: readonly (readonly [string, MapState, RegExp])[] = [
    ['as it should be', map(FILE, at('/d', 0o755), at('/', 0o755, 0)), /^ok: /],
    ['below a sticky directory', map(FILE, at('/d', 0o755), at('/tmp', 0o1777, 0)), /^ok: /],
    ['in a sticky directory', map(FILE, at('/d', 0o1777)), /^error: every local account .* \/d,/],
    ['below an open directory', map(FILE, at('/d', 0o755), at('/', 0o777)), /^error: .* \/,/],
    ['open', map(at('/d/m.lmdb', 0o666), at('/d', 0o755)), /^error: .* \/d\/m\.lmdb,/],
    [
      'readable for others',
      map(OPEN, at('/d', 0o755)),
      /^warning: .* can read \/d\/m\.lmdb, .*lock/,
    ],
    ['for its account, in a closed directory', map(FILE, at('/d', 0o700)), /^ok: /],
    ['for everybody, as map-mode says', forAll(map(OPEN, at('/d', 0o755))), /^ok: /],
    ['not for everybody', forAll(map(FILE, at('/d', 0o755))), /^warning: .* \/d\/m\.lmdb does not/],
    [
      'for everybody, in a closed directory',
      forAll(map(OPEN, at('/d', 0o750))),
      /^warning: .* \/d does not/,
    ],
    ['of another account', map(FILE, at('/d', 0o755, 8)), /^error: .* account 7, .* to 8/],
  ];
  for (const [name, state, expected] of table) {
    test(name, () => assert.match(said(judgeMap(state)).join(), expected));
  }

  test('missing, damaged, closed to us', () => {
    const rows = failure('MAP_MISSING', { path: '/d/m.lmdb' });
    assert.deepEqual(levels(judgeMap({ ...map(null), rows })), ['error']);
    const damaged = failure('MAP_FORMAT', {
      path: '/d/m.lmdb',
      found: 'it has data format 2',
      format: 'LMDB',
    });
    assert.match(said(judgeMap({ ...map(FILE), rows: damaged })).join(), /^error: .*format 2/);
    const closed = failure('MAP_UNREADABLE', { path: '/d/m.lmdb', reason: 'permission denied' });
    const levelsFound = levels(judgeMap({ ...map(FILE, at('/d', 0o755)), rows: closed }));
    assert.deepEqual(levelsFound, ['warning']);
  });
});

describe('rows', () => {
  const row = (key: string, value: string): Row => ({ key, value, stamp: stampOf(value) });
  const judge = (...rows: Row[]): string =>
    said(judgeRows({ rows, now: NOW, grace: () => 900 })).join('\n');

  test('are counted', () => {
    assert.equal(judge(), 'ok: 0 grants');
    const rows = [row('10.0.0.1', String(NOW)), row('10.0.0.2', 'REJECT')];
    assert.equal(judge(...rows), 'ok: 1 grant, and 1 row of your own');
  });

  test('are overdue after the grace period and a purge', () => {
    assert.match(judge(row('10.0.0.1', String(NOW - 980))), /^ok: /);
    assert.match(
      judge(row('10.0.0.1', String(NOW - 1000))),
      /^error: 1 row should .* 10\.0\.0\.1$/,
    );
  });

  for (const value of ['OK', 'ok', 'permit_mynetworks'] as const)
    test(`of one's own for an address never end: ${value}`, () => {
      assert.match(judge(row('10.0.0.1', value)), /^warning: 1 row of your own .*: 10\.0\.0\.1$/);
    });

  for (const key of ['10', '192.0.2', 'unknown', 'example.com', '2001:db8', '10.0.0.0/8'] as const)
    for (const value of ['OK', String(NOW)] as const)
      test(`for whole networks are an error: ${key} ${value}`, () => {
        assert.match(judge(row(key, value)), new RegExp(`^error: 1 row .*: ${key}$`));
      });

  test('that only refuse are the business of whoever wrote them', () => {
    const values = ['REJECT', 'reject go away', '550 no', 'DUNNO', 'HOLD', 'WARN x'];
    const rows = values.map((value, index) => row(`10.${index}`, value));
    assert.equal(judge(...rows), 'ok: 0 grants, and 6 rows of your own');
  });
});

test('the daemon', () => {
  const judge = (owner: number | 'unknown' | 'hidden' | null): string =>
    said(judgeDaemon({ owner, map: 'lmdb:/m' })).join();
  assert.equal(judge(12), 'ok: runs, pid 12');
  assert.match(judge('unknown'), /^ok: /);
  assert.match(judge('hidden'), /^warning: .* not known/);
  assert.match(judge(null), /^error: no daemon writes lmdb:\/m/);
});

describe('the service', () => {
  const judge = (properties: Readonly<Record<string, string>>): string =>
    said(judgeService(new Map(Object.entries(properties)))).join();
  const RUNNING = {
    LoadState: 'loaded',
    ActiveState: 'active',
    SubState: 'running',
    UnitFileState: 'enabled',
    Result: 'success',
    NRestarts: '0',
    WatchdogUSec: '30s',
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
    ["in the machine's network", { PrivateNetwork: 'no', BindReadOnlyPaths: '' }, /^ok: /],
  ];
  for (const [name, properties, expected] of table) {
    test(name, () => assert.match(judge({ ...RUNNING, ...properties }), expected));
  }
  test('without systemd', () => assert.deepEqual(judgeService(null), []));
});

test('Postfix', () => {
  const judge = (answer: Parameters<typeof judgePostfix>[0]['answer'], maps = [MAP]): string =>
    said(judgePostfix({ answer, maps })).join();
  const state = postfixWith('');
  assert.match(judge({ kind: 'known', state }), /^ok: /);
  assert.match(judge({ kind: 'known', state: { ...state, types: ['hash'] } }), /^error: .*lmdb/);
  const migrated = postfixWith(
    'non_bdb_migration_level = enable-redirect\ndefault_database_type = cdb\n',
  );
  const types = ['lmdb', 'hash'];
  assert.match(
    judge({ kind: 'known', state: { ...migrated, types } }, [MAP, { type: 'hash', path: '/m' }]),
    /^ok: .*,error: hash:\/m: Postfix takes this for cdb:\/m \(non_bdb_migration_level = enable-redirect\)/,
  );
  assert.match(judge({ kind: 'missing' }), /^error: postconf was not found/);
  assert.match(judge({ kind: 'failed', reason: 'no' }), /^error: .*: no$/);
});

describe('mynetworks', () => {
  const judge = (text: string): string => {
    const context = { origin: 'main.cf', readText: () => '', warn: () => undefined };
    const { entries } = parseMynetworks(text, context);
    return said(judgeTrustedNetworks([{ origin: 'main.cf', entries }])).join('\n');
  };
  const table: readonly (readonly [string, RegExp])[] = [
    ['', /^ok: .*private networks only$/],
    [
      '127.0.0.0/8 [::1]/128 [::ffff:127.0.0.0]/104 10.0.0.0/8 192.168.1.0/24 [fe80::]/64',
      /^ok: .*private networks only$/,
    ],
    ['127.0.0.0/8 203.0.113.0/24', /^ok: .*public networks: 203\.0\.113\.0\/24$/],
    ['10.0.0.0/8 cidr:/x', /^ok: .*what cidr:\/x holds/],
    ['203.0.0.0/10', /^warning: .*203\.0\.0\.0\/10/],
    ['[2001::]/20', /^warning: /],
    ['0.0.0.0/0', /^error: .*0\.0\.0\.0\/0/],
    ['[::]/0', /^error: .*::\/0/],
    ['[::ffff:0.0.0.0]/96', /^error: .*0\.0\.0\.0\/0/],
    ['10.0.0.0/7', /^error: /],
    ['static:all', /^error: .*static:all/],
    ['!0.0.0.0/0', /^ok: /],
  ];
  for (const [text, expected] of table)
    test(`"${text}"`, () => assert.match(judge(text), expected));

  test('what cannot be read is an error', () => {
    const entries = failure('MYNETWORKS_ENTRY', { origin: 'main.cf', entry: 'x', problem: 'no' });
    assert.match(said(judgeTrustedNetworks([{ origin: 'main.cf', entries }])).join(), /^error: /);
  });
});

test('the lookup', () => {
  const ip = canonicalIp('192.0.2.9');
  assert.ok(ip !== null);
  const judge = (result: boolean): string =>
    said(
      judgeLookup({ ip, map: 'lmdb:/m', probed: { kind: 'tried', result, leftOver: null } }),
    ).join();
  assert.match(judge(true), /^ok: /);
  assert.match(judge(false), /^error: a row of 192\.0\.2\.9 was written/);
  const skipped = judgeLookup({
    ip,
    map: 'lmdb:/m',
    probed: { kind: 'skipped', verdict: ok('x') },
  });
  assert.deepEqual(said(skipped), ['ok: x']);
  assert.deepEqual(judgeLookup({ ip, map: 'lmdb:/m', probed: null }), []);
});

test('the configuration', () => {
  assert.deepEqual(levels(judgeConfiguration({ problems: [], warnings: [] })), ['ok']);
  const problem = failure('PATTERN_UNREADABLE', { path: '/p', reason: 'no' });
  assert.deepEqual(levels(judgeConfiguration({ problems: [problem], warnings: [] })), ['error']);
});

test('ids are read from the status of a process', () => {
  const status = 'Name:\tnode\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t4 190 \nTgid:\t9\n';
  assert.deepEqual(parseIds(status), { uid: 2, gid: 6, groups: [4, 190] });
  assert.equal(parseIds('Name:\tnode\n'), null);
});
