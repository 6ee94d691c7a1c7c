/** Which tables of a list are not there, and what is said of them. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { judgeMissing, missingTables } from '../../src/doctor/missing-tables.ts';
import { MAP, postfixWith } from './arrange.ts';

let base: string;
before(async () => {
  base = await mkdtemp(join(tmpdir(), 'popbsmtp-tables-'));
  for (const name of ['made', 'made.db', 'source', 'old', 'old.cdb'])
    await writeFile(join(base, name), '');
});
after(() => rm(base, { recursive: true }));

/** The hints for a list in which these stand, `@` for the directory. */
const hints = (tables: readonly string[], more = ''): string[] => {
  const list = tables.map(table => `check_client_access ${table.replace('@', base)}`).join(', ');
  const state = postfixWith(`smtpd_relay_restrictions = ${list}, reject\n${more}`);
  return judgeMissing(missingTables(state, MAP), 'postfix reload').map(({ what, hint }) =>
    `${what}\n${hint}`.replaceAll(base, '@'),
  );
};

test('what is there, or may be, is not told', () => {
  const fine = ['hash:@/made', 'proxy:hash:@/made', 'cidr:@/source', 'lmdb:/m', 'lmdb:/m.lmdb'];
  const others = ['static:OK', 'inline:{a=b}', 'pipemap:{hash:/none}', 'cidr:relative', 'pgsql:/x'];
  assert.deepEqual(hints([...fine, ...others]), []);
});

test('one that was not made is made', () => {
  const [told = '', ...more] = hints(['hash:@/source', 'proxy:hash:@/source']);
  assert.equal(
    told,
    'main.cf names hash:@/source, and there is no @/source.db: Postfix defers all mail that comes there\n' +
      'make it: postmap hash:@/source && postfix reload',
  );
  assert.deepEqual(more, []);
});

test('one of which nothing is there has to be decided upon', () => {
  const [compiled = '', plain = ''] = hints(['lmdb:@/none', 'cidr:@/none']);
  assert.match(compiled, /write @\/none and make it of that with postmap, or take its name out/);
  assert.match(plain, /\nwrite it, or take its name out of the list, then "postfix reload"$/);
});

test('the file is that of the type for which Postfix takes it', () => {
  const more = 'non_bdb_migration_level = enable-redirect\ndefault_database_type = cdb\n';
  assert.deepEqual(hints(['hash:@/old'], more), []);
  assert.match(hints(['hash:@/old']).join(), /there is no @\/old\.db/);
  assert.match(hints(['hash:@/made'], more).join(), /there is no @\/made\.cdb/);
});
