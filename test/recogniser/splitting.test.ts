import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Failure } from '../../src/base/errors.ts';
import { isSign, splittingOf } from '../../src/recogniser/splitting.ts';
import { TomlTable } from '../../src/recogniser/toml-table.ts';

const read = (text: string) => splittingOf(TomlTable.parse('/etc/p/toy.toml', text));
const GOOD = `splits-at = 100
[[whole]]
begins = 'failed '
ends = [', from ', '[\\d.]{7,15}(?: \\(tls\\))?']
`;

test('a server that writes every line as one', () => assert.equal(read('max-length = 1'), null));

test('a server without lines that hold a stranger’s text is known by lengths alone', () => {
  const splitting = read('splits-at = 100') ?? assert.fail();
  assert.deepEqual(
    ['', 'x', 'xx', 'x'.repeat(91), 'x'.repeat(92), 'x'.repeat(100), 'x'.repeat(101)].map(message =>
      isSign(message, splitting),
    ),
    [true, true, false, false, true, true, false],
  );
});

describe('a message that begins like one of a kind', () => {
  const splitting = read(GOOD) ?? assert.fail();
  const table: readonly (readonly [string, boolean])[] = [
    ['failed nick, from 192.0.2.1', false],
    ['failed nick, from 192.0.2.1 (tls)', false],
    ['failed x, from 192.0.2.1, from 192.0.2.2', false],
    ['failed nick, from 192.0.2.1 ', true],
    ['failed nick, from ', true],
    ['failed nick', true],
    ['failed ', true],
    ['failed', false],
    ['has failed nick', false],
    ['message repeated 2 times: [ failed nick, from 192.0.2.1]', false],
    ['message repeated 2 times: [failed nick, from 192.0.2.1 (tls)]', false],
    ['message repeated 2 times: [ failed nick]', true],
    ['message repeated 23 times: [ failed nick', true],
    ['message repeated 2 times: [ ]', true],
    [`message repeated 2 times: [ ${'x'.repeat(100)}]`, true],
    [`message repeated 2 times: [ ${'x'.repeat(50)}]`, false],
  ];
  for (const [message, is] of table)
    test(`"${message}": ${is ? 'torn' : 'whole'}`, () =>
      assert.equal(isSign(message, splitting), is));
});

describe('faults, with the line and what to do', () => {
  const table: readonly (readonly [string, string, number, RegExp])[] = [
    ['splits-at = 100', '', 1, /whole lines of a server that tears none; add splits-at/],
    ["'failed '", "''", 3, /it is empty; give the text/],
    ["'failed '", '7', 3, /"begins" has the wrong type/],
    ["begins = 'failed '\n", '', 2, /"begins" is missing/],
    ["', from '", "'.from '", 4, /begins with no fixed text; begin it with the text/],
    ["', from '", "', from (?:'", 4, /a group is not closed/],
    ["', from '", "', from .*'", 4, /the run \.\* may take the/],
    ['ends', 'end', 4, /unknown key "end"; the keys are begins, ends/],
  ];
  for (const [from, to, line, problem] of table) {
    test(problem.source, () => {
      assert.throws(
        () => read(GOOD.replace(from, to)),
        (error: unknown) =>
          error instanceof Failure &&
          error.line.includes(`/etc/p/toy.toml:${line}:`) &&
          problem.test(error.line),
      );
    });
  }
});
