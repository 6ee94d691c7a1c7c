/** Whom Postfix lets relay without a login, and the command that takes the world out of it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failure } from '../../src/base/errors.ts';
import { parseMynetworks } from '../../src/classifier/mynetworks-parser.ts';
import { closingIn, judgeTrustedNetworks } from '../../src/doctor/trusted-networks.ts';
import { said } from './arrange.ts';

describe('mynetworks', () => {
  const judge = (text: string): string => {
    const context = { origin: 'main.cf', readText: () => '', warn: () => undefined };
    const { entries } = parseMynetworks(text, context);
    return said(judgeTrustedNetworks([{ origin: 'main.cf', entries, closing: null }])).join('\n');
  };
  const table: readonly (readonly [string, RegExp])[] = [
    ['', /^ok: .*private networks only$/],
    [
      '127.0.0.0/8 [::1]/128 [::ffff:127.0.0.0]/104 10.0.0.0/8 192.168.1.0/24 [fe80::]/64',
      /^ok: .*private networks only$/,
    ],
    ['127.0.0.0/8 203.0.113.0/24', /^ok: .*public networks: 203\.0\.113\.0\/24$/],
    ['10.0.0.0/8 cidr:/x', /^ok: .*what cidr:\/x holds/],
    ['203.0.0.0/10', /^warning: .*203\.0\.0\.0\/10/],
    ['[2001::]/20', /^warning: /],
    ['0.0.0.0/0', /^error: .*0\.0\.0\.0\/0/],
    ['[::]/0', /^error: .*::\/0/],
    ['[::ffff:0.0.0.0]/96', /^error: .*0\.0\.0\.0\/0/],
    ['10.0.0.0/7', /^error: /],
    ['static:all', /^error: .*static:all/],
    ['!0.0.0.0/0', /^ok: /],
  ];
  for (const [text, expected] of table)
    test(`"${text}"`, () => assert.match(judge(text), expected));

  const closings: readonly (readonly [text: string, written: string, command: string | null])[] = [
    ['127.0.0.0/8 0.0.0.0/0', '127.0.0.0/8 0.0.0.0/0', "-e 'mynetworks = 127.0.0.0/8'"],
    ['10.0.0.1 [::]/0, /own', '$own [::]/0, /own', "-e 'mynetworks = $own, /own'"],
    ['0.0.0.0/0', '0.0.0.0/0', "-e 'mynetworks = 127.0.0.0/8, [::1]/128'"],
    ['10.0.0.1 0.0.0.0/0', '$both', null],
    ['10.0.0.1 !0.0.0.0/0', '10.0.0.1 !0.0.0.0/0', null],
    ['10.0.0.1 /own', '10.0.0.1 /own', null],
  ];
  for (const [text, written, command] of closings)
    test(`what closes "${written}"`, () => {
      const place = { origin: 'main.cf', file: 'main.cf', name: 'mynetworks', text } as const;
      const whole = command === null ? null : `postconf ${command} && postfix reload`;
      assert.equal(closingIn(place, written, null, ''), whole);
      assert.equal(closingIn(place, written, null, ' && x'), whole && `${whole} && x`);
    });

  test('what cannot be read is an error', () => {
    const entries = failure('MYNETWORKS_ENTRY', { origin: 'main.cf', entry: 'x', problem: 'no' });
    assert.match(
      said(judgeTrustedNetworks([{ origin: 'main.cf', entries, closing: null }])).join(),
      /^error: /,
    );
  });
});
