/**
 * Addresses as text, against this machine's C library: `getent ahosts` prints them as `inet_ntop` does,
 * as smtpd does through getnameinfo.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inetNtop, parseAddress } from '../../src/base/address.ts';
import { mustRun } from './processes.ts';
import { requirePrograms } from './programs.ts';

const group = fc.oneof(
  { weight: 4, arbitrary: fc.constant('0') },
  fc.constantFrom('ffff', '00ff', 'ABCD'),
  fc.nat({ max: 0xffff }).map(value => value.toString(16)),
);
const spelling = fc.array(group, { minLength: 8, maxLength: 8 }).map(parts => parts.join(':'));

/** Every way that eight groups can be zero or not, each with random spellings of the rest beside it. */
const patterns = Array.from({ length: 256 }, (_, bits) =>
  Array.from({ length: 8 }, (_, index) => ((bits >> index) & 1 ? 'ffff' : '0')).join(':'),
);

test('IPv6 is written as the C library does', { skip: requirePrograms(['getent']) }, async () => {
  const texts = [
    ...patterns,
    ...fc.sample(spelling, { numRuns: 1000, seed: 4291 }),
    ...['::', '::1', '::192.0.2.1', '::ffff:192.0.2.1', '1:2:3:4:5:6:192.0.2.1'],
  ];
  const output = await mustRun('getent', ['ahosts', ...texts]);
  // Three lines each, of which the first repeats the question.
  const theirs = Array.from(output.matchAll(/^(\S+) +STREAM (\S+)$/gm), ([, text, asked]) => [
    asked,
    text,
  ]);
  const ours = texts.map(text => {
    const address = parseAddress(text);
    return [text, address && inetNtop(address)];
  });
  assert.deepEqual(ours, theirs);
});
