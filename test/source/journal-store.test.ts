import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Failure } from '../../src/base/errors.ts';
import {
  isJournal,
  type JournalStore,
  journalStore,
  storeArguments,
} from '../../src/source/journal-store.ts';

describe('the journal is', () => {
  for (const [name, store, args] of [
    ['journal', { kind: 'host' }, []],
    [
      'journal:/srv/journal',
      { kind: 'directory', path: '/srv/journal' },
      ['--directory=/srv/journal', '--merge'],
    ],
    ['journal:a b', { kind: 'directory', path: 'a b' }, ['--directory=a b', '--merge']],
    [
      'journal:./machine=x',
      { kind: 'directory', path: './machine=x' },
      ['--directory=./machine=x', '--merge'],
    ],
    ['journal:namespace=mail', { kind: 'namespace', name: 'mail' }, ['--namespace=mail']],
    ['journal:machine=mx-1.lan', { kind: 'machine', name: 'mx-1.lan' }, ['--machine=mx-1.lan']],
  ] as const) {
    test(name, () => {
      const found = journalStore(name);
      assert.deepEqual(found, store);
      assert.deepEqual(found && storeArguments(found), args);
      assert.equal(isJournal(name), true);
    });
  }
});

for (const name of ['/var/log/mail.log', '-', 'journals', './journal:x', 'Journal'])
  test(`no journal: ${name}`, () => {
    assert.equal(journalStore(name), null);
    assert.equal(isJournal(name), false);
  });

for (const name of [
  'journal:',
  'journal:namespace=',
  // All of them, and the host's with one of them (journalctl(1)).
  'journal:namespace=*',
  'journal:namespace=+mail',
  'journal:namespace=a/b',
  'journal:machine=',
  'journal:machine=.host',
  'journal:machine=a..b',
  'journal:machine=root@mx',
  'journal:machine=a b',
  'journal:x\0y',
])
  test(`no name of a journal: ${JSON.stringify(name)}`, () => {
    for (const [where, exit] of [
      ['--watchlog', 64],
      ['/etc/popbsmtp/popbsmtp.toml: watchlog', 78],
    ] as const)
      assert.throws(
        () => journalStore(name, where),
        (error: unknown) =>
          error instanceof Failure && error.code === 'JOURNAL_NAME' && error.exit === exit,
      );
  });

test('whatever the name, journalctl is given one option of that kind, or none', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('-', '--merge'),
  );
  const kind = fc.constantFrom('', 'namespace=', 'machine=');
  fc.assert(
    fc.property(kind, text, (what, name) => {
      let store: JournalStore | null;
      try {
        store = journalStore(`journal:${what}${name}`);
      } catch (error) {
        assert.ok(error instanceof Failure);
        return;
      }
      const args = store === null ? [] : storeArguments(store);
      assert.equal(args.filter(arg => arg !== '--merge').length, 1);
      assert.match(args[0] ?? '', /^--(?:directory|namespace|machine)=[^\0]+$/);
    }),
  );
});
