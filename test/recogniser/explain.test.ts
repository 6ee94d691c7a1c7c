import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { Explainer, type Explanation } from '../../src/recogniser/explain.ts';
import { loadPatterns } from '../../src/recogniser/load.ts';
import { parsePatternFile } from '../../src/recogniser/pattern.ts';
import { Registry } from '../../src/recogniser/registry.ts';

const shipped = await loadPatterns({ directory: '/nonexistent', explicit: false });
const reference = () => epoch(1_800_000_000);
const PREFIX = '2026-11-23T00:53:00Z mx';

function explain(registry: Registry, ...lines: readonly string[]): Explanation {
  const explainer = new Explainer(registry, reference);
  const last = lines.map(line => explainer.explain(`${PREFIX} ${line}`)).at(-1);
  assert.ok(last !== undefined);
  return last;
}

const toyd = new Registry([
  parsePatternFile(
    '/toyd.toml',
    'toyd',
    `programs = ["toyd"]
     max-length = 60
     [[login]]
     name = "one line"
     expression = 'user (?<user>[a-z]+) from {ip}'
     match = [{ line = 'Nov 23 00:53:00 mx toyd[1]: user nick from 192.0.2.1', ip = "192.0.2.1", user = "nick" }]
     [[login]]
     name = "two lines"
     expression = 'welcome (?<user>[a-z]+)'
     match = [{ after = ['Nov 23 00:53:00 mx toyd[1]: hello 192.0.2.1'], line = 'Nov 23 00:53:00 mx toyd[1]: welcome nick', ip = "192.0.2.1", user = "nick" }]
     [[connect]]
     name = "connect"
     expression = 'hello {ip}'
     match = [{ line = 'Nov 23 00:53:00 mx toyd[1]: hello 192.0.2.1', ip = "192.0.2.1" }]
     [[failure]]
     name = "failure"
     expression = 'go away, [a-z]*'
     match = [{ line = 'Nov 23 00:53:00 mx toyd[1]: go away, nick' }]
    `,
  ),
]);

describe('what comes of a line, and why', () => {
  test('the server whose login it would be under another tag', () => {
    const message =
      'imap-login: Login: user=<anna>, method=PLAIN, rip=198.51.100.7, lip=192.0.2.5, mpid=99, TLS, session=<kVQx>';
    const { outcome } = explain(shipped, `mailstore: ${message}`);
    assert.ok(outcome.kind === 'unknown program');
    assert.deepEqual(outcome.stray, { kind: 'tag', tag: 'mailstore', server: 'dovecot' });
    const other = explain(shipped, 'mailstore: delivered').outcome;
    assert.ok(other.kind === 'unknown program');
    assert.equal(other.stray, null);
  });

  test('an event, and the pattern that made it', () => {
    const { line, attempts, outcome } = explain(toyd, 'toyd[1]: user nick from 192.0.2.1');
    assert.equal(line.pid, '1');
    assert.ok(outcome.kind === 'event');
    assert.equal(outcome.event.ip, '192.0.2.1');
    assert.equal(outcome.by.pattern.name, 'one line');
    assert.equal(outcome.by.file.path, '/toyd.toml');
    assert.deepEqual(
      attempts.map(({ pattern, reached }) => [pattern.name, reached]),
      [
        ['one line', 24],
        ['two lines', 0],
        ['connect', 0],
        ['failure', 0],
      ],
    );
  });

  test('no program, or one that nobody knows', () => {
    assert.deepEqual(new Explainer(toyd, reference).explain('hello').outcome, {
      kind: 'no program',
      stray: null,
    });
    const { attempts, outcome } = explain(toyd, 'postfix/smtpd[1]: user nick from 192.0.2.1');
    const stray = { kind: 'tag', tag: 'postfix/smtpd', server: 'toyd' };
    assert.deepEqual([attempts, outcome], [[], { kind: 'unknown program', stray }]);
  });

  test('the nearest pattern, and where it stopped', () => {
    const { outcome } = explain(toyd, 'toyd[1]: user nick on 192.0.2.1');
    assert.ok(outcome.kind === 'not described');
    assert.equal(outcome.nearest?.pattern.name, 'one line');
    assert.equal(outcome.nearest.reached, 'user nick '.length);
    assert.deepEqual(outcome.nearest.expected, ['"from "']);
  });

  test('no pattern describes even the first character', () => {
    assert.deepEqual(explain(toyd, 'toyd[1]: ?').outcome, { kind: 'not described', nearest: null });
  });

  test('what keeps a message that is described from being an event', () => {
    const table = [
      [`user ${'x'.repeat(50)} from 192.0.2.1`, 'too long', 'one line'],
      ['user nick from 192.0.2.256', 'no address', 'one line'],
      ['hello 1.2.3', 'no address', 'connect'],
      ['welcome nick', 'no connection', 'two lines'],
    ] as const;
    for (const [message, obstacle, name] of table) {
      const { outcome } = explain(toyd, `toyd[1]: ${message}`);
      assert.ok(outcome.kind === 'obstacle', message);
      assert.deepEqual([outcome.obstacle, outcome.by.pattern.name], [obstacle, name]);
    }
  });

  test('a login that is told in two lines', () => {
    const hello = 'toyd[7]: hello 192.0.2.1';
    const connect = explain(toyd, hello).outcome;
    assert.ok(connect.kind === 'connect');
    const joined = explain(toyd, hello, 'toyd[7]: welcome nick').outcome;
    assert.ok(joined.kind === 'event');
    assert.equal(joined.event.ip, '192.0.2.1');
    const other = explain(toyd, hello, 'toyd[8]: welcome nick').outcome;
    assert.ok(other.kind === 'obstacle');
    assert.equal(other.obstacle, 'no connection');
    const failed = explain(toyd, hello, 'toyd[7]: go away, nick').outcome;
    assert.ok(failed.kind === 'failure');
    assert.equal(
      explain(toyd, hello, 'toyd[7]: go away, nick', 'toyd[7]: welcome x').outcome.kind,
      'obstacle',
    );
  });

  test('a piece of a torn line, whatever it says', () => {
    const login = 'imapd: LOGIN, user=x, ip=[203.0.113.66], port=[1], protocol=IMAP';
    assert.equal(explain(shipped, login).outcome.kind, 'event');
    const piece = `imapd: ${'LOGIN FAILED, user='.padEnd(505, 'A')}`;
    const { attempts, outcome } = explain(shipped, piece, login);
    assert.deepEqual([attempts, outcome], [[], { kind: 'torn' }]);
    const logout = 'imapd: LOGOUT, user=x, ip=[203.0.113.66], port=[1]';
    assert.equal(explain(shipped, piece, logout).outcome.kind, 'event');
  });
});

/** The samples of all shipped files with what must come before them. */
const samples = shipped.files
  .flatMap(({ patterns }) => patterns)
  .flatMap(pattern => pattern.samples.map(sample => ({ pattern, sample })));

test('what is said of every sample is what the daemon does with it', () => {
  for (const { pattern, sample } of samples.filter(({ sample: { kind } }) => kind === 'match')) {
    const explainer = new Explainer(shipped, reference);
    for (const line of sample.after) explainer.explain(line);
    const { outcome } = explainer.explain(sample.line);
    assert.ok('by' in outcome && outcome.kind !== 'obstacle', sample.line);
    assert.equal(outcome.by.pattern, pattern, sample.line);
    assert.equal(outcome.by.reached, explainer.explain(sample.line).line.message.length);
  }
  for (const { sample } of samples.filter(({ sample: { outcome } }) => outcome === null)) {
    const explainer = new Explainer(shipped, reference);
    for (const line of sample.after) explainer.explain(line);
    const { kind } = explainer.explain(sample.line).outcome;
    assert.notEqual(kind, 'event', sample.line);
  }
});

test('a line that was spoilt somewhere is described up to there at least', () => {
  for (const { pattern, sample } of samples.filter(({ sample: { kind } }) => kind === 'match')) {
    const explainer = new Explainer(shipped, reference);
    const { message } = explainer.explain(sample.line).line;
    const start = sample.line.length - message.length;
    for (let at = 0; at < message.length; at++) {
      const spoilt = `${sample.line.slice(0, start + at)}\0${message.slice(at + 1)}`;
      const { attempts } = explainer.explain(spoilt);
      const attempt = attempts.find(({ pattern: tried }) => tried === pattern);
      // Own log files and pieces of torn lines may not be read as the same program's any more.
      if (attempt === undefined) continue;
      assert.ok(attempt.reached >= at, `${spoilt}: ${attempt.reached}`);
    }
  }
});
