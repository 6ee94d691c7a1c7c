import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Failure } from '../../src/base/errors.ts';
import { loadPatterns } from '../../src/recogniser/load.ts';
import { parsePatternFile } from '../../src/recogniser/pattern.ts';
import { isTrusted, type JournalTrust } from '../../src/source/journal-trust.ts';

const { files } = await loadPatterns({ directory: '/nonexistent', explicit: false });

const trustOf = (table: string): JournalTrust =>
  parsePatternFile(
    '/p/toyd.toml',
    'toyd',
    `programs = ["toyd"]
${table}
[[login]]
name = "login"
expression = 'user (?<user>[^ ]+) from {ip}'
match = [{ line = 'Nov 23 00:53:00 mx toyd[1]: user nick from 192.0.2.1', ip = "192.0.2.1", user = "nick" }]
`,
  ).journal;

describe('a table', () => {
  test('that is not there means root, by ways that keep a message whole', () => {
    const { uids, transports } = trustOf('');
    assert.deepEqual([uids, transports], [[0], ['syslog', 'journal']]);
  });

  test('means these ways, too, when it names none', () => {
    assert.deepEqual(trustOf('[journal]\nuids = [8]').transports, ['syslog', 'journal']);
  });

  test('may name others', () => {
    const { transports } = trustOf('[journal]\nuids = [8]\ntransports = ["stdout", "syslog"]');
    assert.deepEqual(transports, ['stdout', 'syslog']);
  });

  test('may say what writes to a stream', () => {
    const { streamExes } = trustOf('[journal]\nuids = [8]\nstream-exes = ["/usr/lib/toyd/log"]');
    assert.deepEqual(streamExes, ['/usr/lib/toyd/log']);
    assert.equal(trustOf('').streamExes, null);
  });

  test('may say that the host stands before the tag', () => {
    assert.equal(
      trustOf('[journal]\nunits = ["toyd.service"]\nhost-first = true').isHostFirst,
      true,
    );
    assert.equal(trustOf('[journal]\nunits = ["toyd.service"]').isHostFirst, false);
  });

  for (const [name, table, message] of [
    ['says units where it may be without a tag', 'uids = [0]\nhost-first = true', /found by units/],
    ['that names a way only trusts everybody', 'transports = ["stdout"]', /trusts everybody/],
    ['may not be empty', '', /trusts everybody/],
    ['names ways that there are', 'uids = [0]\ntransports = ["kernel"]', /"kernel" is no way into/],
  ] as const) {
    test(name, () => {
      assert.throws(
        () => trustOf(`[journal]\n${table}`),
        (error: unknown) =>
          error instanceof Failure &&
          error.code === 'PATTERN_SYNTAX' &&
          message.test(error.message),
      );
    });
  }
});

/** Who logs under an account of its own: an entry of its own set-up, as journald shows it. */
const OWN_ACCOUNTS = [
  ['cyrus', { uid: 993, unit: 'cyrus-imapd.service', transport: 'syslog' }],
  ['nginx', { uid: 33, unit: 'nginx.service', transport: 'syslog' }],
  ['perdition', { uid: 65534, unit: 'perdition.service', transport: 'syslog' }],
  ['popa3d', { uid: 101, unit: 'popa3d.service', transport: 'syslog' }],
  ['qpopper', { uid: 1000, unit: 'inetd.service', transport: 'syslog' }],
  ['stalwart', { uid: 999, unit: 'stalwart.service', transport: 'stdout' }],
  ['stalwart', { uid: 999, unit: 'stalwart-mail.service', transport: 'stdout' }],
  ['uw-imap', { uid: 1000, unit: 'imap@7-192.0.2.5:143.service', transport: 'syslog' }],
] as const;

describe('from the journal, of a server that logs under an account of its own', () => {
  for (const [server, { uid, unit, transport }] of OWN_ACCOUNTS) {
    const journal = files.find(file => file.server === server)?.journal;
    const entry = {
      ...{ cursor: '', microseconds: 0, tag: server, message: '', priority: 6, host: null },
      ...{ pid: null, comm: null, exe: null, stream: null, lineBreak: null, uid, unit, transport },
      ...{ container: null, fields: {} },
    };
    const isTaken = (changed: object): boolean =>
      journal !== undefined && isTrusted({ ...entry, ...changed }, journal);

    test(`${server} in ${unit}: its entries count`, () => assert.equal(isTaken({}), true));
    test(`${server} in ${unit}: nobody else's do, and by no other way`, () => {
      assert.equal(isTaken({ unit: 'user@1000.service' }), false);
      assert.equal(isTaken({ unit: null }), false);
      assert.equal(isTaken({ transport: transport === 'stdout' ? 'syslog' : 'stdout' }), false);
    });
  }
});

test('two servers only are believed what their standard output says', () => {
  const streaming = files.filter(({ journal }) => journal.transports.includes('stdout'));
  assert.deepEqual(
    streaming.map(({ server }) => server),
    ['dovecot', 'stalwart'],
  );
});

describe("Dovecot's standard error", () => {
  const journal = files.find(file => file.server === 'dovecot')?.journal;
  const entry = {
    ...{ cursor: '', microseconds: 0, tag: 'dovecot', message: '', priority: 6, host: null },
    ...{ pid: '9', uid: 0, unit: 'dovecot.service', comm: 'log', exe: '/usr/lib/dovecot/log' },
    ...{ transport: 'stdout', container: null, stream: 'a', lineBreak: null, fields: {} },
  };
  for (const [name, changed, taken] of [
    ['of its log process', {}, true],
    ['of another process of it', { exe: '/usr/lib/dovecot/imap-login' }, false],
    ['of whatever root runs under its name', { exe: '/usr/bin/cat' }, false],
    ['of a program that has ended', { exe: null }, false],
    ['of another account', { uid: 1000 }, false],
    ['in a container', { exe: '/usr/bin/dockerd', transport: 'journal', container: 'a' }, true],
    ['in a container of a user', { transport: 'journal', container: 'a', uid: 1000 }, false],
    ['through syslog, of any process of root', { exe: null, transport: 'syslog' }, true],
  ] as const) {
    test(name, () =>
      assert.equal(journal !== undefined && isTrusted({ ...entry, ...changed }, journal), taken),
    );
  }
});
