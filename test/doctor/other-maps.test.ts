/** Maps that Postfix asks and no daemon looks after. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeOtherMaps, tablesIn, takenFor } from '../../src/doctor/other-maps.ts';
import { formatMapSpec } from '../../src/map/map-types.ts';
import { postfixWith, said } from './arrange.ts';

test('the tables of all lists are found, each once, also inside others', () => {
  const state = postfixWith(
    'smtpd_relay_restrictions = check_client_access proxy:lmdb:/a, check_client_access ' +
      'pipemap:{regexp:/r, hash:/b}, check_client_access lmdb:/a, reject\n' +
      'mynetworks = cidr:/c 127.0.0.0/8\n',
    'smtp inet n - n - 1 smtpd',
    'smtp/inet/smtpd_client_restrictions = btree:/d\n',
  );
  assert.deepEqual(tablesIn(state, null).map(formatMapSpec).sort(), [
    'btree:/d',
    'cidr:/c',
    'hash:/b',
    'lmdb:/a',
  ]);
});

test('rows that nobody ends are an error, with the cure', () => {
  const judge = (rows: number, owner: number | null): string =>
    said(judgeOtherMaps([{ name: 'lmdb:/old', map: 'lmdb:/old', rows, owner }])).join();
  assert.match(judge(9, null), /^error: .* lmdb:\/old, .*: its 9 rows relay for ever$/);
  assert.match(judge(9, 12), /^ok: /);
  assert.equal(judge(0, null), '');
  const [verdict] = judgeOtherMaps([{ name: 'lmdb:/old', map: 'lmdb:/old', rows: 1, owner: null }]);
  assert.match(verdict?.hint ?? '', /popbsmtp purge --all --map lmdb:\/old/);
});

test('the file is looked at that Postfix reads', () => {
  const state = postfixWith(
    'non_bdb_migration_level = enable-reindex\ndefault_database_type = cdb\n',
  );
  assert.deepEqual(takenFor({ type: 'hash', path: '/m' }, state), { type: 'cdb', path: '/m' });
  assert.deepEqual(takenFor({ type: 'hash', path: '/m' }, postfixWith('')), {
    type: 'hash',
    path: '/m',
  });
  const [verdict] = judgeOtherMaps([{ name: 'hash:/m', map: 'cdb:/m', rows: 1, owner: null }]);
  assert.match(
    verdict?.what ?? '',
    /names hash:\/m, which Postfix takes for cdb:\/m .*relay for ever/,
  );
  assert.match(verdict?.hint ?? '', /purge --all --map cdb:\/m/);
});
