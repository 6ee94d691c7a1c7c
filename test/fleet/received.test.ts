/**
 * What becomes of what other hosts publish: the pipeline's own rules judge it, in whatever order and however often it
 * arrives.
 */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import type { IpText } from '../../src/base/address.ts';
import { epoch } from '../../src/base/clock.ts';
import { loadClassifier } from '../../src/classifier/classifier.ts';
import { Pipeline } from '../../src/daemon/pipeline.ts';
import type { Entry, Received } from '../../src/fleet/entry.ts';
import { Decider } from '../../src/grant/decider.ts';
import type { Decision } from '../../src/grant/decision.ts';
import { Grace } from '../../src/grant/grace.ts';
import { GrantTable } from '../../src/grant/grant-table.ts';
import { Orders } from '../../src/grant/orders.ts';
import type { Policy } from '../../src/grant/policy.ts';
import { Roster } from '../../src/grant/roster.ts';
import { parseUserList } from '../../src/grant/user-list.ts';
import { MemoryMap } from '../../src/map/memory-map.ts';
import { addresses, ip } from '../map/addresses.ts';

const NOON = 1_700_000_000;
const GRACE = 900;
const A = ip('198.51.100.1');
const B = ip('198.51.100.2');

const LIBERAL: Policy = {
  requireTls: false,
  allowUsers: null,
  denyUsers: null,
  limits: { usersPerAddress: null, addressesPerUser: null },
};
const classifier = await loadClassifier({
  mynetworks: '192.0.2.0/24',
  mynetworksOrigin: '--mynetworks',
  postfixConfig: null,
  exclude: '203.0.113.0/24',
  excludeOrigin: '--exclude',
  warn: text => assert.fail(text),
});

class Host {
  readonly decisions: Decision[] = [];
  readonly map = new MemoryMap({ type: 'lmdb', path: '/map' }, []);
  readonly #roster = new Roster();
  readonly #pipeline: Pipeline;
  now = NOON;

  constructor(policy: Partial<Policy> = {}, capacity?: number) {
    const grace = new Grace(GRACE);
    const decider = new Decider({
      rules: { classifier, grace, policy: { ...LIBERAL, ...policy } },
      grants: new GrantTable(() => GRACE),
      sessions: null,
      orders: new Orders(() => grace, capacity),
    });
    this.#pipeline = new Pipeline({
      decider,
      map: this.map,
      clock: { now: () => ({ wall: epoch(this.now), steady: epoch(this.now) }) },
      report: decision => {
        this.decisions.push(decision);
        this.#roster.report(decision);
      },
    });
  }

  receive(...entries: readonly Entry[]): Promise<void> {
    const received = entries.map((entry): Received => ({ from: 'mx2', instance: '0', entry }));
    return this.#pipeline.received(received, user => this.#roster.ofUser(user).ips);
  }

  purge(): Promise<void> {
    return this.#pipeline.purge();
  }

  revoke(...ips: readonly IpText[]): Promise<unknown> {
    const subjects = ips.map(one => ({ kind: 'address', ip: one }) as const);
    return this.#pipeline.revoke(subjects, () => ips, 60);
  }

  async rows(): Promise<string[]> {
    return (await this.map.rows()).map(({ key, value }) => `${key} ${Number(value) - NOON}`);
  }

  /** Kinds, and reasons of what was ignored. */
  story(): string[] {
    return this.decisions.map(decision => {
      if (decision.kind !== 'login') return decision.kind;
      const { outcome } = decision;
      return outcome.kind === 'ignored' ? outcome.reason : outcome.kind;
    });
  }
}

type Presence = Extract<Entry, { kind: 'login' | 'session' }>;

const login = (address: IpText, time = 0, changes: Partial<Presence> = {}): Presence => ({
  kind: 'login',
  ip: address,
  time: epoch(NOON + time),
  server: 'dovecot',
  user: 'anna',
  tls: true,
  ...changes,
});

const session = (address: IpText, time = 0, changes: Partial<Presence> = {}): Presence =>
  login(address, time, { ...changes, kind: 'session' });

const revocation = (subject: IpText | { user: string }, made = 0, lasts = 60): Entry => ({
  kind: 'order',
  order: {
    kind: 'revoke',
    subject:
      typeof subject === 'string'
        ? { kind: 'address', ip: subject }
        : { kind: 'user', user: subject.user },
    made: epoch(NOON + made),
    until: epoch(NOON + made + lasts),
  },
});

const allowance = (address: IpText, made = 0, lasts = 60): Entry => ({
  kind: 'order',
  order: {
    kind: 'allow',
    subject: { kind: 'address', ip: address },
    made: epoch(NOON + made),
    until: epoch(NOON + made + lasts),
  },
});

const withdrawal = (address: IpText, time = 0): Entry => ({
  kind: 'withdrawn',
  ip: address,
  time: epoch(NOON + time),
  reason: 'too many users',
});

let host: Host;

beforeEach(() => {
  host = new Host();
});

describe('a received login', () => {
  test('grants, and says who has told it', async () => {
    await host.receive(login(A));
    assert.deepEqual(await host.rows(), [`${A} 0`]);
    const [decision] = host.decisions;
    assert.deepEqual(decision?.kind === 'login' && [decision.from, decision.outcome], [
      'mx2',
      { kind: 'granted', effect: 'added' },
    ]);
  });

  test('that is repeated, or older than another, changes nothing', async () => {
    await host.receive(login(A, -5), login(A, -9), login(A, -5));
    assert.deepEqual(await host.rows(), [`${A} -5`]);
  });

  test('that is older than the grace period opens nothing', async () => {
    await host.receive(login(A, -GRACE));
    assert.deepEqual([await host.rows(), host.story()], [[], ['too old']]);
  });

  test('that had its grant, which was closed before its time, does not open it again', async () => {
    await host.receive(login(A, -5), revocation(A, -3));
    const subject = { kind: 'address', ip: A } as const;
    const span = { made: epoch(NOON - 2), until: epoch(NOON + 1000) };
    await host.receive({ kind: 'order', order: { kind: 'lift', subject, ...span } });
    await host.receive(session(A, -5), login(A, -5), login(A, -6));
    assert.deepEqual(await host.rows(), []);
    await host.receive(login(A, -1));
    assert.deepEqual(await host.rows(), [`${A} -1`]);
    await host.receive(withdrawal(A, -1), session(A, -1));
    assert.deepEqual(await host.rows(), []);
  });

  test('ends when its grace period is over', async () => {
    await host.receive(login(A, -100));
    host.now += GRACE - 100;
    await host.purge();
    assert.deepEqual(await host.rows(), []);
  });

  const refused: [string, Partial<Policy>, Presence, string][] = [
    ['in mynetworks', {}, login(ip('192.0.2.1')), 'in mynetworks'],
    ['in an excluded network', {}, login(ip('203.0.113.1')), 'excluded'],
    ['whose row opens other networks', {}, login(ip('fd00::5')), 'opens other networks'],
    ['of a session of such a one', {}, session(ip('fd00::5')), 'opens other networks'],
    [
      'of a user who may not',
      { denyUsers: parseUserList(['anna'], '-') },
      login(A),
      'user not allowed',
    ],
    [
      'of nobody where some may',
      { allowUsers: parseUserList(['anna'], '-') },
      login(A, 0, { user: null }),
      'user not allowed',
    ],
    ['that was not encrypted', { requireTls: true }, login(A, 0, { tls: false }), 'not encrypted'],
    [
      'of which that is not known',
      { requireTls: true },
      session(A, 0, { tls: null }),
      'not encrypted',
    ],
  ];
  for (const [what, policy, entry, reason] of refused) {
    test(`${what} opens nothing here`, async () => {
      const strict = new Host(policy);
      await strict.receive(entry);
      assert.deepEqual([await strict.rows(), strict.story()], [[], [reason]]);
    });
  }

  test("counts for this host's limits", async () => {
    const strict = new Host({
      limits: { usersPerAddress: { most: 1, action: 'refuse' }, addressesPerUser: null },
    });
    await strict.receive(login(A), login(A, 0, { user: 'bert' }));
    assert.deepEqual(await strict.rows(), []);
    assert.deepEqual(strict.story(), ['granted', 'limit exceeded', 'withdrawn', 'too many users']);
  });
});

describe('a session of another host', () => {
  test('prolongs a grant, and opens where there is none', async () => {
    await host.receive(login(A, -60), session(A), session(B));
    assert.deepEqual(await host.rows(), [`${A} 0`, `${B} 0`]);
    assert.deepEqual(host.story(), ['granted', 'kept', 'granted']);
    assert.ok(host.decisions.every(decision => 'from' in decision && decision.from === 'mx2'));
  });

  test('of a user who is refused here prolongs nothing of another', async () => {
    await host.receive(
      login(A, -60),
      revocation({ user: 'bert' }),
      session(A, 0, { user: 'bert' }),
    );
    assert.deepEqual(await host.rows(), [`${A} -60`]);
  });

  test('prolongs what an encrypted login has opened', async () => {
    const strict = new Host({ requireTls: true });
    await strict.receive(login(A, -60), session(A, 0, { tls: null }));
    assert.deepEqual(await strict.rows(), [`${A} 0`]);
  });
});

describe('a revocation of another host', () => {
  test('ends what there is, and refuses what comes', async () => {
    await host.receive(login(A, -9), login(B, -9, { user: 'bert' }));
    await host.receive(revocation({ user: 'ANNA' }));
    await host.receive(login(A, 5));
    assert.deepEqual(await host.rows(), [`${B} -9`]);
    assert.deepEqual(host.story(), ['granted', 'granted', 'revoked', 'revoked']);
  });

  test('that is over refuses only what was before its end', async () => {
    host.now += 100;
    await host.receive(login(A, 70), revocation(A, 0, 60), login(B, 50), revocation(B, 0, 60));
    assert.deepEqual(await host.rows(), [`${A} 70`]);
    await host.receive(login(B, 59), login(B, 60));
    assert.deepEqual(await host.rows(), [`${A} 70`, `${B} 60`]);
  });

  test('does not take the place of a newer order, and is not told twice', async () => {
    await host.revoke(A);
    await host.receive(allowance(A, -5), revocation(A, -9), revocation(B, 0), revocation(B, 0));
    assert.deepEqual(await host.rows(), []);
    assert.deepEqual(host.story(), ['revoked', 'revoked']);
  });

  test('is left out when there is no room for it', async () => {
    const small = new Host({}, 2);
    await small.receive(revocation(A), revocation(B), revocation({ user: 'anna' }));
    assert.deepEqual(small.story(), ['revoked', 'order bounded']);
  });

  test('for longer than 30 days is told as it holds here', async () => {
    await host.receive(revocation(A, 0, 900_000_000));
    const [decision] = host.decisions;
    assert.ok(decision?.kind === 'revoked');
    assert.equal(decision.orders[0]?.until, NOON + 30 * 86_400);
    assert.deepEqual(host.story(), ['revoked', 'order bounded']);
  });
});

describe('what another host lifts', () => {
  const lift = (subject: IpText | { user: string }, made: number): Entry => ({
    kind: 'order',
    order: {
      kind: 'lift',
      subject:
        typeof subject === 'string'
          ? { kind: 'address', ip: subject }
          : { kind: 'user', user: subject.user },
      made: epoch(NOON + made),
      until: epoch(NOON + made + 1000),
    },
  });

  test('is refused no longer, and open no longer', async () => {
    await host.receive(
      revocation({ user: 'anna' }, -9),
      allowance(B, -9),
      lift({ user: 'ANNA' }, -8),
    );
    await host.receive(login(A), lift(B, -8));
    assert.deepEqual(await host.rows(), [`${A} 0`]);
    assert.deepEqual(host.story(), ['revoked', 'allowed', 'lifted', 'granted', 'lifted']);
  });

  test('stays so when the older order comes again, and is not told where nothing was known', async () => {
    await host.receive(lift(A, -8), revocation(A, -9), lift(A, -8), login(A));
    assert.deepEqual(await host.rows(), [`${A} 0`]);
    assert.deepEqual(host.story(), ['granted']);
  });
});

describe('an allowance of another host', () => {
  test('grants until its end', async () => {
    await host.receive(allowance(A, -10, 60));
    assert.deepEqual(host.story(), ['allowed']);
    assert.equal((await host.rows()).length, 1);
    host.now += 51;
    await host.purge();
    assert.deepEqual(await host.rows(), []);
  });

  test('that is over, or of an address that never gets a grant, is nothing', async () => {
    await host.receive(
      allowance(A, -60, 60),
      allowance(ip('203.0.113.1')),
      allowance(ip('192.0.2.1')),
    );
    assert.deepEqual([await host.rows(), host.story()], [[], []]);
  });
});

test('a withdrawal ends a grant, unless it has had a later login', async () => {
  await host.receive(login(A, -9), login(B, 0), withdrawal(A, -9), withdrawal(B, -9));
  assert.deepEqual(await host.rows(), [`${B} 0`]);
  assert.deepEqual(host.story(), ['granted', 'granted', 'withdrawn']);
});

test('a withdrawal holds for what arrives after it and is older', async () => {
  await host.receive(withdrawal(A, -9), login(B, -20), withdrawal(B, -9));
  await host.receive(login(A, -9), session(A, -10), login(B, -10));
  assert.deepEqual([await host.rows(), host.story()], [[], ['granted', 'withdrawn']]);
  await host.receive(login(A, -8));
  assert.deepEqual(await host.rows(), [`${A} -8`]);
});

test('in whatever order, and however often: the latest login wins, and revocations hold', async () => {
  const ips = addresses('10.0', 4);
  const users = ['anna', 'bert'];
  const second = fc.integer({ min: -GRACE - 50, max: 0 });
  const presence = fc
    .record({ at: fc.nat(3), time: second, user: fc.nat(1), open: fc.boolean() })
    .map(({ at, time, user, open }) => {
      const changes = { user: users[user] ?? null };
      const which = ips[at] ?? A;
      return open ? session(which, time, changes) : login(which, time, changes);
    });
  const order = fc
    .record({ at: fc.nat(3), made: second })
    // All as long: a newer one that ends sooner lifts the older one, and what that refused meanwhile does not return.
    .map(({ at, made }) => revocation(ips[at] ?? A, made, 200));
  const stories = fc
    .array(fc.oneof({ arbitrary: presence, weight: 4 }, order), { maxLength: 30 })
    .chain(entries =>
      fc.tuple(
        fc.constant(entries),
        fc.shuffledSubarray([...entries, ...entries], { minLength: 0 }),
        fc.integer({ min: 1, max: 8 }),
      ),
    );
  await fc.assert(
    fc.asyncProperty(stories, async ([entries, more, size]) => {
      const one = new Host();
      const arrivals = [...more, ...entries];
      for (let at = 0; at < arrivals.length; at += size)
        await one.receive(...arrivals.slice(at, at + size));
      assert.deepEqual(await one.rows(), expected(entries, ips));
    }),
    { numRuns: 300 },
  );
});

/** The plainest model: of each address the latest login that no revocation was in force for or after. */
function expected(entries: readonly Entry[], ips: readonly IpText[]): string[] {
  return ips.flatMap(which => {
    const untils = entries.flatMap(entry =>
      entry.kind === 'order' &&
      entry.order.subject.kind === 'address' &&
      entry.order.subject.ip === which
        ? [entry.order]
        : [],
    );
    const newest = untils.toSorted((a, b) => b.made - a.made || b.until - a.until)[0];
    const times = entries.flatMap(entry =>
      entry.kind !== 'order' && entry.ip === which ? [entry.time - NOON] : [],
    );
    const open = times.filter(
      time => time > -GRACE && (newest === undefined || time >= newest.until - NOON),
    );
    return open.length === 0 ? [] : [`${which} ${Math.max(...open)}`];
  });
}
