import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { canonicalIp } from '../../src/base/address.ts';
import { Automaton, NONE, OPEN } from '../../src/line/automaton.ts';
import { ScanMemory } from '../../src/line/scan-memory.ts';
import { stepsOf } from '../../src/recogniser/byte-expressions.ts';
import { type Expression, parseExpression } from '../../src/recogniser/expression.ts';
import { expressionText } from './arbitrary.ts';

interface Told {
  readonly text: string;
  readonly mayLackAddress: boolean;
}

const told = (text: string): Told => ({ text, mayLackAddress: true });

/** What an automaton says of a text. */
type Matches = (text: string) => number;

function automatonOf(all: readonly Told[]): Matches {
  const memory = new ScanMemory();
  const { bytes } = memory.addBlock(128, 1);
  const alternatives = all.map(({ text, mayLackAddress }) => {
    const { sequence } = parseExpression(text);
    return { steps: stepsOf(sequence), mayLackAddress };
  });
  const automaton = new Automaton(alternatives, memory);
  // Between other bytes, as in a block.
  return text => automaton.match(bytes, 1, bytes.write(`b${text}b`, 'latin1') - 1);
}

/** The plain way: one expression after the other. */
function first(all: readonly Told[], expressions: readonly Expression[], text: string): number {
  return expressions.findIndex(({ compiled, groups }, index) => {
    const found = compiled.exec(text);
    if (found === null) return false;
    const address = found[groups.indexOf('ip') + 1];
    if (!groups.includes('ip') || address === undefined) return all[index]?.mayLackAddress;
    return canonicalIp(address) !== null;
  });
}

/** With refusals, and with an address, among texts of the same letters. */
const expression = fc
  .tuple(
    fc.constantFrom('', '', '(?!ab)', '(?!a[bc]c)', '(?:x{ip}y)?', 'x{ip}', '(?:{ip:port} )?'),
    expressionText,
    fc.constantFrom('', '', '(?!c)', ' {ip}', '(?: {ip})?', '[{ip:port}]'.replace('[', '\\[')),
  )
  .map(parts => parts.join(''))
  .filter(text => isExpression(text));

function isExpression(text: string): boolean {
  try {
    parseExpression(text);
    return true;
  } catch {
    return false;
  }
}

const address = fc.constantFrom('192.0.2.1', '192.0.2.999', '::1', '::1.2.3.4', 'abc', '1.2', '');
const letters = fc.stringMatching(/^[abcx]{0,5}$/);
const text = fc
  .tuple(
    fc.oneof(
      fc.constant(''),
      address.map(ip => `x${ip}`),
      address.map(ip => `x${ip}y`),
      address.map(ip => `${ip}:25 `),
    ),
    letters,
    fc.oneof(
      fc.constant(''),
      fc.constant('\xff\n'),
      address.map(ip => ` ${ip}`),
      fc.tuple(address, fc.stringMatching(/^\d{0,6}$/)).map(([ip, port]) => `[${ip}:${port}]`),
    ),
  )
  .map(parts => parts.join(''));

test('it finds the first expression that describes a text, or none, or leaves it open', () => {
  let open = 0;
  let described = 0;
  fc.assert(
    fc.property(
      fc.array(fc.record({ text: expression, mayLackAddress: fc.boolean() }), {
        minLength: 1,
        maxLength: 3,
      }),
      fc.array(text, { minLength: 1, maxLength: 20 }),
      (all, texts) => {
        const expressions = all.map(({ text: source }) => parseExpression(source));
        const automaton = automatonOf(all);
        for (const one of texts) {
          const found = automaton(one);
          if (found === OPEN) open++;
          else assert.equal(found, first(all, expressions, one), one);
          if (found >= 0) described++;
        }
      },
    ),
    { numRuns: 3000 },
  );
  assert.ok(described > 1000, `${described} described`);
  assert.ok(open < described, `${open} open, ${described} described`);
});

describe('left open is', () => {
  const automaton = automatonOf([{ text: '{ip}b*', mayLackAddress: false }, told('.*')]);
  for (const one of ['1.2.3', '::1.2.3.4', '192.0.2.1.'])
    test(`what may be an address or not: ${one}`, () => assert.equal(automaton(one), OPEN));
  test('but not what is one, and not what cannot be one', () => {
    assert.equal(automaton('192.0.2.1'), 0);
    assert.equal(automaton('x'), 1);
  });
  test('what may stand at two places', () => {
    const two = automatonOf([
      { text: '(?:a|a{ip} )?(?:{ip})?'.replace('{ip} ', ''), mayLackAddress: false },
    ]);
    assert.equal(two('a192.0.2.1'), OPEN);
  });
});

test('an expression without an address counts only where it may lack one', () => {
  assert.equal(automatonOf([{ text: 'a', mayLackAddress: false }])('a'), NONE);
  assert.equal(automatonOf([told('a')])('a'), 0);
});

test('an expression of too many states leaves the rest open, and stays right', () => {
  const automaton = automatonOf([told('(?:[ab]|c)(?:[ab]a|[ab]b)x?'), told('.*a.{14}')]);
  const random = fc.sample(fc.stringMatching(/^[ab]{20,60}$/), { numRuns: 3000, seed: 1 });
  let open = 0;
  for (const one of random) {
    const found = automaton(one);
    if (found === OPEN) open++;
    else assert.equal(found, one.at(-15) === 'a' ? 1 : NONE, one);
  }
  assert.ok(open > 0);
});
