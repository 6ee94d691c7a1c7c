import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Failure } from '../../src/base/errors.ts';
import { parseEntry } from '../../src/source/journal-entry.ts';
import { fromRoot, isChosen, matchArguments, parseMatch } from '../../src/source/journal-match.ts';

const matchesOf = (...texts: readonly string[]) =>
  texts.map(text => parseMatch(text, '--journal-match'));

describe('journalctl is asked for', () => {
  for (const [texts, args] of [
    [['CONTAINER_TAG=mailu-front'], ['CONTAINER_TAG=mailu-front']],
    [
      ['CONTAINER_NAME=a', 'CONTAINER_NAME=b'],
      ['CONTAINER_NAME=a', '+', 'CONTAINER_NAME=b'],
    ],
    [['CONTAINER_NAME=mail _UID=1000'], ['CONTAINER_NAME=mail', '_UID=1000']],
    [[' IMAGE_NAME=my mail  _UID=0 '], ['IMAGE_NAME=my mail', '_UID=0']],
    [['_SYSTEMD_UNIT=mail@a=b.service'], ['_SYSTEMD_UNIT=mail@a=b.service']],
  ] as const)
    test(texts.join(' | '), () => assert.deepEqual(matchArguments(matchesOf(...texts)), args));
});

for (const text of [
  '',
  'mailu-front',
  'CONTAINER_TAG',
  'CONTAINER_TAG=',
  'container_tag=x',
  '--merge',
  '/usr/bin/x',
  'CONTAINER_TAG=a + CONTAINER_TAG=b',
  'CONTAINER_TAG=a\tb',
  '__CURSOR=x',
  // Whom these choose is everybody, or all that root runs.
  '_UID=0',
  '_TRANSPORT=journal _UID=0',
  '_HOSTNAME=mx',
  '_COMM=dockerd',
  'MESSAGE=x',
  // The rest of a line would come without its head.
  'CONTAINER_TAG=a PRIORITY=6',
  'CONTAINER_PARTIAL_LAST=true',
  'CONTAINER_NAME=a CONTAINER_LOG_ORDINAL=1',
])
  test(`chooses nothing: ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => parseMatch(text, '--journal-match'),
      (error: unknown) =>
        error instanceof Failure && error.code === 'JOURNAL_MATCH' && error.exit === 64,
    );
  });

describe('an entry is chosen', () => {
  const isOne = (fields: object, text: string, root = true): boolean => {
    const entry = parseEntry(
      JSON.stringify({
        ...{ __CURSOR: 's=1', __REALTIME_TIMESTAMP: '1795559666172621', MESSAGE: 'x' },
        ...{ SYSLOG_IDENTIFIER: 'mail', _UID: '0', _TRANSPORT: 'journal', ...fields },
      }),
    );
    assert.ok(entry !== null);
    const matches = matchesOf(text);
    return isChosen(entry, root ? matches.map(fromRoot) : matches);
  };
  const front = { CONTAINER_ID: 'a', CONTAINER_TAG: 'front' };
  for (const [name, fields, text, expected] of [
    ['by its container', front, 'CONTAINER_TAG=front', true],
    ['not of another container', front, 'CONTAINER_TAG=fron', false],
    ['not of another account', { ...front, _UID: '1000' }, 'CONTAINER_TAG=front', false],
    ['not of nobody', { ...front, _UID: undefined }, 'CONTAINER_TAG=front', false],
    [
      'of the account that is named',
      { ...front, _UID: '1000' },
      'CONTAINER_TAG=front _UID=1000',
      true,
    ],
    ['and then not of root', front, 'CONTAINER_TAG=front _UID=1000', false],
    ['of one of the accounts', front, 'CONTAINER_TAG=front _UID=1000 _UID=0', true],
    ['by all fields', front, 'CONTAINER_TAG=front CONTAINER_ID=b', false],
    [
      'not with several values of a field',
      { CONTAINER_TAG: ['x', 'front'] },
      'CONTAINER_TAG=front',
      false,
    ],
    ['by its unit', { _SYSTEMD_UNIT: 'mail.service' }, '_SYSTEMD_UNIT=mail.service', true],
    [
      'not as any container of an engine',
      { ...front, _SYSTEMD_UNIT: 'docker.service' },
      '_SYSTEMD_UNIT=docker.service',
      false,
    ],
    ['by the tag of its container', front, 'SYSLOG_IDENTIFIER=mail', true],
    [
      'by its bytes',
      { CONTAINER_TAG: Buffer.from('hé').toString('latin1') },
      'CONTAINER_TAG=hé',
      true,
    ],
  ] as const)
    test(name, () => assert.equal(isOne(fields, text), expected));
  test('of anybody where everybody is trusted', () =>
    assert.equal(isOne({ ...front, _UID: '1000' }, 'CONTAINER_TAG=front', false), true));
});
