import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { IpText } from '../../src/base/address.ts';
import { canonicalIp } from '../../src/base/address.ts';
import { epoch } from '../../src/base/clock.ts';
import type { Line } from '../../src/line/prefix.ts';
import { CONNECT_AGE, Connects, MOST_CONNECTS } from '../../src/recogniser/connects.ts';

const ip = (text: string): IpText => {
  const address = canonicalIp(text);
  assert.ok(address !== null);
  return address;
};
const A = ip('192.0.2.1');
const B = ip('2001:db8::1');

const line = (fields: Partial<Line> & { readonly at?: number }): Line => {
  const { at = 0, ...others } = fields;
  const time = epoch(1_000_000 + at);
  return { time, host: 'mx', program: 'popa3d', pid: '7', message: 'x', ...others };
};

describe('an address is found', () => {
  test('once', () => {
    const connects = new Connects();
    connects.add('s', line({}), A);
    assert.equal(connects.take('s', line({})), A);
    assert.equal(connects.take('s', line({})), null);
  });

  test('under its own server, host, program and process only', () => {
    const others: readonly (readonly [string, Line])[] = [
      ['t', line({})],
      ['s', line({ host: 'my' })],
      ['s', line({ host: null })],
      ['s', line({ program: 'popa3e' })],
      ['s', line({ pid: '8' })],
      ['s', line({ pid: null })],
    ];
    const connects = new Connects();
    connects.add('s', line({}), A);
    for (const [server, other] of others) assert.equal(connects.take(server, other), null);
    assert.equal(connects.take('s', line({})), A);
  });

  test('of the newest connection of a process', () => {
    const connects = new Connects();
    connects.add('s', line({}), A);
    connects.add('s', line({}), B);
    assert.equal(connects.take('s', line({})), B);
    assert.equal(connects.take('s', line({})), null);
  });

  for (const [at, found] of [
    [CONNECT_AGE, A],
    [CONNECT_AGE + 1, null],
    [-CONNECT_AGE, A],
    [-CONNECT_AGE - 1, null],
  ] as const) {
    test(`${at} seconds later: ${found}`, () => {
      const connects = new Connects();
      connects.add('s', line({}), A);
      assert.equal(connects.take('s', line({ at })), found);
    });
  }

  test('only where both lines say when they were written', () => {
    const connects = new Connects();
    connects.add('s', line({ time: null }), A);
    assert.equal(connects.take('s', line({})), null);
    connects.add('s', line({}), A);
    assert.equal(connects.take('s', line({ time: null })), null);
    // A connection of unknown time still ends the one before.
    connects.add('s', line({}), A);
    connects.add('s', line({ time: null }), B);
    assert.equal(connects.take('s', line({})), null);
  });
});

test('when there are too many, the oldest goes', () => {
  const connects = new Connects();
  for (let pid = 0; pid <= MOST_CONNECTS; pid++) connects.add('s', line({ pid: `${pid}` }), A);
  assert.equal(connects.take('s', line({ pid: '0' })), null);
  assert.equal(connects.take('s', line({ pid: '1' })), A);
  assert.equal(connects.take('s', line({ pid: `${MOST_CONNECTS}` })), A);
});

/** What is known of a process, as plainly as it can be said. */
interface Model {
  readonly clients: Map<string, { ip: IpText; at: number }>;
  now: number;
}

class Connect implements fc.Command<Model, Connects> {
  readonly #pid: string;
  readonly #ip: IpText;
  constructor(pid: string, address: IpText) {
    this.#pid = pid;
    this.#ip = address;
  }
  check = (): boolean => true;
  run(model: Model, connects: Connects): void {
    model.clients.set(this.#pid, { ip: this.#ip, at: model.now });
    connects.add('s', line({ pid: this.#pid, at: model.now }), this.#ip);
  }
  toString = (): string => `connect ${this.#pid} ${this.#ip}`;
}

/** A login or a failure: both use up what is known. */
class Take implements fc.Command<Model, Connects> {
  readonly #pid: string;
  constructor(pid: string) {
    this.#pid = pid;
  }
  check = (): boolean => true;
  run(model: Model, connects: Connects): void {
    const client = model.clients.get(this.#pid);
    model.clients.delete(this.#pid);
    const known = client !== undefined && model.now - client.at <= CONNECT_AGE;
    const found = connects.take('s', line({ pid: this.#pid, at: model.now }));
    assert.equal(found, known ? client.ip : null);
  }
  toString = (): string => `take ${this.#pid}`;
}

class Wait implements fc.Command<Model, Connects> {
  readonly #seconds: number;
  constructor(seconds: number) {
    this.#seconds = seconds;
  }
  check = (): boolean => true;
  run(model: Model): void {
    model.now += this.#seconds;
  }
  toString = (): string => `wait ${this.#seconds}`;
}

test('sessions that interleave, and process ids that are used again', () => {
  const pid = fc.constantFrom('1', '2', '3');
  const commands = fc.commands([
    fc.tuple(pid, fc.constantFrom(A, B)).map(([process, address]) => new Connect(process, address)),
    pid.map(process => new Take(process)),
    fc.constantFrom(0, 1, CONNECT_AGE / 2, CONNECT_AGE).map(seconds => new Wait(seconds)),
  ]);
  fc.assert(
    fc.property(commands, cmds => {
      fc.modelRun(() => ({ model: { clients: new Map(), now: 0 }, real: new Connects() }), cmds);
    }),
    { numRuns: 1000 },
  );
});
