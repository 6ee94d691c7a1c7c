import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JournalEntry } from '../../src/source/journal-entry.ts';
import {
  isJournald,
  isSystems,
  isTrusted,
  type JournalTrust,
  ONLY_ROOT,
  trustDeclared,
} from '../../src/source/journal-trust.ts';

const ENTRY: JournalEntry = {
  cursor: 's=1',
  microseconds: 0,
  tag: 'imapd',
  message: 'LOGIN',
  priority: 6,
  host: 'mx',
  pid: '4711',
  uid: 0,
  unit: 'courier-imap.service',
  comm: 'courierlogger',
  exe: '/usr/sbin/courierlogger',
  transport: 'syslog',
  container: null,
  stream: null,
  lineBreak: null,
  fields: {},
};

const NOTHING: JournalTrust = {
  uids: null,
  units: null,
  comms: null,
  exes: null,
  priority: null,
  transports: ['syslog', 'journal'],
  streamExes: null,
  isHostFirst: false,
};

describe('an entry is trusted', () => {
  for (const [name, entry, declared, trusted] of [
    ['of root', {}, ONLY_ROOT, true],
    ['not of another account', { uid: 1000 }, ONLY_ROOT, false],
    ['not of nobody at all, as the kernel', { uid: null }, ONLY_ROOT, false],
    ['of one of several accounts', { uid: 8 }, { ...NOTHING, uids: [0, 8] }, true],
    [
      'of a stream that the right program wrote',
      { transport: 'stdout', exe: '/usr/lib/toyd/log' },
      { ...NOTHING, transports: ['stdout'], streamExes: ['/usr/lib/toyd/log'] },
      true,
    ],
    [
      'not of a stream that another one wrote',
      { transport: 'stdout', exe: '/usr/bin/cat' },
      { ...NOTHING, transports: ['stdout'], streamExes: ['/usr/lib/toyd/log'] },
      false,
    ],
    [
      'not of a stream of nobody knows whom',
      { transport: 'stdout', exe: null },
      { ...NOTHING, transports: ['stdout'], streamExes: ['/usr/lib/toyd/log'] },
      false,
    ],
    [
      'of another program by a way that keeps a message whole',
      { transport: 'syslog', exe: '/usr/bin/cat' },
      { ...NOTHING, transports: ['stdout', 'syslog'], streamExes: ['/usr/lib/toyd/log'] },
      true,
    ],
    [
      'not of a container, for a server whose streams are not taken',
      { transport: 'journal', container: 'a' },
      ONLY_ROOT,
      false,
    ],
    [
      'of a container, whose engine is no program of the server',
      { transport: 'journal', container: 'a', exe: '/usr/bin/dockerd' },
      { ...ONLY_ROOT, transports: ['stdout'], streamExes: ['/usr/lib/toyd/log'] },
      true,
    ],
    [
      'not of a container of another account',
      { transport: 'journal', container: 'a', uid: 1000 },
      { ...ONLY_ROOT, transports: ['stdout'] },
      false,
    ],
    ['of a unit', {}, { ...NOTHING, units: ['x.service', 'courier-imap.service'] }, true],
    [
      'not of another unit',
      { unit: 'user@1000.service' },
      { ...NOTHING, units: ['courier-imap.service'] },
      false,
    ],
    ['not of no unit', { unit: null }, { ...NOTHING, units: ['courier-imap.service'] }, false],
    [
      'of an instance',
      { unit: 'imap@3-192.0.2.5:143.service' },
      { ...NOTHING, units: ['imap@.service'] },
      true,
    ],
    [
      'of an instance with an odd name',
      { unit: 'imap@a@b.c.service' },
      { ...NOTHING, units: ['imap@.service'] },
      true,
    ],
    [
      'not of another kind of unit',
      { unit: 'imap@3.socket' },
      { ...NOTHING, units: ['imap@.service'] },
      false,
    ],
    [
      'not of another template',
      { unit: 'ximap@3.service' },
      { ...NOTHING, units: ['imap@.service'] },
      false,
    ],
    [
      'not of another instance',
      { unit: 'imap@3.service' },
      { ...NOTHING, units: ['imap@4.service'] },
      false,
    ],
    ['of a process name', {}, { ...NOTHING, comms: ['courierlogger'] }, true],
    [
      'not of another process name',
      { comm: 'logger' },
      { ...NOTHING, comms: ['courierlogger'] },
      false,
    ],
    ['of an executable', {}, { ...NOTHING, exes: ['/usr/sbin/courierlogger'] }, true],
    [
      'not of one that has gone',
      { exe: null },
      { ...NOTHING, exes: ['/usr/sbin/courierlogger'] },
      false,
    ],
    ['of a severity', {}, { ...NOTHING, priority: 6 }, true],
    ['not of another severity', { priority: 5 }, { ...NOTHING, priority: 6 }, false],
    ['not of no severity', { priority: null }, { ...NOTHING, priority: 6 }, false],
    ["by the journal's own protocol", { transport: 'journal' }, ONLY_ROOT, true],
    [
      'not by a stream, in which text with line ends is several',
      { transport: 'stdout' },
      ONLY_ROOT,
      false,
    ],
    ['not by a way that is not told', { transport: null }, ONLY_ROOT, false],
    ['not by another way in', { transport: 'kernel' }, ONLY_ROOT, false],
    [
      'by a stream where the server logs so',
      { transport: 'stdout' },
      { ...ONLY_ROOT, transports: ['stdout'] },
      true,
    ],
    [
      'and by no datagram then',
      { transport: 'syslog' },
      { ...ONLY_ROOT, transports: ['stdout'] },
      false,
    ],
    ['only if everything fits', { uid: 1000 }, { ...ONLY_ROOT, priority: 6 }, false],
  ] as const) {
    test(name, () => assert.equal(isTrusted({ ...ENTRY, ...entry }, declared), trusted));
  }
});

describe('of the system, and of no user, is', () => {
  for (const [uid, unit, expected] of [
    [0, null, true],
    [0, 'session-1.scope', true],
    [33, 'nginx.service', true],
    [33, 'imap@3-192.0.2.5:143.service', true],
    [1000, 'user@1000.service', false],
    [1000, 'session-1.scope', false],
    [1000, 'libpod-a.scope', false],
    [1000, null, false],
    [null, null, false],
  ] as const)
    test(`uid ${uid} in ${unit}: ${expected}`, () =>
      assert.equal(isSystems({ ...ENTRY, uid, unit }), expected));
});

describe('of several servers', () => {
  const trust = trustDeclared([
    { programs: ['imapd', 'pop3d'], journal: ONLY_ROOT },
    { programs: ['imapd', 'ipop3d'], journal: { ...NOTHING, units: ['imap@.service'] } },
  ]);
  for (const [name, entry, trusted] of [
    ['one under its tag is enough', { uid: 1000, unit: 'imap@3.service' }, true],
    ['the other is, too', {}, true],
    ['none under its tag is not', { uid: 1000 }, false],
    ['one under another tag is not', { tag: 'pop3d', uid: 1000, unit: 'imap@3.service' }, false],
    ['no tag of theirs is trusted at all', { tag: 'su' }, false],
  ] as const) {
    test(name, () => assert.equal(trust({ ...ENTRY, ...entry }), trusted));
  }
});

test('what journald says of itself is known by its way in, and by nobody else’s words', () => {
  const own = { ...ENTRY, tag: 'systemd-journald', transport: 'driver' };
  assert.equal(isJournald(own), true);
  for (const changed of [{ tag: 'x' }, { uid: 1000 }, { uid: null }, { transport: 'syslog' }])
    assert.equal(isJournald({ ...own, ...changed }), false);
});
