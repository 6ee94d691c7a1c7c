import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Failure } from '../../src/base/errors.ts';
import { parsePatternFile } from '../../src/recogniser/pattern.ts';

const parse = (text: string) => parsePatternFile('/etc/p/toy.toml', 'toy', text);

const GOOD = `# Toy
programs = ["toyd", "in.toyd"]
max-length = 300
splits-at = 511

[[login]]
name = "login"
expression = [
  'in (?<user>[^ ]+) ', # the user
  'from {ip}',
]
match = [
  { line = 'Nov 23 00:53:00 mx toyd: in nick from 192.0.2.1', ip = "192.0.2.1", user = "nick" },
]
refuse = [{ line = 'Nov 23 00:53:00 mx toyd: jürgen' }]
attack = [{ line = 'a' }, { line = 'b', ip = "192.0.2.1", user = "nick" }]

[[logout]] # no address
name = "logout"
expression = 'out (?<user>[^ ]+)'
match = [{ line = 'c', user = "nick" }]
`;

test('a pattern file', () => {
  const { path, server, programs, splitting, patterns } = parse(GOOD);
  assert.deepEqual(
    { path, server, programs, at: splitting?.at },
    { path: '/etc/p/toy.toml', server: 'toy', programs: ['toyd', 'in.toyd'], at: 511 },
  );
  const [login, logout] = patterns;
  assert.deepEqual(
    patterns.map(({ event, name, maxLength }) => [event, name, maxLength]),
    [
      ['login', 'login', 300],
      ['logout', 'logout', 300],
    ],
  );
  assert.match('in nick from 192.0.2.1', login?.expression ?? /^$/);
  assert.doesNotMatch('in nick from 192.0.2.1 ', login?.expression ?? /^/);
  assert.match('out nick', logout?.expression ?? /^$/);
  assert.deepEqual(login?.samples.slice(1), [
    { kind: 'refuse', after: [], line: 'Nov 23 00:53:00 mx toyd: j\xc3\xbcrgen', outcome: null },
    { kind: 'attack', after: [], line: 'a', outcome: null },
    { kind: 'attack', after: [], line: 'b', outcome: { ip: '192.0.2.1', user: 'nick', tls: null } },
  ]);
});

test('what a file need not say', () => {
  const text = GOOD.replace('max-length = 300\nsplits-at = 511\n', '').replace(
    '["toyd", "in.toyd"]',
    '"toyd"',
  );
  const { programs, splitting, patterns } = parse(text);
  assert.deepEqual([programs, splitting, patterns[0]?.maxLength], [['toyd'], null, 900]);
});

test('a login without an address, where another line tells it', () => {
  const text = `programs = ["toyd"]
[[connect]]
name = "connect"
expression = 'from {ip}'
match = [{ line = 'x', ip = "::1" }]
[[login]]
name = "login"
expression = 'in (?<user>[^ ]+)'
match = [{ after = ['y'], line = 'x', ip = "::1", user = "nick" }]
[[failure]]
name = "failure"
expression = 'out'
match = [{ line = 'x' }]
`;
  const { patterns } = parse(text);
  assert.deepEqual(
    patterns.map(({ event, connects, groups }) => [event, connects, groups]),
    [
      ['login', true, ['user']],
      ['connect', true, ['ip']],
      ['failure', true, []],
    ],
  );
  assert.deepEqual(patterns[0]?.samples[0]?.after, ['y']);
  assert.throws(() => parse(text.replace("['y']", '["y", 1]')), /sample 1 has the wrong type/);
});

test('own logs belong to the first program', () => {
  const { linePrefixes } = parse(`own-log = ['x {stamp} ', '{stamp} {message}\\[y']\n${GOOD}`);
  const lines = ['x Nov 23 00:53:00 in', 'Nov 23 00:53:00 [yes', 'Nov 23 00:53:00 in'];
  assert.deepEqual(
    linePrefixes.map(({ program, prefix }) => [
      program,
      ...lines.map(line => prefix.exec(line)?.[0]),
    ]),
    [
      ['toyd', 'x Nov 23 00:53:00 ', undefined, undefined],
      ['toyd', undefined, 'Nov 23 00:53:00 ', undefined],
    ],
  );
});

describe('faults, with the line and what to do', () => {
  /** What is replaced by what; line; problem. */
  const table: readonly (readonly [string, string, number, RegExp])[] = [
    ['["toyd", "in.toyd"]', '["toyd"', 3, /Invalid TOML document/],
    ['name = "login"', 'name = "login', 7, /Invalid TOML document/],
    ['splits-at', 'split-at', 4, /unknown key "split-at"; the keys are programs, /],
    ['programs = ["toyd", "in.toyd"]\n', '', 1, /"programs" is missing; add it: a list of texts/],
    ['["toyd", "in.toyd"]', '[]', 2, /"programs" has the wrong type/],
    ['["toyd", "in.toyd"]', '["toyd", 1]', 2, /"programs" has the wrong type/],
    ['["toyd", "in.toyd"]', '["toyd[1]:"]', 2, /"toyd\[1\]:" is no syslog tag; write it without/],
    ['300', '"300"', 3, /"max-length" has the wrong type; write a whole number from 1 to 8192/],
    ['300', '0', 3, /"max-length" has the wrong type/],
    ['300', '9000', 3, /"max-length" has the wrong type/],
    ['splits-at = 511', 'pop3-programs = ["pop"]', 4, /"pop" is not among programs; add it there/],
    [
      "'out (?<user>[^ ]+)'",
      "'out (?<user>[^ ]+)(?<protocol> imap)?'",
      20,
      /\(\?<protocol>…\) holds " imap"/,
    ],
    [
      "'out (?<user>[^ ]+)'",
      "'out (?<protocol>imap|[^ ]+) (?<user>[^ ]+)'",
      20,
      /\(\?<protocol>…\) holds more than a text; write one or several of imap, /,
    ],
    ['511', '1.5', 4, /"splits-at" has the wrong type/],
    ['[[login]]', '[login]', 1, /"login" has the wrong type; write a table headed \[\[login\]\]/],
    ['name = "login"', 'nmae = "login"', 7, /unknown key "nmae"; the keys are name, expression, /],
    ['name = "login"\n', '', 6, /"name" is missing/],
    ['name = "login"', 'name = ["login"]', 7, /"name" has the wrong type; write a text/],
    ['name = "logout"', 'name = 1', 19, /"name" has the wrong type/],
    ["expression = 'out (?<user>[^ ]+)'\n", '', 18, /"expression" is missing/],
    ["'out (?<user>[^ ]+)'", '7', 20, /"expression" has the wrong type; write a list of texts/],
    ["'out (?<user>[^ ]+)'", "'^out (?<user>[^ ]+)'", 20, /"\^" is not needed, at character 1 /],
    ["'out (?<user>[^ ]+)'", "'out (?<user>.*) '", 20, /the run \.\* may take the blank/],
    ["'out (?<user>[^ ]+)'", "'out (?<host>[^ ]+)'", 20, /the group "\(\?<host>" is not known/],
    ["'from {ip}',", "'from there',", 8, /a login without \{ip\}; put \{ip\} where/],
    ["'out (?<user>[^ ]+)'", "'out (?<user>[^ ]+)(?<tls> TLS)?'", 20, /\(\?<tls>…\) in no login/],
    [
      'user = "nick" },\n]\nrefuse',
      'user = "nick", tls = true },\n]\nrefuse',
      12,
      /another set of fields/,
    ],
    [
      'user = "nick" },\n]\nrefuse',
      'user = "nick", tls = 1 },\n]\nrefuse',
      12,
      /wrong type; .* tls/,
    ],
    ["'from {ip}',", "'from {ip} {ip}',", 8, /\{ip\} stands twice/],
    ['match = [{ line = \'c\', user = "nick" }]\n', '', 18, /an expression without a sample/],
    ['{ line = \'c\', user = "nick" }', "{ line = 'c' }", 21, /another set of fields/],
    ["{ line = 'c', user", "{ line = 'c', ip = '::1', user", 21, /another set of fields/],
    ["{ line = 'c', user", "{ line = 'c', usr", 21, /unknown key "usr" in sample 1/],
    ["{ line = 'c', user", "{ lin = 'c', user", 21, /unknown key "lin" in sample 1/],
    ["{ line = 'c', user", '{ line = 1, user', 21, /sample 1 has the wrong type/],
    ['{ line = \'c\', user = "nick" }', "'c'", 21, /"match" has the wrong type; write a list of/],
    [
      "[{ line = 'a' }",
      "[{ line = 'a', user = 'x' }",
      16,
      /sample 1 has an outcome; give its line/,
    ],
    ['ürgen', "' , ip = '::1' }, { line = '", 15, /sample 1 has an outcome/],
  ];
  for (const [before, after, line, problem] of table) {
    test(`${before.trim()} → ${after}`, () => {
      assert.ok(GOOD.includes(before));
      assert.throws(
        () => parse(GOOD.replace(before, () => after)),
        (error: unknown) => {
          assert.ok(error instanceof Failure);
          assert.equal(error.code, 'PATTERN_SYNTAX');
          assert.match(error.line, problem);
          assert.ok(error.line.startsWith(`/etc/p/toy.toml:${line}: `), error.line);
          return true;
        },
      );
    });
  }

  /** What comes first in the file; line; problem. */
  const tops: readonly (readonly [string, number, RegExp])[] = [
    ['join = ["host"]', 1, /"host" joins nothing; the fields are session, port, ip, user, pid/],
    [
      'join = "session"',
      1,
      /no login tells the session; name it in an expression of a \[\[login\]\]/,
    ],
    ['join = ["user", "ip"]', 1, /no logout tells the ip/],
    ['tls-programs = ["toyd", "toyds"]', 1, /"toyds" is not among programs; add it there/],
    ['tls-programs = []', 1, /"tls-programs" has the wrong type/],
    ['join = 1', 1, /"join" has the wrong type/],
    ["own-log = 'x '", 1, /\{stamp\} does not stand there once/],
    ["own-log = '{stamp}{stamp}x'", 1, /\{stamp\} does not stand there once/],
    ["own-log = '{message}{stamp} x'", 1, /\{message\} stands before \{stamp\} or twice/],
    ["own-log = '{stamp} {message}{message}x'", 1, /\{message\} stands before \{stamp\} or twice/],
    ["own-log = '{stamp} '", 1, /any line with a stamp would be taken for the server's/],
    ["own-log = '{stamp} {message}.'", 1, /any line with a stamp would be taken for the server's/],
    ["own-log = '{stamp} (?<user>x)'", 1, /a prefix has no fields/],
    ["own-log = '{stamp} {ip}'", 1, /a prefix has no fields/],
    ["own-log = '{stamp} x*x'", 1, /the run x\* may take the "x"/],
    ["own-log = ['{stamp} x', '{stamp} (']", 1, /the group "\(" is not known/],
  ];
  for (const [top, line, problem] of tops) {
    test(top, () => {
      assert.throws(
        () => parse(`${top}\n${GOOD}`),
        (error: unknown) => {
          assert.ok(error instanceof Failure);
          assert.match(error.line, problem);
          assert.ok(error.line.startsWith(`/etc/p/toy.toml:${line}: `), error.line);
          return true;
        },
      );
    });
  }

  test('a connect without an address', () => {
    const text = `${GOOD}[[connect]]\nname = "c"\nexpression = 'from there'\nmatch = [{ line = 'x' }]\n`;
    assert.throws(() => parse(text), /toml:24: a connect without \{ip\}/);
  });

  test('no login at all', () => {
    assert.throws(() => parse('programs = ["toyd"]'), /there is no login/);
  });
});
