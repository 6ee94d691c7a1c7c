import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { parseLine } from '../../src/line/prefix.ts';
import { StampReader } from '../../src/line/stamp.ts';
import { loadPatterns } from '../../src/recogniser/load.ts';
import { type PatternEvent, parsePatternFile } from '../../src/recogniser/pattern.ts';
import { describe as describePattern } from '../../src/recogniser/recogniser.ts';
import { Registry } from '../../src/recogniser/registry.ts';
import type { SampleKind } from '../../src/recogniser/sample.ts';
import { failedSamples } from '../../src/recogniser/samples.ts';

const NOW = epoch(Date.now() / 1000);

const shipped = await loadPatterns({ directory: '/nonexistent', explicit: false });

test('every sample of every shipped file does what the file says', () => {
  const failures = failedSamples(shipped, NOW).map(
    ({ pattern, sample, problem }) =>
      `${pattern.server} ${pattern.name}: ${sample.line}: ${problem}`,
  );
  assert.deepEqual(failures, []);
});

/** What an outsider's text could do is show a login or an end of a session that was not. */
const kindsOf = (event: PatternEvent): readonly SampleKind[] =>
  event === 'login' || event === 'logout' ? ['match', 'attack'] : ['match'];

for (const { server, patterns } of shipped.files) {
  for (const { name, event, samples } of patterns) {
    test(`${server}, ${event} "${name}": two lines of the server's, two of an attacker's`, () => {
      for (const kind of kindsOf(event)) {
        const count = samples.filter(sample => sample.kind === kind).length;
        assert.ok(count >= 2, `${count} of ${kind}`);
      }
    });
  }
}

test('no message of a sample has two readings, whichever program writes it', () => {
  const stamps = new StampReader(() => epoch(0));
  const messages = shipped.files
    .flatMap(({ patterns }) => patterns)
    .flatMap(({ samples }) => samples)
    .map(({ line }) => parseLine(line, stamps, shipped).message);
  for (const program of new Set(shipped.files.flatMap(({ programs }) => programs))) {
    const patterns = shipped.program(program)?.patterns ?? [];
    for (const message of messages) {
      const line = { time: null, host: null, program, pid: '7', message };
      const found = patterns.filter(pattern => describePattern(pattern, line) !== null);
      assert.ok(found.length < 2, `${program}: ${message}`);
    }
  }
});

describe('a sample that does something else is told', () => {
  const line = 'Nov 23 00:53:00 mx toyd: from 192.0.2.1';
  const file = (server: string, samples: string, expression = 'from {ip}') =>
    parsePatternFile(
      `${server}.toml`,
      server,
      `programs = ["toyd"]
      [[login]]
      name = "login"
      expression = '${expression}'
      ${samples}`,
    );
  const good = `match = [{ line = '${line}', ip = "192.0.2.1" }]`;
  const table: readonly (readonly [string, Registry, readonly RegExp[]])[] = [
    ['none does', new Registry([file('a', good)]), []],
    ['other fields', new Registry([file('a', good.replace('"192', '"193'))]), [/ip=192\.0\.2\.1/]],
    ['no event', new Registry([file('a', good.replace('from', 'form'))]), [/^no event$/]],
    ['no program', new Registry([file('a', good.replace('toyd:', 'toyd'))]), [/prefix/]],
    [
      'two servers',
      new Registry([file('a', good), file('b', good)]),
      [/^it is taken for a: login "login" and b: login "login"$/, /^it is taken for a/],
    ],
    [
      'another server',
      new Registry([file('a', good), file('b', good, 'form {ip}')]),
      [/^it is taken for a: login "login"$/],
    ],
    [
      'refused by none',
      new Registry([file('a', `${good}\nrefuse = [{ line = '${line}' }]`)]),
      [/^it is taken for a: login "login"$/],
    ],
    [
      'attack',
      new Registry([file('a', `${good}\nattack = [{ line = '${line}' }]`)]),
      [/^it is taken for a: login "login"$/],
    ],
  ];
  for (const [what, registry, problems] of table) {
    test(what, () => {
      const failures = failedSamples(registry, NOW);
      assert.equal(failures.length, problems.length);
      for (const [index, problem] of problems.entries())
        assert.match(failures[index]?.problem ?? '', problem);
    });
  }
});
