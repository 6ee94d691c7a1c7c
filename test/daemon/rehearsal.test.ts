/** What the daemon would decide of logins of the past. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { type Rehearsal, rehearse } from '../../src/daemon/rehearsal.ts';
import { runSettings } from '../../src/daemon/settings.ts';
import { parseCommandLine } from '../../src/options/command-line.ts';
import type { LoginEvent } from '../../src/recogniser/event.ts';
import { login } from '../doctor/arrange.ts';
import { directory } from '../map/scratch.ts';

const place = await directory();
const LONG_AGO = Date.parse('2026-01-01T00:00:00Z') / 1000;

async function play(logins: readonly LoginEvent[], ...options: string[]): Promise<Rehearsal> {
  const given = ['--map', `lmdb:${join(place, 'map')}`, '--mynetworks', '192.0.2.0/24', ...options];
  const { values } = parseCommandLine(['doctor', ...given], '');
  return rehearse(logins, runSettings(values));
}

const outcomes = ({ logins }: Rehearsal): string[] =>
  logins.map(({ outcome }) => (outcome.kind === 'ignored' ? outcome.reason : outcome.kind));

describe('a rehearsal', () => {
  const one = login('198.51.100.1', LONG_AGO);
  const table: readonly (readonly [string, LoginEvent, readonly string[], string])[] = [
    ['grants what is long past', one, [], 'granted'],
    ['knows mynetworks', login('192.0.2.9', LONG_AGO), [], 'in mynetworks'],
    ['knows the exclusions', one, ['--exclude', '0.0.0.0/0'], 'excluded'],
    ['asks for TLS', one, ['--require-tls'], 'not encrypted'],
    ['asks for users', one, ['--allow-users', 'bert'], 'user not allowed'],
    ['needs a time', login('198.51.100.1', null), [], 'no time stamp'],
  ];
  for (const [name, event, options, expected] of table)
    test(name, async () => assert.deepEqual(outcomes(await play([event], ...options)), [expected]));

  test('counts on the own clock of the logins, in their order', async () => {
    const at = (minute: number): LoginEvent => login('198.51.100.1', LONG_AGO + minute * 60);
    assert.deepEqual(outcomes(await play([at(30), at(0), at(5)])), [
      'granted',
      'refreshed',
      'granted',
    ]);
  });

  test('counts the users of an address', async () => {
    const logins = Array.from({ length: 12 }, (_, index) =>
      login('198.51.100.3', LONG_AGO + index, { user: `u${index}` }),
    );
    assert.deepEqual(
      (await play(logins)).crowded.map(({ ip }) => ip),
      ['198.51.100.3'],
    );
    const limit = ['--max-users-per-address', '3', '--limit-action', 'refuse'];
    const refused = await play(logins, ...limit);
    assert.deepEqual(refused.crowded, [], 'what is refused needs no warning');
    assert.deepEqual(outcomes(refused).slice(2, 5), [
      'refreshed',
      'too many users',
      'too many users',
    ]);
    assert.deepEqual((await play(logins, '--max-users-per-address', 'none')).crowded, []);
    const apart = logins.map((each, index) => ({ ...each, time: epoch(LONG_AGO + index * 3600) }));
    assert.deepEqual((await play(apart)).crowded, [], 'grants that have ended count no more');
    const same = logins.map(each => ({ ...each, user: 'anna' }));
    assert.deepEqual((await play(same)).crowded, [], 'a user counts once');
  });

  test('says what it could not take into account', async () => {
    const { logins, left } = await play([one], '--mynetworks', 'nonsense/99');
    assert.deepEqual(logins, []);
    assert.match(left ?? '', /nonsense/);
    await writeFile(join(place, 'map.orders'), 'no orders');
    const unread = await play([one]);
    assert.deepEqual(outcomes(unread), ['granted']);
    assert.notEqual(unread.left, null);
  });
});
