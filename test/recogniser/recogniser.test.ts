import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/clock.ts';
import { StampReader } from '../../src/line/stamp.ts';
import { loadPatterns } from '../../src/recogniser/load.ts';
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

describe('from a line to an event', () => {
  const login = { event: 'login', server: 'toy', time: TIME };
  const logout = { event: 'logout', server: 'toy', time: TIME, user: null };
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
    ['mx toyd: in \xef\xbb\xbfx> from ::1', { ...login, ip: '::1', user: '\ufeffx' }],
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

const shipped = await loadPatterns({ directory: '/nonexistent', explicit: false });

describe('lines of other programs, with all shipped patterns', () => {
  const messages = shipped.files
    .flatMap(({ patterns }) => patterns)
    .flatMap(({ samples }) => samples)
    .filter(({ kind }) => kind === 'match')
    .map(({ line }) => line);
  const programs = [
    'postfix/smtpd[99]',
    'postfix/cleanup[99]',
    'postfix/submission/smtpd[99]',
    'sendmail[99]',
    'exim[99]',
    'amavis[99]',
    'sshd[99]',
    'dovecot-lda',
    'sqwebmaild',
    'managesieve-login',
  ];
  /** Where such programs print what strangers say. */
  const templates: readonly ((text: string) => string)[] = [
    text => text,
    text =>
      `NOQUEUE: reject: RCPT from unknown[198.51.100.9]: 554 5.7.1 <${text}>: Relay access denied; from=<${text}> to=<a@example.org> proto=ESMTP helo=<${text}>`,
    text => `warning: unknown[198.51.100.9]: SASL LOGIN authentication failed: ${text}`,
    text => `4Rk9: message-id=<${text}>`,
    text => `connect from ${text}[198.51.100.9]`,
    text => `4Rk9: warning: header Subject: ${text} from local; from=<x>`,
  ];

  test('whole lines, and messages, of the servers in any field', () => {
    const recogniser = recogniserOf(shipped);
    for (const line of messages) {
      for (const text of [
        line,
        line.replace(/^.*?(?: mx | px | sol )/, ''),
        line.replace(/^.*?: /, ''),
      ]) {
        for (const program of programs) {
          for (const template of templates)
            assert.equal(recogniser.recognise(`${STAMP} mx ${program}: ${template(text)}`), null);
        }
      }
    }
  });

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
