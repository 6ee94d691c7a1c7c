import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import type { Line } from '../../src/line/prefix.ts';
import { StampReader } from '../../src/line/stamp.ts';
import { loadPatterns } from '../../src/recogniser/load.ts';
import { LogMemory } from '../../src/recogniser/log-memory.ts';
import { parsePatternFile } from '../../src/recogniser/pattern.ts';
import { Recogniser } from '../../src/recogniser/recogniser.ts';
import { Registry } from '../../src/recogniser/registry.ts';

const NOW = epoch(Date.parse('2026-11-24T12:00:00Z') / 1000);
const recogniserOf = (registry: Registry): Recogniser =>
  new Recogniser(registry, new StampReader(() => NOW));

const TOY = parsePatternFile(
  'toy.toml',
  'toy',
  `programs = ["toyd", "in.toyd"]
  max-length = 40
  [[login]]
  name = "login"
  expression = 'in (?<user>[^>]*)> from {ip}'
  match = [{ line = 'x', ip = "192.0.2.1", user = "x" }]
  [[login]]
  name = "nameless"
  expression = 'in from {ip}'
  match = [{ line = 'x', ip = "192.0.2.1" }]
  [[logout]]
  name = "logout"
  expression = 'out(?: from {ip})?'
  match = [{ line = 'x', ip = "192.0.2.1" }]
  [[logout]]
  name = "end"
  expression = 'end'
  match = [{ line = 'x' }]`,
);
const toy = recogniserOf(new Registry([TOY]));
const TIME = Date.parse('2026-11-23T00:53:00Z') / 1000;
const STAMP = '2026-11-23T00:53:00Z';

describe('whether the connection was encrypted', () => {
  const LINES = `[[login]]
    name = "login"
    expression = 'from {ip}(?<tls> by TLS)?'
    match = [{ line = 'x', ip = "::1", tls = true }]
    [[login]]
    name = "silent"
    expression = 'hello {ip}'
    match = [{ line = 'x', ip = "::1" }]`;
  const table: readonly (readonly [string, string, boolean | null])[] = [
    ['', 'toyd: from ::1 by TLS', true],
    ['', 'toyd: from ::1', false],
    ['', 'toyds: from ::1', false],
    ['', 'toyd: hello ::1', null],
    ['tls-programs = ["toyds"]', 'toyd: from ::1 by TLS', true],
    ['tls-programs = ["toyds"]', 'toyds: from ::1', true],
    ['tls-programs = ["toyds"]', 'toyds: hello ::1', true],
    ['tls-programs = ["toyds"]', 'toyd: hello ::1', false],
  ];
  for (const [top, message, tls] of table) {
    test(`${message} ${top}`, () => {
      const file = parsePatternFile('t', 'toy', `programs = ["toyd", "toyds"]\n${top}\n${LINES}`);
      const event = recogniserOf(new Registry([file])).recognise(`${STAMP} mx ${message}`);
      assert.ok(event?.event === 'login');
      assert.equal(event.tls, tls);
    });
  }
});

describe('from a line to an event', () => {
  const login = { event: 'login', server: 'toy', time: TIME, session: null, tls: null };
  const logout = { event: 'logout', server: 'toy', time: TIME, user: null, session: null };
  const table: readonly (readonly [string, object | null])[] = [
    ['mx toyd: in nick> from 192.0.2.1', { ...login, ip: '192.0.2.1', user: 'nick' }],
    ['mx in.toyd[7]: in nick> from 192.0.2.1', { ...login, ip: '192.0.2.1', user: 'nick' }],
    ['toyd: in nick> from ::FFFF:192.0.2.1', { ...login, ip: '192.0.2.1', user: 'nick' }],
    ['mx toyd: in nick> from 2001:DB8:0::1', { ...login, ip: '2001:db8::1', user: 'nick' }],
    ['mx toyd: in from 192.0.2.1', { ...login, ip: '192.0.2.1', user: null }],
    ['mx toyd: out from ::1', { ...logout, ip: '::1' }],
    ['mx toyd: out', { ...logout, ip: null }],
    ['mx toyd: end', { ...logout, ip: null }],
    // UTF-8, not UTF-8, and what a terminal would obey.
    ['mx toyd: in j\xc3\xbcrg> from ::1', { ...login, ip: '::1', user: 'jürg' }],
    ['mx toyd: in j\xfcrg> from ::1', { ...login, ip: '::1', user: 'jürg' }],
    ['mx toyd: in \xef\xbb\xbfx> from ::1', { ...login, ip: '::1', user: '?x' }],
    // U+202E, U+2066 and U+2028, which turn around or break the text in which the name is shown.
    [
      'mx toyd: in \xe2\x80\xaemoc\xe2\x81\xa6\xe2\x80\xa8> from ::1',
      { ...login, ip: '::1', user: '?moc??' },
    ],
    ['mx toyd: in a\x1b[31m\t\xc2\x9bb> from ::1', { ...login, ip: '::1', user: 'a?[31m??b' }],
    // Not the server's program, exactly.
    ['mx toy: in nick> from 192.0.2.1', null],
    ['mx Toyd: in nick> from 192.0.2.1', null],
    ['mx toyd/x: in nick> from 192.0.2.1', null],
    ['mx postfix/smtpd: toyd: in nick> from 192.0.2.1', null],
    // Not the whole message.
    ['mx toyd: xin nick> from 192.0.2.1', null],
    ['mx toyd: in nick> from 192.0.2.1 ', null],
    ['mx toyd:  in nick> from 192.0.2.1', null],
    ['mx toyd: in nick> from 192.0.2.1\n', null],
    // Not an address.
    ['mx toyd: in nick> from 192.0.2.256', null],
    ['mx toyd: in nick> from 192.0.2', null],
    ['mx toyd: in nick> from 192.0.2.01', null],
    ['mx toyd: in nick> from dead', null],
    ['mx toyd: in nick> from ::1%1', null],
    ['mx toyd: out from 1:2', null],
    // 40 bytes, and 41.
    [`mx toyd: in ${'x'.repeat(24)}> from 1.1.1.1`, null],
  ];
  for (const [line, event] of table) {
    test(JSON.stringify(line), () => assert.deepEqual(toy.recognise(`${STAMP} ${line}`), event));
  }

  test('a message as long as may be is one', () => {
    const line = `${STAMP} mx toyd: in ${'x'.repeat(23)}> from 1.1.1.1`;
    assert.equal(toy.recognise(line)?.ip, '1.1.1.1');
    assert.equal(line.length - `${STAMP} mx toyd: `.length, 40);
  });

  test('a line whose stamp names no moment is one of unknown time', () => {
    assert.deepEqual(toy.recognise('Feb 30 00:53:00 mx toyd: out'), {
      ...logout,
      ip: null,
      time: null,
    });
  });

  test('several servers share a program', () => {
    const other = parsePatternFile(
      'z.toml',
      'z',
      `programs = ["toyd"]
      [[login]]
      name = "login"
      expression = 'hello {ip}'
      match = [{ line = 'x', ip = "192.0.2.1" }]`,
    );
    const both = recogniserOf(new Registry([TOY, other]));
    assert.equal(both.recognise(`${STAMP} mx toyd: hello ::1`)?.server, 'z');
    assert.equal(both.recognise(`${STAMP} mx toyd: in from ::1`)?.server, 'toy');
    assert.equal(both.recognise(`${STAMP} mx in.toyd: hello ::1`), null);
  });
});

const DOOR = parsePatternFile(
  'door.toml',
  'door',
  `programs = ["door"]
  join = ["session", "ip", "user", "pid"]
  own-log = '{stamp} {message}#'
  [[connect]]
  name = "connect"
  expression = 'from {ip}'
  match = [{ line = 'x', ip = "192.0.2.1" }]
  [[login]]
  name = "login"
  expression = 'in (?<user>[^ ]*) (?<session>[^ ]*)(?: {ip})?'
  match = [{ line = 'x', ip = "192.0.2.1", user = "x" }]
  [[logout]]
  name = "logout"
  expression = '#?out (?<user>[^ ]*) (?<session>[^ ]*)(?: {ip})?'
  match = [{ line = 'x', ip = "192.0.2.1", user = "x" }]
  [[failure]]
  name = "failure"
  expression = 'bad'
  match = [{ line = 'x' }]`,
);

describe('logins that are told in two lines', () => {
  /** Lines behind `STAMP mx door`, and the addresses of the logins among them. */
  const table: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['joined', ['[1]: from ::1', '[1]: in a s'], ['::1']],
    ['used up', ['[1]: from ::1', '[1]: in a s', '[1]: in a s'], ['::1']],
    [
      'interleaved',
      ['[1]: from ::1', '[2]: from ::2', '[1]: in a s', '[2]: in b s'],
      ['::1', '::2'],
    ],
    ['a new connection', ['[1]: from ::1', '[1]: from ::2', '[1]: in a s'], ['::2']],
    ['another process', ['[1]: from ::1', '[2]: in a s'], []],
    ['no connection', ['[1]: in a s'], []],
    ['no process id', [': from ::1', ': in a s'], []],
    ['a failure', ['[1]: from ::1', '[1]: bad', '[1]: in a s'], []],
    ['the address in both', ['[1]: from ::1', '[1]: in a s ::1', '[1]: in a s'], ['::1']],
    ['the address in the line itself', ['[1]: in a s ::2'], ['::2']],
    ['two that differ', ['[1]: from ::1', '[1]: in a s ::2', '[1]: in a s'], []],
    ['no address', ['[1]: from ::1', '[1]: in a s dead', '[1]: from dead', '[1]: in a s'], ['::1']],
  ];
  for (const [what, lines, addresses] of table) {
    test(what, () => {
      const recogniser = recogniserOf(new Registry([DOOR]));
      const events = lines.map(line => recogniser.recognise(`${STAMP} mx door${line}`));
      assert.deepEqual(
        events.flatMap(event => (event?.event === 'login' ? [event.ip] : [])),
        addresses,
      );
    });
  }

  test('a restart in between', () => {
    const before = new LogMemory();
    const stamps = new StampReader(() => NOW);
    const first = new Recogniser(new Registry([DOOR]), stamps, before);
    assert.equal(first.recognise(`${STAMP} mx door[1]: from ::1`), null);
    const after = new LogMemory();
    after.restore(JSON.parse(JSON.stringify(before.save())));
    const second = new Recogniser(new Registry([DOOR]), stamps, after);
    assert.equal(second.recognise(`${STAMP} mx door[1]: in a s`)?.ip, '::1');
  });

  test('a reload in between', () => {
    const memory = new LogMemory();
    const stamps = new StampReader(() => NOW);
    const before = new Recogniser(new Registry([DOOR]), stamps, memory);
    assert.equal(before.recognise(`${STAMP} mx door[1]: from ::1`), null);
    const after = new Recogniser(new Registry([DOOR]), stamps, memory);
    assert.equal(after.recognise(`${STAMP} mx door[1]: in a s`)?.ip, '::1');
  });
});

describe('the session of an event', () => {
  const session = (line: string): string | null => {
    const recogniser = recogniserOf(new Registry([DOOR]));
    const event = recogniser.recognise(`${STAMP} ${line}`);
    assert.ok(event !== null, line);
    return event.session?.key ?? null;
  };

  test('is the same in the login and the logout, whatever else the lines say', () => {
    const login = session('mx door[1]: in a s ::ffff:192.0.2.1');
    assert.ok(login !== null);
    assert.equal(session('mx door[1]: out a s 192.0.2.1'), login);
  });

  test("is no other's", () => {
    const lines = [
      'mx door[1]: out a s ::1',
      'my door[1]: out a s ::1',
      'door[1]: out a s ::1',
      'mx door[2]: out a s ::1',
      'mx door[1]: out b s ::1',
      'mx door[1]: out a t ::1',
      'mx door[1]: out a s ::2',
      'mx door[1]: out s a ::1',
    ];
    assert.equal(new Set(lines.map(session)).size, lines.length);
  });

  for (const line of ['mx door: out a s ::1', 'mx door[1]: out a s', 'mx door[1]: out a  ::1']) {
    test(`is not known from "${line}"`, () => assert.equal(session(line), null));
  }
});

describe('lines of a server that no pattern describes are told', () => {
  const table: readonly (readonly [string, boolean])[] = [
    ['mx door[1]: hello', true],
    [`mx door[1]: in ${'x'.repeat(900)} s ::1`, true],
    ['mx door[1]: out a s dead', true],
    ['mx door[1]: in a s ::1', false],
    ['mx door[1]: in a s', false],
    ['mx door[1]: out a s', false],
    ['mx door[1]: from ::1', false],
    ['mx door[1]: bad', false],
    ['mx door[1]: message repeated 3 times: [ in a s ::1]', false],
    ['mx window[1]: hello', false],
    ['hello', false],
    // A line of its own log.
    ['#hello', true],
    ['#out a s', false],
  ];
  for (const [text, expected] of table) {
    test(`${text.slice(0, 60)}: ${expected}`, () => {
      const told: Line[] = [];
      const recogniser = new Recogniser(
        new Registry([DOOR]),
        new StampReader(() => NOW),
        new LogMemory(),
        { unrecognised: line => void told.push(line) },
      );
      recogniser.recognise(`${STAMP} ${text}`);
      assert.deepEqual(
        told.map(({ message }) => message),
        expected ? [text.replace(/^mx door\[1\]: /, '')] : [],
      );
    });
  }
});

const shipped = await loadPatterns({ directory: '/nonexistent', explicit: false });

describe('lines of other programs, with all shipped patterns', () => {
  const messages = shipped.files
    .flatMap(({ patterns }) => patterns)
    .flatMap(({ samples }) => samples)
    .filter(({ kind }) => kind === 'match')
    .map(({ line }) => line);
  test('any text without a prefix that is understood', () => {
    const recogniser = recogniserOf(shipped);
    const damaged = fc
      .tuple(fc.constantFrom(...messages), fc.string({ unit: 'binary-ascii', minLength: 1 }))
      .filter(([, text]) => !/[<\w@]/.test(text[0] ?? ''));
    fc.assert(
      fc.property(
        fc.oneof(
          damaged.map(([line, text]) => text + line),
          fc.string(),
        ),
        text => {
          assert.equal(recogniser.recognise(text), null);
        },
      ),
    );
  });

  test('the cost of a line does not depend on how many patterns there are for other programs', () => {
    const before = recogniserOf(shipped);
    let looks = 0;
    const counted = shipped.files.map(file => ({
      ...file,
      patterns: file.patterns.map(pattern => ({
        ...pattern,
        get expression() {
          looks++;
          return pattern.expression;
        },
      })),
    }));
    const recogniser = recogniserOf(new Registry(counted));
    const line = `${STAMP} mx postfix/smtpd[1]: connect from unknown[198.51.100.9]`;
    assert.equal(recogniser.recognise(line), before.recognise(line));
    assert.equal(looks, 0);
  });
});

describe('sessions of the shipped servers', () => {
  /** Program, login, logout; whether the logout tells whose it is. */
  const table: readonly (readonly [string, string, string, boolean])[] = [
    [
      'dovecot',
      'imap-login: Login: user=<a>, method=PLAIN, rip=192.0.2.10, lip=::1, mpid=7, TLS, session=<kVQx>',
      'imap(a)<7><kVQx>: Disconnected: Logged out in=120 out=757',
      true,
    ],
    [
      'dovecot',
      'imap-login: Login: user=<a>, method=PLAIN, rip=192.0.2.10, lip=::1, session=<kVQx>',
      'imap(a)<8><kVQy>: Connection closed in=120 out=757',
      false,
    ],
    [
      'dovecot',
      'imap-login: Login: user=<a>, method=PLAIN, rip=192.0.2.10, lip=::1',
      'imap(a): Disconnected: Logged out in=120 out=757',
      false,
    ],
    [
      'imapd',
      'LOGIN, user=a, ip=[::ffff:192.0.2.10], port=[54236], protocol=IMAP',
      'DISCONNECTED, user=a, ip=[::ffff:192.0.2.10], port=[54236], headers=0, body=0, time=1',
      true,
    ],
    [
      'dovecot',
      'pop3-login: Logged in: user=<a>, method=PLAIN, rip=192.0.2.10, lip=::1, mpid=7, session=<kVQx>',
      'pop3(a)<7><kVQx>: Disconnected: Logged out top=0/0, retr=0/0, del=0/0, size=0',
      true,
    ],
    [
      'pop3d',
      'LOGIN, user=a, ip=[::ffff:192.0.2.10], port=[54236]',
      'disc, user=a, ip=[::ffff:192.0.2.10], port=[54236], top=0, retr=0, rcvd=6, sent=30, time=0',
      true,
    ],
    [
      'imapd',
      'LOGIN, user=a, ip=[::ffff:192.0.2.10], port=[N/A], protocol=IMAP',
      'LOGOUT, user=a, ip=[::ffff:192.0.2.10], port=[N/A], headers=0, body=0, time=1',
      false,
    ],
    [
      'nginx',
      '2026/11/23 00:53:00 [info] 7#7: *57 client logged in, client: 192.0.2.10, server: [::]:110, login: "a"',
      '2026/11/23 01:53:00 [info] 7#7: *57 proxied session done, client: 192.0.2.10, server: [::]:110, login: "a"',
      true,
    ],
    [
      'ipop3d[7]',
      'Login user=a host=h [192.0.2.10] nmsgs=0/0',
      'Logout user=a host=h [192.0.2.10]',
      true,
    ],
    ['imapd[7]', 'Login user=a host=h [192.0.2.10]', 'Logout user=a host=h [192.0.2.10]', true],
    [
      'perdition[7]',
      'Auth: 2001:db8::1:7->::1:993 client-secure=ssl authorisation_id=NONE authentication_id="a" server="s:143" protocol=IMAP4S server-secure=plaintext status="ok"',
      'Closing session: 2001:db8::1:7->::1:993 authorisation_id=NONE authentication_id="a" received=1 sent=1',
      true,
    ],
    [
      'nginx',
      '2026/11/23 00:53:00 [info] 7#7: *57 client logged in, client: 192.0.2.10, server: 0.0.0.0:143, login: "a"',
      '2026/11/23 01:53:00 [info] 7#7: *57 proxied session done, client: 192.0.2.10, server: 0.0.0.0:143, login: "a"',
      true,
    ],
  ];
  for (const [program, login, logout, joined] of table) {
    test(`${login} … ${logout}`, () => {
      const recogniser = recogniserOf(shipped);
      const [begun, ended] = [login, logout].map(message =>
        recogniser.recognise(`${STAMP} mx ${program}: ${message}`),
      );
      assert.deepEqual([begun?.event, ended?.event], ['login', 'logout']);
      assert.equal(begun?.session !== null && begun?.session?.key === ended?.session?.key, joined);
      if (!joined) return;
      assert.equal(begun?.session?.service, ended?.session?.service);
      const protocol = /pop3|POP3|disc|:110/.test(`${program} ${login}`) ? 'pop3' : 'imap';
      assert.equal(begun?.session?.protocol, protocol);
    });
  }
});
