import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CATALOGUE, type ErrorCode, OF_ORIGIN } from '../../src/base/errors.ts';
import type { Given } from '../../src/base/given.ts';
import { parseConfig } from '../../src/options/config.ts';
import { OPTION_NAMES, type OptionName, specOf } from '../../src/options/options.ts';
import {
  changesForNextStart,
  ruleOptionsOf,
  type Settings,
  settingsOf,
  someOf,
} from '../../src/options/settings.ts';
import { Values } from '../../src/options/values.ts';
import { assertFails } from '../failure.ts';

const NONE = new Values(new Map());
const FILE = '/f.toml';
const file = (text: string): Values => parseConfig(text, FILE);

const typed = (name: OptionName, value: string): Values =>
  new Values(new Map([[name, { value, origin: `--${name}` }]]));

test('the types of settings are read off the table', () => {
  const run: Settings<'run'> = settingsOf(NONE, 'run');
  const format: 'text' | 'json' = run.logFormat;
  const seconds: number = run.grace;
  const limit: number | null = run.sessionLimit;
  const map: Given<readonly string[]> = run.map;
  const user: string | null = settingsOf(NONE, 'list').user;
  assert.deepEqual(
    [format, seconds, limit, map.value, user],
    ['text', 900, 86_400, ['lmdb:/var/popbsmtp/pop-before-smtp'], null],
  );
  // @ts-expect-error: an option that the command does not have.
  assert.equal(settingsOf(NONE, 'match').grace, undefined);
});

test('some settings are read whatever the others are like', () => {
  assert.deepEqual(someOf(file('grace = "soon"\nlog-users = "none"'), 'log-users'), {
    logUsers: 'none',
  });
});

describe('the status of a wrong value depends on where it stands', () => {
  const table: readonly (readonly [OptionName, string, ErrorCode])[] = [
    ['grace', '-5', 'DURATION'],
    ['max-grants', '0', 'COUNT'],
    ['log-format', 'xml', 'CHOICE'],
  ];
  for (const [name, value, code] of table) {
    test(`${name} = ${value}`, () => {
      for (const [values, exit] of [
        [typed(name, value), 64],
        [file(`${name} = "${value}"`), 78],
      ] as const) {
        assert.throws(() => settingsOf(values, 'run'), { code, exit });
      }
    });
  }
});

test('an error whose status depends on the origin of a value begins with it', () => {
  const texts = Object.values(CATALOGUE)
    .filter(({ exit }) => exit === OF_ORIGIN)
    .map(({ text }) => text);
  assert.ok(texts.length > 10);
  assert.deepEqual(
    texts.filter(text => !/^\{(?:where|origin)\}/.test(text)),
    [],
  );
});

describe('a reload', () => {
  test('takes what decides about a login', () => {
    assert.deepEqual(Object.keys(ruleOptionsOf(NONE)).sort(), [
      'allowOwnAddresses',
      'allowUsers',
      'denyUsers',
      'dovecotElements',
      'exclude',
      'grace',
      'graceFor',
      'limitAction',
      'maxAddressesPerUser',
      'maxMessagesPerGrant',
      'maxRecipientsPerGrant',
      'maxRecipientsPerHour',
      'maxUsersPerAddress',
      'mynetworks',
      'patterns',
      'postfixConfig',
      'requireTls',
      'trustedRelays',
      'wholeAddresses',
    ]);
  });

  test('leaves the rest to the next start, and says so of what has changed', () => {
    const old = file('map = "lmdb:/a"\ndebug = true\ngrace = "1h"\nfleet-prefix = "a"');
    const now = file('map = ["lmdb:/a", "cidr:/b"]\nexclude = "none"\nfleet-prefix = "b"');
    assert.deepEqual(changesForNextStart(old, now), ['map', 'debug', 'fleet-prefix']);
  });

  test('sees no change in another spelling or another place', () => {
    const now = file('map = "lmdb:/var/popbsmtp/pop-before-smtp"\nsession-limit = "24h"');
    assert.deepEqual(changesForNextStart(NONE, now), []);
  });

  test('fails on what is wrong', () => {
    assertFails(() => changesForNextStart(NONE, file('log-users = "x"')), 'CHOICE', 'log-users');
  });
});

test('every option of the file says when it takes effect, and no other one', () => {
  const wrong = OPTION_NAMES.filter(name => specOf(name).onReload === true).filter(
    name => !specOf(name).inFile || !specOf(name).commands.includes('run'),
  );
  assert.deepEqual(wrong, []);
});
