import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import { parseLine } from '../../src/line/prefix.ts';
import { StampReader } from '../../src/line/stamp.ts';
import { entryLine, parseEntry } from '../../src/source/journal-entry.ts';

/** As journald 252 stored a datagram of root's, and journalctl printed it. */
const GENUINE = {
  __CURSOR:
    's=c9c279854ea14a8d8e4766bdb53209aa;i=15b;b=a996c7198db64376b79434e7ded31575;m=103030a01;t=6610d501342cd;x=90923a35d78404fd',
  __REALTIME_TIMESTAMP: '1795559666172621',
  __MONOTONIC_TIMESTAMP: '4345498113',
  _BOOT_ID: 'a996c7198db64376b79434e7ded31575',
  SYSLOG_IDENTIFIER: 'dovecot',
  MESSAGE: 'imap-login: Login',
  PRIORITY: '6',
  _HOSTNAME: 'mx',
  _PID: '4711',
  _UID: '0',
  _COMM: 'log',
  _EXE: '/usr/lib/dovecot/log',
  _SYSTEMD_UNIT: 'dovecot.service',
  _TRANSPORT: 'syslog',
};

/** An entry's JSON, a character a byte, with some fields changed; undefined for left out. */
const json = (fields: Readonly<Record<string, unknown>> = {}): string =>
  Buffer.from(JSON.stringify({ ...GENUINE, ...fields })).toString('latin1');

const lineOf = (fields?: Readonly<Record<string, unknown>>): string | null => {
  const entry = parseEntry(json(fields));
  return entry && entryLine(entry);
};

test('an entry has what journald says of it', () => {
  assert.deepEqual(parseEntry(json()), {
    cursor: GENUINE.__CURSOR,
    microseconds: 1795559666172621,
    tag: 'dovecot',
    message: 'imap-login: Login',
    priority: 6,
    host: 'mx',
    pid: '4711',
    uid: 0,
    unit: 'dovecot.service',
    comm: 'log',
    exe: '/usr/lib/dovecot/log',
    transport: 'syslog',
    container: null,
    stream: null,
    lineBreak: null,
    fields: GENUINE,
  });
});

test('a piece of a long line of a container is told from a whole one', () => {
  const broken = (fields: object): boolean => parseEntry(json({ ...fields }))?.lineBreak !== null;
  assert.equal(broken({}), false);
  assert.equal(broken({ CONTAINER_ID: '0123456789ab' }), false);
  assert.equal(broken({ CONTAINER_PARTIAL_MESSAGE: 'true' }), true);
  assert.equal(broken({ CONTAINER_PARTIAL_ID: 'a', CONTAINER_PARTIAL_LAST: 'true' }), true);
});

test("a container's entries are one stream of its engine's account, but where each piece is marked", () => {
  const streamOf = (fields: object): unknown => parseEntry(json({ ...fields }))?.stream;
  const container = { CONTAINER_ID_FULL: 'abc', CONTAINER_ID: 'a', CONTAINER_NAME: 'mail' };
  assert.equal(streamOf(container), '0 abc');
  assert.equal(streamOf({ ...container, _UID: '1000' }), '1000 abc');
  assert.equal(streamOf({ CONTAINER_NAME: 'mail', CONTAINER_PARTIAL_MESSAGE: 'true' }), '0 mail');
  assert.equal(streamOf({ ...container, CONTAINER_PARTIAL_ID: 'x' }), null);
});

describe('the line of an entry', () => {
  const stamp = '2026-11-24T22:34:26.172621Z';
  for (const [name, fields, line] of [
    ['is that of a syslog file', {}, `${stamp} mx dovecot[4711]: imap-login: Login`],
    [
      'keeps the zeros of its fraction',
      { __REALTIME_TIMESTAMP: '1795559666000042' },
      '2026-11-24T22:34:26.000042Z mx dovecot[4711]: imap-login: Login',
    ],
    [
      'has no pid when there is none',
      { _PID: undefined },
      `${stamp} mx dovecot: imap-login: Login`,
    ],
    [
      "has the sender's pid where the kernel tells none",
      { _PID: undefined, SYSLOG_PID: '7' },
      `${stamp} mx dovecot[7]: imap-login: Login`,
    ],
    [
      "has the kernel's pid and not the sender's",
      { SYSLOG_PID: '7' },
      `${stamp} mx dovecot[4711]: imap-login: Login`,
    ],
    [
      'has no pid that is no number',
      { _PID: undefined, SYSLOG_PID: '7]: x' },
      `${stamp} mx dovecot: imap-login: Login`,
    ],
    [
      'has some host',
      { _HOSTNAME: undefined },
      `${stamp} localhost dovecot[4711]: imap-login: Login`,
    ],
    [
      'has a host of one word',
      { _HOSTNAME: 'a b' },
      `${stamp} localhost dovecot[4711]: imap-login: Login`,
    ],
    [
      'escapes control characters as rsyslog does',
      { MESSAGE: 'a\nb\tc\0d\x7fe\r' },
      `${stamp} mx dovecot[4711]: a#012b#011c#000d#177e#015`,
    ],
    [
      "has no carriage return of a container's terminal",
      { MESSAGE: 'a\rb\r', CONTAINER_ID: 'a' },
      `${stamp} mx dovecot[4711]: a#015b`,
    ],
    ['has the bytes of a text', { MESSAGE: 'jürgen' }, `${stamp} mx dovecot[4711]: j\xc3\xbcrgen`],
    [
      'has the bytes of what is no text',
      { MESSAGE: [97, 10, 128, 255] },
      `${stamp} mx dovecot[4711]: a#012\x80\xff`,
    ],
    ['may be empty', { MESSAGE: '' }, `${stamp} mx dovecot[4711]: `],
    [
      'has the blanks back that journald took off',
      { MESSAGE: 'LOGIN FAILED', SYSLOG_RAW: '<22>dovecot: LOGIN FAILED   ' },
      `${stamp} mx dovecot[4711]: LOGIN FAILED   `,
    ],
    [
      'has them back from a datagram that is no text, too',
      { MESSAGE: [128], SYSLOG_RAW: [60, 50, 62, 128, 32, 9, 10] },
      `${stamp} mx dovecot[4711]: \x80 #011`,
    ],
    ['is none for a message that is too long', { MESSAGE: null }, null],
  ] as const) {
    test(name, () => assert.equal(lineOf(fields), line));
  }
});

describe('not an entry that could be a line:', () => {
  for (const [name, fields] of [
    ['without a message', { MESSAGE: undefined }],
    ['with several messages', { MESSAGE: ['one', 'two'] }],
    ['with bytes that are none', { MESSAGE: [97, 256] }],
    ['without a tag', { SYSLOG_IDENTIFIER: undefined }],
    ['with several tags', { SYSLOG_IDENTIFIER: ['dovecot', 'imapd'] }],
    ['with a tag of several words', { SYSLOG_IDENTIFIER: 'x y' }],
    ['with a line end in the tag', { SYSLOG_IDENTIFIER: 'dovecot\n' }],
    ['without a time', { __REALTIME_TIMESTAMP: undefined }],
    ['with a time that is none', { __REALTIME_TIMESTAMP: '-1' }],
    ['without a cursor', { __CURSOR: undefined }],
  ] as const) {
    test(name, () => assert.equal(parseEntry(json(fields)), null));
  }
  for (const text of ['', '-- No entries --', '{', 'null', '1', '[]', '"x"', json().slice(1)]) {
    test(JSON.stringify(text.slice(0, 20)), () => assert.equal(parseEntry(text), null));
  }
});

describe('a program that puts the host before its tag', () => {
  const said = { SYSLOG_IDENTIFIER: undefined, MESSAGE: 'mx nginx: [info] 7#7: *1 said' };
  const tagged = (fields: object, hostFirst = ['nginx']) => {
    const entry = parseEntry(json({ ...said, ...fields }), new Set(hostFirst));
    return entry && entryLine(entry);
  };
  test('has it taken out of the message, where it is known to', () => {
    const line = '2026-11-24T22:34:26.172621Z mx nginx[4711]: [info] 7#7: *1 said';
    assert.equal(tagged({}), line);
    // It writes the name in small letters.
    assert.match(tagged({ _HOSTNAME: 'MX' }) ?? '', / nginx\[4711\]: \[info\] /);
    assert.equal(tagged({ SYSLOG_RAW: `<190>Nov 24 22:34:26 ${said.MESSAGE}  \n` }), `${line}  `);
    assert.equal(
      tagged({ MESSAGE: [...Buffer.from(`${said.MESSAGE}\n\xff`, 'latin1')] }),
      `${line}#012\xff`,
    );
    assert.equal(tagged({}, ['perdition']), null);
    assert.equal(parseEntry(json(said)), null);
  });
  for (const [name, fields] of [
    ['another host', { MESSAGE: 'px nginx: said' }],
    ['no host', { MESSAGE: 'nginx: said' }],
    ['the host alone', { MESSAGE: 'mx: nginx: said' }],
    ['a host that journald does not know', { _HOSTNAME: undefined }],
    ['words before it', { MESSAGE: 'x mx nginx: said' }],
    ['a line before it', { MESSAGE: 'x\nmx nginx: said' }],
    ['words between', { MESSAGE: 'mx x nginx: said' }],
    ['a pid', { MESSAGE: 'mx nginx[7]: said' }],
    ['another tag in it', { MESSAGE: 'mx dovecot: nginx: said' }],
    ['another way in', { _TRANSPORT: 'stdout' }],
    ['the journal’s own protocol', { _TRANSPORT: 'journal' }],
    ['several tags', { SYSLOG_IDENTIFIER: ['a', 'b'] }],
  ] as const)
    test(`${name}: there is none`, () => assert.equal(tagged(fields), null));
  test('a tag of its own stands', () => {
    assert.match(tagged({ SYSLOG_IDENTIFIER: 'x' }) ?? '', / x\[4711\]: mx nginx: /);
  });
});

test('no value of any field makes more than one line, or another program', () => {
  const stamps = new StampReader(() => epoch(1795559666));
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\n', ': ', 'x: y'),
  );
  const bytes = fc.array(fc.integer({ min: 0, max: 255 }));
  const value = fc.oneof(text, bytes, fc.constant(null), fc.constant(undefined));
  const names = ['SYSLOG_PID', 'SYSLOG_RAW', '_HOSTNAME', '_PID', 'MESSAGE', 'PRIORITY'] as const;
  const fields = fc.record(Object.fromEntries(names.map(name => [name, value])));
  fc.assert(
    fc.property(fields, changed => {
      const line = lineOf(changed);
      if (line === null) return;
      // biome-ignore lint/suspicious/noControlCharactersInRegex: none of these may be there
      assert.doesNotMatch(line, /[\0-\x1f\x7f\u0100-\uffff]/);
      assert.equal(parseLine(line, stamps).program, 'dovecot');
    }),
  );
});
