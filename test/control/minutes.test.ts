import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { epoch, type Moment } from '../../src/base/clock.ts';
import { MINUTES, Minutes } from '../../src/control/minutes.ts';

/** At the beginning of a minute. */
const NOON = 1_700_000_040;

const at = (wall: number, steady: number): Moment => ({ wall: epoch(wall), steady: epoch(steady) });

function busy(): Minutes {
  const minutes = new Minutes(at(NOON, 600));
  minutes.login();
  minutes.login();
  minutes.grants(7);
  minutes.moveOn(at(NOON + 60, 660));
  minutes.login();
  minutes.grants(8);
  return minutes;
}

const lastOf = (values: readonly number[], count: number): readonly number[] =>
  values.slice(MINUTES - count);

describe('the hour before', () => {
  const table: [name: string, passed: number, logins: number[], grants: number[]][] = [
    ['goes on in the same minute', 0, [0, 2, 1], [0, 7, 8]],
    ['is moved by the minutes that have gone by', 120, [2, 1, 0, 0], [7, 8, 0, 0]],
    ['is over after an hour', 3660, [0, 0, 0], [0, 0, 0]],
    ['is of no use when the clock has gone back', -3600, [0, 0, 0], [0, 0, 0]],
  ];
  for (const [name, passed, logins, grants] of table)
    test(`${name}, also after a reboot`, () => {
      const saved: unknown = JSON.parse(JSON.stringify(busy().save(at(NOON + 60, 660))));
      // The steady clock begins anew with the machine.
      const now = at(NOON + 60 + passed, 5);
      const next = new Minutes(now);
      next.restore(saved, now);
      assert.deepEqual(lastOf(next.loginsByMinute, logins.length), logins);
      assert.deepEqual(lastOf(next.grantsByMinute, grants.length), grants);
    });

  test('is added to what has come since', () => {
    const now = at(NOON + 60, 5);
    const next = new Minutes(now);
    next.login();
    next.restore(busy().save(at(NOON + 60, 660)), now);
    assert.deepEqual(lastOf(next.loginsByMinute, 2), [2, 2]);
  });

  test('is nothing where it is any other JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        const minutes = new Minutes(at(NOON, 5));
        minutes.restore(value, at(NOON, 5));
        minutes.restore(
          { minute: Math.floor(NOON / 60), logins: value, grants: value },
          at(NOON, 5),
        );
        assert.equal(minutes.loginsByMinute.length, MINUTES);
        assert.ok(minutes.loginsByMinute.every(count => count === 0));
      }),
    );
  });
});
