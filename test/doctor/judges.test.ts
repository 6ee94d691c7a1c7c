/**
 * The smaller judges: map, rows, daemon, Postfix, lookup.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { canonicalIp } from '../../src/base/address.ts';
import { epoch } from '../../src/base/clock.ts';
import { CATALOGUE, failure } from '../../src/base/errors.ts';
import type { ConfigurationState } from '../../src/control/configuration-state.ts';
import type { Status } from '../../src/control/status.ts';
import { parseIds } from '../../src/doctor/account.ts';
import { judgeConfiguration } from '../../src/doctor/configuration.ts';
import { type DaemonFacts, judgeDaemon } from '../../src/doctor/daemon.ts';
import type { DaemonAnswer } from '../../src/doctor/daemon-state.ts';
import { skipped } from '../../src/doctor/finding.ts';
import { judgeLookup } from '../../src/doctor/lookup.ts';
import { judgeMap, judgeRows } from '../../src/doctor/map.ts';
import type { FileState, MapState } from '../../src/doctor/map-state.ts';
import { judgePostfix } from '../../src/doctor/postfix.ts';
import type { Row } from '../../src/map/map.ts';
import { stampOf } from '../../src/map/row.ts';
import { someStatus } from '../control/status.ts';
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
    [
      'behind a directory that may not be entered',
      {
        ...map(null, at('/d', 0o700), at('/', 0o755, 0)),
        rows: failure('MAP_UNREADABLE', { path: '/d/e/m.lmdb', reason: 'permission denied' }),
      },
      /^error: this account may not enter \/d, behind which lmdb:\/m is$/,
    ],
  ];
  for (const [name, state, expected] of table) {
    test(name, () => assert.match(said(judgeMap(state)).join(), expected));
  }

  test('no cure opens a directory', () => {
    const closed = map(OPEN, at('/d', 0o700), at('/root', 0o700, 0), at('/', 0o755, 0));
    const states = [...table.map(([, state]) => state), closed, forAll(closed)];
    for (const { hint } of states.flatMap(judgeMap)) {
      assert.doesNotMatch(hint ?? '', /chmod (?!o-w )\S+ (?!\/d\/m\.lmdb)/);
      assert.doesNotMatch(hint ?? '', /chown \S+ (?!\/d\/m\.lmdb)/);
    }
    for (const { hint } of Object.values(CATALOGUE))
      assert.doesNotMatch(hint, /(?:chmod|chown|install -d)[^,;]*\{/);
  });

  test('what is for everybody on purpose is not taken away', () => {
    const hints = judgeMap(map(FILE, at('/tmp', 0o1777))).map(({ hint }) => hint ?? '');
    assert.match(hints.join('\n'), /such as \/var\/popbsmtp/);
    assert.doesNotMatch(hints.join('\n'), /chmod/);
  });

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
    // Being root is no cure where the map is another's.
    const others = { ...map({ ...FILE, uid: 0 }, at('/d', 0o755)), rows: closed };
    assert.match(said(judgeMap(others)).join('\n'), /^error: .* belongs to the account 0, .*$/);
    const levelsFound = levels(judgeMap({ ...map(FILE, at('/d', 0o755)), rows: closed }));
    assert.deepEqual(levelsFound, ['warning']);
  });
});

describe('rows', () => {
  const row = (key: string, value: string): Row => ({ key, value, stamp: stampOf(value) });
  const judge = (...rows: Row[]): string =>
    said(judgeRows({ rows, now: NOW, grace: () => 900, isOwned: true })).join('\n');

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

  test('that are overdue end at the start of the daemon, beside which a purge does nothing', () => {
    const rows = [row('10.0.0.1', String(NOW - 1000))];
    const hintWhen = (isOwned: boolean): string =>
      judgeRows({ rows, now: NOW, grace: () => 900, isOwned })[0]?.hint ?? '';
    assert.match(hintWhen(true), /: systemctl restart popbsmtp$/);
    assert.match(hintWhen(false), /"popbsmtp purge"/);
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

describe('the daemon', () => {
  const MOMENT = epoch(Date.parse('2026-11-25T02:05:00Z') / 1000);
  const judge = (answer: DaemonAnswer, owner: DaemonFacts['owner'] = 4711): string =>
    said(judgeDaemon({ owner, answer, map: 'lmdb:/m', now: MOMENT, installed: '1.2.3' })).join(
      '\n',
    );
  const LOADED: ConfigurationState = {
    loaded: '2026-11-25T00:00:00.000Z',
    changes: [],
    problem: null,
  };
  const answers = (
    status: Partial<Status> = {},
    configuration: Partial<ConfigurationState> = {},
  ): DaemonAnswer => ({
    kind: 'status',
    status: someStatus(status),
    configuration: { ...LOADED, ...configuration },
  });
  const lagging = [
    { name: '/log', lines: 5, lastLine: '2026-11-25T02:00:00Z', position: 1, lag: 70_000 },
  ];
  const silent: DaemonAnswer = {
    kind: 'failed',
    problem: failure('CONTROL_SILENT', { path: '/m.sock', seconds: 2 }),
  };
  const change = (
    what: string,
    running: string | null,
    written: string | null,
    takes: 'reload' | 'restart' = 'reload',
  ): DaemonAnswer => answers({}, { changes: [{ what, running, written, takes }] });

  const table: readonly (readonly [string, string, RegExp])[] = [
    [
      'as it should be',
      judge(answers()),
      /^ok: runs, pid 4711, and answers; reads \/var\/log\/mail\.log \(12345 lines, the last line 3 seconds ago\); reads the journal \(0 lines, no line yet\); the last login 10 seconds ago$/,
    ],
    [
      'that has seen nothing',
      judge(answers({ lastLogin: null })),
      /^ok: .*no login since its start$/,
    ],
    ['hangs', judge(silent), /^error: the daemon, pid 4711, has lmdb:\/m, but does not answer/],
    [
      'may not be asked',
      judge({
        kind: 'failed',
        problem: failure('CONTROL_DENIED', { path: '/m.sock', reason: 'no' }),
      }),
      /^skipped: /,
    ],
    ['has no socket', judge({ kind: 'none' }), /^warning: .* cannot be asked/],
    ['is not there', judge({ kind: 'none' }, null), /^error: no daemon writes lmdb:\/m/],
    ['is hidden', judge({ kind: 'none' }, 'hidden'), /^warning: .* not known/],
    ['is in another namespace', judge(answers(), 'unknown'), /^ok: runs, pid 4711/],
    [
      'cannot commit',
      judge(answers({ settled: false, trouble: 'no space left', overdue: 2 })),
      /^error: it cannot write the map, .*\(1 commit failed\); 2 rows that should be gone .*: no space left$/,
    ],
    [
      'is of before an upgrade',
      judge(answers({ version: '1.0.0' })),
      /^warning: version 1\.0\.0 runs, and 1\.2\.3 is installed$/,
    ],
    [
      'does not read on',
      judge(answers({ sources: lagging })),
      /^error: it does not read \/log on: 70000 bytes wait$/,
    ],
    [
      'runs with another value',
      judge(change('grace', '15m', '1h')),
      /^warning: it runs with grace = "15m", and on the disk stands "1h"$/,
    ],
    [
      'runs with a value that is gone',
      judge(change('user', 'x', null)),
      /= "x", and on the disk stands nothing$/,
    ],
    [
      'has other patterns',
      judge(change('/p/x.toml', null, null)),
      /^warning: \/p\/x\.toml has changed since it was read$/,
    ],
    [
      'would choose another log',
      judge(change('log', '/var/log/mail.log', 'journal', 'restart')),
      /^warning: it reads \/var\/log\/mail\.log, and would choose the journal if it were started now$/,
    ],
    [
      'would not take what is on the disk',
      judge(answers({}, { problem: 'popbsmtp.toml:3: unknown key' })),
      /^warning: .* would not take the one on the disk: popbsmtp\.toml:3: unknown key$/,
    ],
  ];
  for (const [name, told, expected] of table) test(name, () => assert.match(told, expected));

  test('of a version that does not know the question', () => {
    assert.match(judge({ kind: 'status', status: someStatus(), configuration: null }), /^ok: /);
  });

  test('that did not say in time how its configuration differs', () => {
    const configuration = failure('CONTROL_SILENT', { path: '/m.sock', seconds: 6 });
    assert.match(
      judge({ kind: 'status', status: someStatus(), configuration }),
      /^ok: runs, .*\nskipped: whether it runs with what is on the disk was not told: .* for 6 s$/,
    );
  });

  test('is told what it takes', () => {
    const hintOf = (answer: DaemonAnswer): string | null | undefined =>
      judgeDaemon({ owner: 1, answer, map: 'lmdb:/m', now: MOMENT, installed: '1.2.3' })[0]?.hint;
    assert.match(hintOf(change('grace', '1', '2')) ?? '', /systemctl reload popbsmtp/);
    assert.match(hintOf(change('map', '1', '2', 'restart')) ?? '', /systemctl restart popbsmtp/);
  });
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

describe('where Postfix listens', () => {
  const judge = (mainCf: string, services?: string, overrides?: string): string =>
    said(
      judgePostfix({
        answer: { kind: 'known', state: postfixWith(mainCf, services, overrides) },
        maps: [],
      }),
    ).join();
  const SMTP = 'smtp inet n - n - - smtpd';
  const REINJECTION = '127.0.0.1:10025 inet n - n - - smtpd';
  const shut = /^error: no client can reach this Postfix: .*inet_interfaces = /;
  const table: readonly (readonly [string, string, string, RegExp])[] = [
    ['everywhere', '', SMTP, /^$/],
    ['at one address', 'inet_interfaces = 192.0.2.5\n', SMTP, /^$/],
    ['at loopback', 'inet_interfaces = loopback-only\n', SMTP, shut],
    ['at loopback, by its name', 'inet_interfaces = localhost\n', SMTP, shut],
    ['at loopback addresses', 'inet_interfaces = 127.0.0.1, [::1]\n', SMTP, shut],
    ['for a filter only', '', REINJECTION, shut],
    ['for a filter and for clients', '', `${SMTP}\n${REINJECTION}`, /^$/],
    [
      'at an address of master.cf',
      'inet_interfaces = loopback-only\n',
      '192.0.2.5:smtp inet n - n - - smtpd',
      /^$/,
    ],
    [
      'for a proxy',
      'inet_interfaces = loopback-only\nsmtpd_upstream_proxy_protocol = haproxy\n',
      SMTP,
      /^$/,
    ],
    ['nowhere', '', 'pickup unix n - n 60 1 pickup', /^$/],
  ];
  for (const [name, mainCf, services, expected] of table)
    test(name, () => assert.match(judge(mainCf, services), expected));
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
  const untried = judgeLookup({
    ip,
    map: 'lmdb:/m',
    probed: { kind: 'skipped', verdict: skipped('x') },
  });
  assert.deepEqual(said(untried), ['skipped: x']);
  assert.match(
    said(judgeLookup({ ip, map: 'lmdb:/m', probed: null })).join(),
    /^skipped: not tried/,
  );
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
