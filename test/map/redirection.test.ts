/** Maps that a newer Postfix takes for others. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { readRows } from '../../src/map/map-types.ts';
import { redirectionOf, requireOwnFiles } from '../../src/map/redirection.ts';
import { failing } from './failing.ts';
import { directory } from './scratch.ts';

const PATH = process.env['PATH'] ?? '';
afterEach(() => {
  process.env['PATH'] = PATH;
});

/** As 3.11 of Debian. */
const settings = (level: string): Map<string, string> =>
  new Map([
    ['non_bdb_migration_level', level],
    ['default_database_type', 'cdb'],
    ['default_cache_db_type', 'lmdb'],
  ]);

/** Puts a postconf that prints this on the PATH, with what it complains of. */
async function stubPostconf(output: string, complaint = '', status = 0): Promise<void> {
  const bin = await directory();
  const script = `#!/bin/sh\ncat <<'END'\n${output}END\necho '${complaint}' >&2\nexit ${status}\n`;
  await writeFile(join(bin, 'postconf'), script, { mode: 0o755 });
  process.env['PATH'] = [bin, PATH].join(delimiter);
}

const printed = (level: string): string =>
  Array.from(settings(level), ([name, value]) => `${name} = ${value}\n`).join('');

const HASH = { type: 'hash', path: '/m' };

describe('a map is taken for another', () => {
  for (const level of ['enable-redirect', 'enable-reindex', 'some-later-level'])
    test(`at the level ${level}`, () => {
      assert.deepEqual(redirectionOf('hash', settings(level)), { level, type: 'cdb' });
      assert.deepEqual(redirectionOf('btree', settings(level)), { level, type: 'lmdb' });
      for (const type of ['lmdb', 'cdb', 'texthash', 'cidr'])
        assert.equal(redirectionOf(type, settings(level)), null);
    });
});

test('a map is its own at the level disable, and with an older Postfix', () => {
  assert.equal(redirectionOf('hash', settings('disable')), null);
  assert.equal(redirectionOf('hash', new Map([['default_database_type', 'hash']])), null);
});

test('the level is named, and what to use instead', async () => {
  await stubPostconf(printed('enable-redirect'));
  await assert.rejects(requireOwnFiles([{ type: 'lmdb', path: '/a' }, HASH]), {
    code: 'MAP_REDIRECTED',
    exit: 78,
    message:
      'hash:/m: Postfix takes this for cdb:/m (non_bdb_migration_level = enable-redirect), so that rows in the file ' +
      'of a hash: map neither open nor close the relay',
    hint: 'name the map as lmdb:/m or cdb:/m, here and in main.cf, and restart both',
  });
});

test('such a map is not even read: postmap would print the rows of another file', async () => {
  await stubPostconf(printed('enable-reindex'));
  await assert.rejects(readRows(HASH), failing('MAP_REDIRECTED'));
});

for (const [what, output, complaint, status] of [
  ['at the level disable', printed('disable'), '', 0],
  [
    'by an older Postfix',
    'default_database_type = hash\n',
    'postconf: warning: non_bdb_migration_level: unknown parameter',
    0,
  ],
  ['by a postconf that fails', '', 'postconf: fatal: open main.cf', 1],
] as const)
  test(`nothing is refused ${what}`, async () => {
    await stubPostconf(output, complaint, status);
    await requireOwnFiles([HASH, { type: 'btree', path: '/b' }]);
  });
