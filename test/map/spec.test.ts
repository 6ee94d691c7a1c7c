import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatMapSpec } from '../../src/map/map-types.ts';
import { mapsOf, parseMapSpec } from '../../src/map/spec.ts';
import { failing } from './failing.ts';

describe('parseMapSpec', () => {
  for (const type of ['hash', 'btree', 'cdb', 'texthash', 'cidr']) {
    test(`${type}, with the Postfix that it is for`, () => {
      const spec = parseMapSpec(`${type}:/x`, '--map', '/etc/postfix-out');
      assert.deepEqual(spec, { type, path: '/x', config: '/etc/postfix-out' });
    });
  }

  for (const path of ['/var/popbsmtp/pop-before-smtp', '/x', '/with blank/é:colon', '/x.lmdb']) {
    test(`lmdb:${path}`, () => {
      const spec = parseMapSpec(`lmdb:${path}`, '--map');
      assert.deepEqual(spec, { type: 'lmdb', path });
      assert.equal(formatMapSpec(spec), `lmdb:${path}`);
    });
  }

  for (const text of [
    '',
    'lmdb',
    'lmdb:',
    ':/x',
    '/x',
    'lmdb:x',
    'lmdb:/',
    'lmdb:/x/',
    'lmdb:/x\n',
    'lmdb:/x\0y',
    ' lmdb:/x',
  ]) {
    test(`${JSON.stringify(text)} names no map`, () => {
      assert.throws(() => parseMapSpec(text, '--map'), failing('MAP_SPEC'));
    });
  }

  for (const type of ['HASH', 'LMDB', 'proxy', 'regexp', 'constructor']) {
    test(`the type ${type} is not supported`, () => {
      assert.throws(() => parseMapSpec(`${type}:/x`, '--map'), failing('MAP_TYPE'));
    });
  }
});

describe('the name of sets of nftables', () => {
  test('is the family, the table and the set, and stays as it is', () => {
    const spec = parseMapSpec('nft:inet filter pop', '--map');
    const nft = { family: 'inet', table: 'filter', set: 'pop' };
    assert.deepEqual(spec, { type: 'nft', path: '/var/popbsmtp/nft-inet-filter-pop', nft });
    assert.equal(formatMapSpec(spec), 'nft:inet filter pop');
  });

  for (const text of [
    'nft:',
    'nft:/x',
    'nft:filter pop',
    'nft:arp filter pop',
    'nft:inet  filter pop',
    'nft:inet filter pop\n',
    'nft:inet filter pop; flush',
    'nft:inet ../filter pop',
    'nft:inet filter 4pop',
  ])
    test(`is not ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseMapSpec(text, '--map'), failing('NFT_NAME'));
    });

  test('has the files beside it where those of the maps are that are files', () => {
    const { mirrors } = mapsOf({
      map: { value: ['lmdb:/srv/maps/pop', 'nft:inet filter pop'], origin: '--map' },
      postfixConfig: null,
    });
    assert.deepEqual(
      mirrors.map(({ path }) => path),
      ['/srv/maps/nft-inet-filter-pop'],
    );
  });
});

describe('the maps of sendmail', () => {
  const maps = (prefix: string | null, value: string | null) =>
    mapsOf({
      map: { value: ['makemap:hash:/x', 'hash:/y'], origin: '--map' },
      postfixConfig: null,
      makemapPrefix: prefix === null ? null : { value: prefix, origin: '--makemap-prefix' },
      makemapValue: value === null ? null : { value, origin: '--makemap-value' },
    });

  test('have a form, where one is given, and no others', () => {
    assert.deepEqual(maps(null, null).map, { type: 'makemap:hash', path: '/x' });
    const { map, mirrors } = maps('Connect:', 'RELAY');
    assert.deepEqual(map.form, { prefix: 'Connect:', value: 'RELAY' });
    assert.equal(mirrors[0]?.form, undefined);
    assert.deepEqual(maps(null, 'OK').map.form, { prefix: '', value: 'OK' });
  });

  for (const [prefix, value] of [
    ['', null],
    ['a b', null],
    ['Popbsmtp:', null],
    ['%1', null],
    ['é:', null],
    [null, ''],
    [null, ' RELAY'],
    [null, 'RELAY\n'],
    [null, 'a\tb'],
  ] as const) {
    test(`cannot have ${JSON.stringify([prefix, value])}`, () => {
      assert.throws(() => maps(prefix, value), failing('MAKEMAP_TEXT'));
    });
  }

  test('are not the hash: map of the same file', () => {
    const value = ['makemap:hash:/x', 'hash:/x'];
    assert.throws(
      () => mapsOf({ map: { value, origin: '--map' }, postfixConfig: null }),
      failing('MAP_TWICE'),
    );
  });
});

describe('mapsOf', () => {
  const maps = (value: readonly string[], command: readonly string[]) =>
    mapsOf({
      map: { value, origin: '--map' },
      postfixConfig: null,
      tableCommand: { value: command, origin: '--table-command' },
    });

  test('has the command for table: maps only', () => {
    const { map, mirrors } = maps(['lmdb:/x', 'table:/y'], ['/bin/true', 'a b']);
    assert.equal(map.command, undefined);
    assert.deepEqual(mirrors, [{ type: 'table', path: '/y', command: ['/bin/true', 'a b'] }]);
  });

  test('wants the path of the program', () => {
    for (const command of [['true'], [], ['./true']])
      assert.throws(() => maps(['table:/y'], command), failing('TABLE_COMMAND_PATH'));
  });
});
