import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { canonicalIp, type IpText } from '../../src/base/address.ts';
import { epoch, type Moment } from '../../src/base/clock.ts';
import { failure } from '../../src/base/errors.ts';
import { loadClassifier } from '../../src/classifier/classifier.ts';
import { Pipeline } from '../../src/daemon/pipeline.ts';
import type { Change, Effect } from '../../src/grant/change.ts';
import { Decider, type DecisionRules } from '../../src/grant/decider.ts';
import type { Decision } from '../../src/grant/decision.ts';
import { Grace, parseGraceFor } from '../../src/grant/grace.ts';
import { GrantTable } from '../../src/grant/grant-table.ts';
import type { Subject } from '../../src/grant/order.ts';
import { Orders } from '../../src/grant/orders.ts';
import type { Policy } from '../../src/grant/policy.ts';
import { SessionTable } from '../../src/grant/session-table.ts';
import { parseUserList } from '../../src/grant/user-list.ts';
import { formatStamp, StampReader } from '../../src/line/stamp.ts';
import type { MapSpec, Row } from '../../src/map/map.ts';
import { MemoryMap } from '../../src/map/memory-map.ts';
import { loadPatterns } from '../../src/recogniser/load.ts';
import { Recogniser } from '../../src/recogniser/recogniser.ts';
import { ip } from '../map/addresses.ts';

const GRACE = 900;
const NOON = 1_700_000_000;
const DAY = 86_400;
const CAPACITY = 100;
const SPEC: MapSpec = { type: 'lmdb', path: '/map' };

/** A map whose disk may be full. */
class FailingMap extends MemoryMap {
  full = false;
  replaced = false;
  commits = 0;

  override async commit(changes: readonly Change[]): Promise<Effect[]> {
    this.commits++;
    if (this.full) throw failure('MAP_IO', { path: SPEC.path, reason: 'no space left on device' });
    return super.commit(changes);
  }

  override check(): void {
    if (this.replaced) throw failure('MAP_REPLACED', { path: SPEC.path, how: 'replaced' });
  }

  override reopen(): Promise<Row[]> {
    this.replaced = false;
    return super.reopen();
  }
}

/** A pipeline that reads the log itself. */
class ReadingPipeline extends Pipeline {
  readonly #recogniser = new Recogniser(registry, new StampReader(() => epoch(now)));

  lines(lines: readonly string[]): Promise<void> {
    return this.events(
      lines.map(line => this.#recogniser.recognise(line)).filter(event => event !== null),
    );
  }
}

const registry = await loadPatterns({ directory: '/nonexistent', explicit: false });

let now: number;
let map: FailingMap;
let decisions: Decision[];
let pipeline: ReadingPipeline;
let orders: Orders;
let commits: string[];
let restored: GrantTable;

const GRACES = new Grace(GRACE);
const LIBERAL: Policy = {
  requireTls: false,
  allowUsers: null,
  denyUsers: null,
  limits: { usersPerAddress: null, addressesPerUser: null },
};

async function rulesWith(
  mynetworks: string,
  exclude = 'none',
  wholeAddresses = false,
): Promise<DecisionRules> {
  const classifier = await loadClassifier({
    mynetworks,
    mynetworksOrigin: '--mynetworks',
    postfixConfig: null,
    exclude,
    excludeOrigin: '--exclude',
    wholeAddresses,
    warn: text => assert.fail(text),
  });
  return { classifier, grace: GRACES, policy: LIBERAL };
}

/** Those of the rules in force. */
let graces = (): Grace => GRACES;

async function start(rows: Row[] = [], by = new Orders(() => graces())): Promise<void> {
  now = NOON;
  orders = by;
  map = new FailingMap(SPEC, rows);
  decisions = [];
  restored = new GrantTable(address => graces().of(address), CAPACITY);
  const decider = new Decider({
    rules: await rulesWith('192.0.2.0/24', '203.0.113.0/24'),
    grants: restored,
    sessions: new SessionTable(DAY),
    orders,
  });
  graces = () => decider.rules.grace;
  commits = [];
  pipeline = new ReadingPipeline({
    decider,
    map,
    commits: {
      committed: (seconds, changed) => {
        assert.ok(seconds >= 0);
        commits.push(`${changed} rows`);
      },
      commitFailed: () => void commits.push('failed'),
    },
    clock: { now: (): Moment => ({ wall: epoch(now), steady: epoch(now) }) },
    report: decision => void decisions.push(decision),
  });
}

const login = (ip: string, time = now, user = 'anna', tls = ''): string =>
  `${formatStamp(epoch(time))} mx dovecot: pop3-login: Login: user=<${user}>, method=PLAIN, rip=${ip}, lip=192.0.2.5, mpid=1, ${tls}session=<a>`;

const rows = async (): Promise<string[]> =>
  (await map.rows()).map(({ key, value }) => `${key} ${value}`);

/** What happened, shortly: `granted 198.51.100.1 added`. */
function tell(decision: Decision): string {
  switch (decision.kind) {
    case 'login': {
      const { outcome } = decision;
      const more = outcome.kind === 'ignored' ? outcome.reason : outcome.effect;
      return `${outcome.kind} ${decision.login.ip} ${more}`;
    }
    case 'purged':
      return `purged ${decision.grant.ip}`;
    case 'kept':
      return `kept ${decision.grant.ip}`;
    case 'withdrawn':
      return `withdrawn ${decision.grant.ip} ${decision.reason}`;
    case 'limit exceeded':
      return `limit ${decision.login.ip} ${decision.login.user} ${decision.reason}`;
    case 'logout':
      return `logout ${decision.ip}`;
    case 'evicted':
      return `evicted ${decision.grants.map(grant => grant.ip).join()}`;
    case 'allowed':
      return `allowed ${decision.order.subject.ip} ${decision.effect}`;
    case 'revoked':
      return `revoked ${decision.grants.map(grant => grant.ip).join()}`;
    case 'lifted':
      return `lifted ${decision.grants.map(grant => grant.ip).join()}`;
    case 'probed':
      return `probed ${decision.ip} ${decision.seconds}`;
    case 'identified':
    case 'order bounded':
    case 'in force':
    case 'map failed':
    case 'map recovered':
      return decision.kind;
  }
}

const story = (): string[] => decisions.map(tell);

beforeEach(() => start());

describe('a batch of lines', () => {
  test('is one commit, and its decisions are in the order of the lines', async () => {
    await pipeline.lines([
      login('198.51.100.1'),
      'Nov 14 22:13:20 mx postfix/smtpd[1]: connect from unknown[198.51.100.9]',
      login('192.0.2.7'),
      login('203.0.113.7'),
      login('198.51.100.2', now - GRACE),
      login('198.51.100.1'),
      login('::ffff:198.51.100.3'),
    ]);
    assert.deepEqual(story(), [
      'granted 198.51.100.1 added',
      'ignored 192.0.2.7 in mynetworks',
      'ignored 203.0.113.7 excluded',
      'ignored 198.51.100.2 too old',
      'refreshed 198.51.100.1 null',
      'granted 198.51.100.3 added',
    ]);
    assert.deepEqual(await rows(), [`198.51.100.1 ${NOON}`, `198.51.100.3 ${NOON}`]);
    assert.equal(map.commits, 1);
  });

  test('without a login costs the map nothing', async () => {
    await pipeline.lines(['', 'Nov 14 22:13:20 mx cron[1]: login rip=198.51.100.1']);
    assert.deepEqual([story(), map.commits], [[], 0]);
  });
});

test('more grants than there may be end the oldest ones, in the map as well', async () => {
  const ips = Array.from({ length: CAPACITY + 2 }, (_, index) => `198.51.100.${index}`);
  for (const ip of ips) {
    now++;
    await pipeline.lines([login(ip)]);
  }
  assert.equal((await rows()).length, CAPACITY);
  assert.deepEqual(
    story().filter(text => text.startsWith('evicted')),
    ['evicted 198.51.100.0', 'evicted 198.51.100.1'],
  );
});

test('a refresh renews the row, and the grant ends when it should', async () => {
  await pipeline.lines([login('198.51.100.1')]);
  now += 600;
  await pipeline.lines([login('198.51.100.1')]);
  assert.deepEqual(await rows(), [`198.51.100.1 ${NOON + 600}`]);
  now += GRACE - 1;
  await pipeline.purge();
  assert.deepEqual(await rows(), [`198.51.100.1 ${NOON + 600}`]);
  now += 1;
  await pipeline.purge();
  assert.deepEqual(await rows(), []);
  assert.deepEqual(story(), [
    'granted 198.51.100.1 added',
    'refreshed 198.51.100.1 renewed',
    'purged 198.51.100.1',
  ]);
});

test('a login after the end is a new grant, even if nobody has purged meanwhile', async () => {
  await pipeline.lines([login('198.51.100.1')]);
  now += GRACE + 1;
  await pipeline.lines([login('198.51.100.1')]);
  assert.deepEqual(story(), [
    'granted 198.51.100.1 added',
    'purged 198.51.100.1',
    'granted 198.51.100.1 added',
  ]);
  assert.deepEqual(await rows(), [`198.51.100.1 ${now}`]);
});

test("a row of the administrator's is left alone, also at the end of the grant", async () => {
  await start([{ key: '198.51.100.1', value: 'OK', stamp: null }]);
  await pipeline.lines([login('198.51.100.1')]);
  now += GRACE;
  await pipeline.purge();
  assert.deepEqual(await rows(), ['198.51.100.1 OK']);
  assert.deepEqual(story(), ['granted 198.51.100.1 foreign', 'purged 198.51.100.1']);
});

describe('a map that cannot be written', () => {
  test('is told to who counts commits, as are those that succeed', async () => {
    await pipeline.lines([login('198.51.100.1'), login('198.51.100.2')]);
    map.full = true;
    await pipeline.lines([login('198.51.100.3')]);
    map.full = false;
    now += 1;
    await pipeline.purge();
    assert.deepEqual(commits, ['2 rows', 'failed', '1 rows']);
  });

  test('is caught up with when it can, and nothing claims to be written before', async () => {
    await pipeline.lines([login('198.51.100.1')]);
    map.full = true;
    await pipeline.lines([login('198.51.100.2')]);
    await pipeline.lines([login('198.51.100.3')]);
    assert.deepEqual(await rows(), [`198.51.100.1 ${NOON}`]);
    map.full = false;
    now += 2;
    await pipeline.purge();
    assert.deepEqual(
      await rows(),
      [1, 2, 3].map(last => `198.51.100.${last} ${NOON}`),
    );
    assert.deepEqual(story(), [
      'granted 198.51.100.1 added',
      'map failed',
      'granted 198.51.100.2 null',
      'granted 198.51.100.3 null',
      'map recovered',
    ]);
  });

  test('does not keep a grant that ends meanwhile', async () => {
    await pipeline.lines([login('198.51.100.1')]);
    map.full = true;
    now += GRACE;
    await pipeline.purge();
    map.full = false;
    now += 2;
    await pipeline.purge();
    assert.deepEqual(await rows(), []);
  });

  test('that was replaced is made to hold the grants, and no other rows of ours', async () => {
    await start([{ key: '198.51.100.66', value: `${NOON}`, stamp: epoch(NOON) }]);
    await pipeline.lines([login('198.51.100.1')]);
    map.replaced = true;
    await pipeline.purge();
    assert.deepEqual(await rows(), [`198.51.100.1 ${NOON}`]);
    assert.deepEqual(story().slice(1), ['map failed', 'map recovered']);
    assert.ok(pipeline.settled);
  });

  test('is told again when that lasts longer than a grace period, with the rows that it keeps open', async () => {
    await pipeline.lines([login('198.51.100.1')]);
    map.full = true;
    now += GRACE;
    await pipeline.purge();
    assert.equal(pipeline.overdue, 1);
    for (let tick = 0; tick < 2 * GRACE; tick += 10) {
      now += 10;
      await pipeline.purge();
    }
    const told = decisions.flatMap(decision =>
      decision.kind === 'map failed' ? [[decision.seconds, decision.overdue]] : [],
    );
    assert.deepEqual(told, [
      [0, 1],
      [GRACE, 1],
      [2 * GRACE, 1],
    ]);
    map.full = false;
    now += 10;
    await pipeline.purge();
    assert.equal(pipeline.overdue, 0);
  });

  test('is not tried at every tick', async () => {
    map.full = true;
    await pipeline.lines([login('198.51.100.1')]);
    for (let tick = 0; tick < 3; tick++) await pipeline.purge();
    assert.equal(map.commits, 1);
  });
});

test('new rules hold from the next batch on', async () => {
  await pipeline.lines([login('198.51.100.1')]);
  await pipeline.setRules(await rulesWith('198.51.100.0/24'));
  await pipeline.lines([login('198.51.100.2')]);
  assert.deepEqual(story(), ['granted 198.51.100.1 added', 'ignored 198.51.100.2 in mynetworks']);
});

describe('the policy', () => {
  const follow = async (policy: Partial<Policy>, grace = GRACES): Promise<void> =>
    pipeline.setRules({
      ...(await rulesWith('192.0.2.0/24')),
      grace,
      policy: { ...LIBERAL, ...policy },
    });
  const limited = (limits: Partial<Policy['limits']>): Partial<Policy> => ({
    limits: { ...LIBERAL.limits, ...limits },
  });

  test('takes encrypted logins only, and leaves a grant that one has earned', async () => {
    await follow({ requireTls: true });
    await pipeline.lines([
      login('198.51.100.1'),
      login('198.51.100.2', now, 'anna', 'TLS, '),
      login('198.51.100.2'),
      login('192.0.2.1'),
    ]);
    assert.deepEqual(story(), [
      'ignored 198.51.100.1 not encrypted',
      'granted 198.51.100.2 added',
      'ignored 198.51.100.2 not encrypted',
      'ignored 192.0.2.1 in mynetworks',
    ]);
  });

  test('says who may', async () => {
    await follow({ denyUsers: parseUserList(['bob'], 'x') });
    await pipeline.lines([login('198.51.100.1', now, 'bob'), login('198.51.100.2')]);
    assert.deepEqual(story(), [
      'ignored 198.51.100.1 user not allowed',
      'granted 198.51.100.2 added',
    ]);
  });

  test('warns of a shared address once, and goes on granting', async () => {
    await follow(limited({ usersPerAddress: { most: 2, action: 'warn' } }));
    const users = ['a', 'b', 'c', 'd'];
    await pipeline.lines(users.map(user => login('198.51.100.1', now, user)));
    assert.deepEqual(story(), [
      'granted 198.51.100.1 added',
      'refreshed 198.51.100.1 null',
      'limit 198.51.100.1 c too many users',
      'refreshed 198.51.100.1 null',
      'refreshed 198.51.100.1 null',
    ]);
  });

  test('refuses a shared address, ends its grant at once, and grants again when it is quiet', async () => {
    await follow(limited({ usersPerAddress: { most: 2, action: 'refuse' } }));
    await pipeline.lines(['a', 'b'].map(user => login('198.51.100.1', now, user)));
    now += 10;
    await pipeline.lines(['c', 'a'].map(user => login('198.51.100.1', now, user)));
    assert.deepEqual(await rows(), []);
    now += GRACE - 10;
    await pipeline.lines([login('198.51.100.1', now, 'a')]);
    assert.deepEqual(story(), [
      'granted 198.51.100.1 added',
      'refreshed 198.51.100.1 null',
      'limit 198.51.100.1 c too many users',
      'withdrawn 198.51.100.1 too many users',
      'ignored 198.51.100.1 too many users',
      'ignored 198.51.100.1 too many users',
      'granted 198.51.100.1 added',
    ]);
    assert.deepEqual(await rows(), [`198.51.100.1 ${now}`]);
  });

  test('an open session keeps no grant that a limit has ended', async () => {
    await follow(limited({ usersPerAddress: { most: 1, action: 'refuse' } }));
    await pipeline.lines([login('198.51.100.1', now, 'a')]);
    await pipeline.lines([login('198.51.100.1', now, 'b')]);
    now += GRACE;
    await pipeline.purge();
    assert.deepEqual(await rows(), []);
  });

  test('a lost password ends the grants of all its addresses, and no others', async () => {
    await follow(limited({ addressesPerUser: { most: 2, action: 'refuse' } }));
    await pipeline.lines([
      login('198.51.100.1'),
      login('198.51.100.9', now, 'bob'),
      login('198.51.100.2'),
      login('198.51.100.3'),
      login('198.51.100.1'),
    ]);
    assert.deepEqual(await rows(), [`198.51.100.9 ${NOON}`]);
    assert.deepEqual(story().slice(3), [
      'limit 198.51.100.3 anna too many addresses',
      'withdrawn 198.51.100.1 too many addresses',
      'withdrawn 198.51.100.2 too many addresses',
      'ignored 198.51.100.3 too many addresses',
      'ignored 198.51.100.1 too many addresses',
    ]);
  });

  test('a user who is refused takes nothing from others at the same address', async () => {
    await follow(limited({ addressesPerUser: { most: 1, action: 'refuse' } }));
    await pipeline.lines([login('198.51.100.1'), login('198.51.100.2')]);
    await pipeline.lines([login('198.51.100.1', now, 'bob'), login('198.51.100.1')]);
    assert.deepEqual(await rows(), [`198.51.100.1 ${NOON}`]);
    assert.deepEqual(story().at(-1), 'ignored 198.51.100.1 too many addresses');
  });

  test('gives a network a grace period of its own, to its live grants as well', async () => {
    await pipeline.lines([login('198.51.100.1'), login('203.0.114.1')]);
    await follow(
      {},
      new Grace(GRACE, parseGraceFor({ value: ['203.0.114.0/24=60'], origin: 'x' })),
    );
    now += 60;
    await pipeline.lines([login('203.0.114.2', now - 59), login('203.0.114.3', now - 60)]);
    now += 1;
    await pipeline.purge();
    assert.deepEqual(await rows(), [`198.51.100.1 ${NOON}`]);
    assert.deepEqual(story().slice(2), [
      'purged 203.0.114.1',
      'granted 203.0.114.2 added',
      'ignored 203.0.114.3 too old',
      'purged 203.0.114.2',
    ]);
  });
});

test('steps that are asked for at once happen one after the other', async () => {
  const batches = Array.from({ length: 50 }, (_, index) =>
    pipeline.lines([login(`198.51.100.${index}`)]),
  );
  await Promise.all(batches);
  assert.deepEqual(
    story(),
    Array.from({ length: 50 }, (_, index) => `granted ${canonicalIp(`198.51.100.${index}`)} added`),
  );
});

describe('sessions of Courier', () => {
  const line = (tag: string, message: string): string =>
    `${formatStamp(epoch(now))} mx ${tag}: ${message}`;
  const of = (ip: string): string => `user=anna, ip=[::ffff:${ip}], port=[1060]`;
  const [IMAP, POP3] = ['198.51.100.1', '198.51.100.2'];
  const POP3_END = ', top=0, retr=0, rcvd=6, sent=30, time=0';

  /** The rows that are left when nothing has come for so long. */
  async function rowsAfter(seconds: number): Promise<string[]> {
    const end = now + seconds;
    while (now < end) {
      now += 60;
      await pipeline.purge();
    }
    return (await rows()).map(row => row.replace(/ .*/, ''));
  }

  test('as 6.0.5 ends them: every grant ends with its grace period', async () => {
    await pipeline.lines([
      line('imapd', `LOGIN, ${of(IMAP)}, protocol=IMAP`),
      line('pop3d', `LOGIN, ${of(POP3)}`),
      line('imapd', `LOGOUT, ${of(IMAP)}, headers=0, body=0, rcvd=1, sent=2, time=0`),
      line('pop3d', `disc, ${of(POP3)}${POP3_END}`),
    ]);
    assert.deepEqual(await rowsAfter(GRACE), []);
    assert.ok(!story().includes(`kept ${POP3}`));
  });

  test('a program that words its ends in another way keeps nothing, whatever others tell', async () => {
    await pipeline.lines([
      line('imapd', `LOGIN, ${of(IMAP)}, protocol=IMAP`),
      line('imapd', `LOGIN, ${of(IMAP).replace('1060', '1061')}, protocol=IMAP`),
      line('imapd', `LOGOUT, ${of(IMAP)}, headers=0, body=0, rcvd=1, sent=2, time=0`),
      line('pop3d', `LOGIN, ${of(POP3)}`),
      line('pop3d', `gone, ${of(POP3)}`),
    ]);
    assert.deepEqual(await rowsAfter(GRACE), [IMAP]);
  });

  test('a POP3 session whose end is never logged keeps its grant for two hours, IMAP for a day', async () => {
    await pipeline.lines([
      line('imapd', `LOGOUT, ${of('192.0.2.1')}, headers=0, body=0, rcvd=1, sent=2, time=0`),
      line('pop3d', `LOGOUT, ${of('192.0.2.1')}${POP3_END}`),
      line('imapd', `LOGIN, ${of(IMAP)}, protocol=IMAP`),
      line('pop3d', `LOGIN, ${of(POP3)}`),
    ]);
    assert.deepEqual(await rowsAfter(2 * 3600 - 60), [IMAP, POP3]);
    assert.deepEqual(await rowsAfter(GRACE + 60), [IMAP]);
    assert.deepEqual(await rowsAfter(DAY), []);
  });

  test('keep no grant of an address that a reload excludes beyond its time, open or ended', async () => {
    await pipeline.lines([
      line('imapd', `LOGOUT, ${of('192.0.2.1')}, headers=0, body=0, rcvd=1, sent=2, time=0`),
      line('imapd', `LOGIN, ${of(IMAP)}, protocol=IMAP`),
      line('imapd', `LOGIN, ${of(POP3)}, protocol=IMAP`),
    ]);
    assert.deepEqual(await rowsAfter(2 * GRACE), [IMAP, POP3]);
    await pipeline.setRules(await rulesWith('none', '198.51.100.0/24'));
    assert.deepEqual(await rowsAfter(GRACE - 60), [IMAP, POP3]);
    await pipeline.lines([
      line('imapd', `LOGOUT, ${of(POP3)}, headers=0, body=0, rcvd=1, sent=2, time=0`),
    ]);
    assert.deepEqual(await rowsAfter(60), []);
  });

  test('a logout beside a torn line ends its session, and prolongs no grant', async () => {
    await pipeline.lines([
      line('pop3d', `LOGOUT, ${of('192.0.2.1')}${POP3_END}`),
      line('pop3d', `LOGIN, ${of(POP3)}`),
      line('pop3d', 'LOGIN FAILED, user=A'),
    ]);
    now += 600;
    await pipeline.lines([line('pop3d', `LOGOUT, ${of(POP3)}${POP3_END}`)]);
    assert.equal(story().at(-1), `logout ${POP3}`);
    assert.deepEqual(await rowsAfter(GRACE - 600), []);
  });
});

describe('by hand', () => {
  const A = ip('198.51.100.1');
  const inMynetworks = ip('192.0.2.7');
  const excluded = ip('203.0.113.7');
  const subject = (which: IpText): Subject => ({ kind: 'address', ip: which });
  const anna: Subject = { kind: 'user', user: 'anna' };

  /** Lets time pass as the daemon does, a purge every few seconds, until the row is gone. */
  async function lastsFor(): Promise<number> {
    const start = now;
    while ((await rows()).length > 0) {
      now += 5;
      await pipeline.purge();
    }
    return now - start;
  }

  for (const seconds of [60, GRACE, 5 * GRACE + 300]) {
    test(`an address that is allowed for ${seconds} s has a row for just as long`, async () => {
      const allowed = await pipeline.allow(A, seconds);
      assert.equal(allowed.kind === 'allowed' && allowed.effect, 'added');
      const lasted = await lastsFor();
      assert.ok(Math.abs(lasted - seconds) <= 5, String(lasted));
      assert.equal(story()[0], 'allowed 198.51.100.1 added');
      assert.equal(story().at(-1), 'purged 198.51.100.1');
      assert.ok(
        story()
          .slice(1, -1)
          .every(text => text === 'kept 198.51.100.1'),
      );
    });
  }

  test('a login of an allowed address counts as any other', async () => {
    await pipeline.allow(A, 60);
    await pipeline.lines([login(A)]);
    assert.ok(Math.abs((await lastsFor()) - GRACE) <= 5);
  });

  test('what a login could not open cannot be allowed either', async () => {
    for (const which of [inMynetworks, excluded]) {
      assert.equal((await pipeline.allow(which, 60)).kind, 'ignored');
    }
    assert.deepEqual(
      [await rows(), story(), orders.list({ wall: epoch(now), steady: epoch(now) })],
      [[], [], []],
    );
  });

  test('an order of an earlier run goes on, also with a map that lacks its row', async () => {
    await pipeline.allow(A, 3 * GRACE);
    const saved = orders.save({ wall: epoch(now), steady: epoch(now) });
    const again = new Orders(() => graces());
    again.restore(saved, { wall: epoch(NOON), steady: epoch(NOON) });
    await start([], again);
    await pipeline.applyOrders([]);
    assert.deepEqual(await rows(), [`198.51.100.1 ${NOON}`]);
    assert.ok(Math.abs((await lastsFor()) - 3 * GRACE) <= 5);
  });

  test('an order of an earlier run opens nothing that is excluded now', async () => {
    orders.allow(excluded, 60, { wall: epoch(now), steady: epoch(now) });
    await pipeline.applyOrders([]);
    assert.deepEqual(await rows(), []);
  });

  test('what opens other networks gets no row, and loses the one that it has', async () => {
    const [opening, harmless] = [ip('fd00::5'), ip('fd00:0:0:1::5')];
    const whole = await rulesWith('none', 'none', true);
    const told = (): string[] => story().filter(line => line.includes('fd00::5'));

    await pipeline.lines([login(opening), login(harmless)]);
    assert.deepEqual(await pipeline.allow(opening, 60), {
      kind: 'ignored',
      reason: 'opens other networks',
    });
    assert.deepEqual(await rows(), [`fd00:0:0:1::5 ${NOON}`]);

    await pipeline.setRules(whole);
    await pipeline.lines([login(opening)]);
    await pipeline.allow(opening, 3 * GRACE);
    await pipeline.setRules(await rulesWith('none'));
    assert.deepEqual(await rows(), [`fd00:0:0:1::5 ${NOON}`]);

    // A start finds it in the map.
    await start([{ key: 'fd00::5', value: '1', stamp: epoch(NOON) }]);
    await map.eachGrant(grant => restored.restore(grant, { wall: epoch(now), steady: epoch(now) }));
    await pipeline.applyOrders([]);
    assert.deepEqual(await rows(), []);
    assert.deepEqual(told(), ['withdrawn fd00::5 opens other networks']);
  });

  test('an open session keeps no row that opens other networks', async () => {
    await pipeline.setRules(await rulesWith('none', 'none', true));
    await pipeline.lines([login('fd00::5')]);
    await pipeline.setRules(await rulesWith('none'));
    now += GRACE;
    await pipeline.purge();
    assert.deepEqual(await rows(), []);
  });

  test('an allowance is not renewed once its address is excluded', async () => {
    await pipeline.allow(A, 3 * GRACE);
    await pipeline.setRules(await rulesWith('none', '198.51.100.0/24'));
    assert.ok(Math.abs((await lastsFor()) - GRACE) <= 5);
  });

  test('a revocation of an earlier run ends a row that it could not take away', async () => {
    await pipeline.lines([login(A), login('198.51.100.2')]);
    await pipeline.applyOrders([A, ip('198.51.100.3')]);
    assert.deepEqual(await rows(), [`198.51.100.2 ${NOON}`]);
    assert.equal(story().at(-1), 'purged 198.51.100.1');
  });

  test('a revoked address loses its row at once, and gets none until the time is up', async () => {
    await pipeline.lines([login(A), login('198.51.100.2')]);
    const { rows: effects } = await pipeline.revoke([subject(A)], () => [A], 60);
    assert.deepEqual(effects, [{ ip: A, effect: 'removed' }]);
    assert.deepEqual(await rows(), [`198.51.100.2 ${NOON}`]);
    now += 59;
    await pipeline.lines([login(A)]);
    now += 2;
    // Told late, of the time before.
    await pipeline.lines([login(A, NOON + 59)]);
    assert.deepEqual(await rows(), [`198.51.100.2 ${NOON}`]);
    await pipeline.lines([login(A)]);
    assert.deepEqual(story().slice(2), [
      'revoked 198.51.100.1',
      'ignored 198.51.100.1 revoked',
      'ignored 198.51.100.1 revoked',
      'granted 198.51.100.1 added',
    ]);
  });

  test('nothing keeps or reopens a revoked grant: no session, no logout, no allowance', async () => {
    const logout = (): string =>
      `${formatStamp(epoch(now))} mx dovecot: pop3(anna)<1><a>: Logged out top=0/0, retr=0/0, del=0/0, size=0`;
    await pipeline.lines([login('198.51.100.9'), logout()]);
    await pipeline.allow(A, 10 * GRACE);
    await pipeline.lines([login(A)]);
    await pipeline.revoke(
      [subject(A), subject(ip('198.51.100.9'))],
      () => [A, ip('198.51.100.9')],
      10 * GRACE,
    );
    now += GRACE;
    await pipeline.purge();
    await pipeline.lines([logout()]);
    await pipeline.applyOrders([]);
    now += GRACE;
    await pipeline.purge();
    assert.deepEqual(await rows(), []);
  });

  test('a revoked user gets no grant from anywhere; others do', async () => {
    await pipeline.revoke([anna], () => [], 60);
    await pipeline.lines([login('198.51.100.3'), login('2001:db8::3')]);
    assert.deepEqual(await rows(), []);
    await pipeline.lines([login('198.51.100.3').replace('<anna>', '<bert>')]);
    assert.deepEqual(await rows(), [`198.51.100.3 ${NOON}`]);
  });

  test('a login that was read before the order is found by it', async () => {
    const granted = (): IpText[] =>
      decisions.flatMap(decision => (decision.kind === 'login' ? [decision.login.ip] : []));
    await Promise.all([
      pipeline.lines([login('198.51.100.3')]),
      pipeline.revoke([anna], granted, 60),
      pipeline.lines([login('198.51.100.4')]),
    ]);
    assert.deepEqual(await rows(), []);
    assert.deepEqual(story(), [
      'granted 198.51.100.3 added',
      'revoked 198.51.100.3',
      'ignored 198.51.100.4 revoked',
    ]);
  });

  test("a row of the administrator's is neither given nor taken", async () => {
    await start([{ key: A, value: 'OK', stamp: null }]);
    const allowed = await pipeline.allow(A, 60);
    assert.equal(allowed.kind === 'allowed' && allowed.effect, 'foreign');
    const { rows: effects } = await pipeline.revoke([subject(A)], () => [A], 60);
    assert.deepEqual(effects, [{ ip: A, effect: 'foreign' }]);
    assert.deepEqual(await rows(), ['198.51.100.1 OK']);
  });

  test('the row of a test is no grant, ends in time, and takes nothing from anybody', async () => {
    assert.equal(await pipeline.probe(A, 60), 'added');
    assert.deepEqual(await rows(), [`${A} ${NOON + 60 - GRACE}`]);
    assert.equal(await pipeline.unprobe(A), true);
    assert.deepEqual(await rows(), []);
    assert.deepEqual(story(), [`probed ${A} 60`, `probed ${A} null`]);

    await pipeline.probe(A, 60);
    await pipeline.lines([login(A)]);
    assert.equal(await pipeline.unprobe(A), true);
    assert.equal(await pipeline.probe(A, 60), 'granted');
    assert.deepEqual(await rows(), [`${A} ${NOON}`], 'a login has it by now');

    await start([{ key: A, value: 'OK', stamp: null }]);
    assert.equal(await pipeline.probe(A, 60), 'foreign');
    assert.deepEqual(story(), []);
  });

  test('the row of a test that could not be written does not come later', async () => {
    map.full = true;
    assert.equal(await pipeline.probe(A, 60), null);
    map.full = false;
    now += 2;
    await pipeline.purge();
    assert.deepEqual(await rows(), []);
  });

  test('an order while the map cannot be written follows as soon as it can', async () => {
    await pipeline.lines([login(A)]);
    map.full = true;
    const { rows: effects } = await pipeline.revoke([subject(A)], () => [A], 60);
    assert.deepEqual(effects, [{ ip: A, effect: null }]);
    const allowed = await pipeline.allow(ip('198.51.100.2'), 60);
    assert.equal(allowed.kind === 'allowed' && allowed.effect, null);
    map.full = false;
    now += 2;
    await pipeline.purge();
    assert.deepEqual(await rows(), [`198.51.100.2 ${NOON + 60 - GRACE}`]);
  });
});
