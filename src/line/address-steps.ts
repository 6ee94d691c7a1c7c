/**
 * How addresses are written, as steps: dotted quads, IPv6 in groups of hexadecimal digits, and IPv4-mapped ones.
 *
 * Promises: what these steps describe is an address for base/address.ts (test/line/address-steps.test.ts); of what that one
 * takes, only an IPv6 address that ends in a quad otherwise than `::ffff:` does is not among it.
 */
import { choice, classOf, oneOf, type Step, type Steps, text } from './steps.ts';

const DIGIT = oneOf('0123456789');

/** Up to 255, without leading zeros. */
const OCTET = choice(
  [text('25'), oneOf('012345')],
  [text('2'), oneOf('01234'), DIGIT],
  [text('1'), DIGIT, DIGIT],
  [oneOf('123456789'), DIGIT],
  [DIGIT],
);

const QUAD: Steps = [OCTET, text('.'), OCTET, text('.'), OCTET, text('.'), OCTET];

const GROUPS = 8;
const GROUP: Step = {
  kind: 'run',
  set: classOf(byte => /[\da-fA-F]/.test(String.fromCharCode(byte))),
  min: 1,
  max: 4,
};

/** So many groups with colons between them. */
const groups = (count: number): Steps =>
  Array.from({ length: count }, (_, index) => (index === 0 ? [GROUP] : [text(':'), GROUP])).flat();

/** All ways to leave a row of zeros out. */
const compressed: readonly Steps[] = Array.from(
  { length: GROUPS },
  (_, before): Steps => [
    ...groups(before),
    text('::'),
    choice(...Array.from({ length: GROUPS - before }, (_, behind) => groups(behind))),
  ],
);

export const ADDRESSES: Steps = [
  choice(QUAD, [text('::ffff:'), ...QUAD], groups(GROUPS), ...compressed),
];
