import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Failure } from '../../src/base/errors.ts';
import {
  compiledRules,
  keyOf,
  letsRelay,
  parseRules,
  stampIn,
  textOf,
} from '../../src/map/tcprules.ts';
import { ip } from './addresses.ts';
import { failing } from './failing.ts';

const parse = (text: string) => parseRules(Buffer.from(text), '/etc/tcp.smtp');

/** Each record as `key -> entries`. */
const compiled = (text: string): string[] =>
  parse(text).records.map(({ key, value }) => `${key} -> ${String(value).replaceAll('\0', ';')}`);

describe('rules of tcpserver', () => {
  const table: [text: string, records: string[]][] = [
    ['', []],
    ['# 10.:deny\n\n \t\n', []],
    [':allow', [' -> ']],
    [':deny\n', [' -> D;']],
    ['10.:allow \t', ['10. -> ']],
    ['127.:allow,RELAYCLIENT=""', ['127. -> +RELAYCLIENT=;']],
    ['10.:deny,A="1",B=/x,y/', ['10. -> D;+A=1;+B=x,y;']],
    ['1.2.3.4-5:allow', ['1.2.3.4 -> ', '1.2.3.5 -> ']],
    ['10.2-3.:deny', ['10.2. -> D;', '10.3. -> D;']],
    ['1-2.:deny', ['1. -> D;', '2. -> D;']],
    ['1.2.3.254-999:deny', ['1.2.3.254 -> D;', '1.2.3.255 -> D;']],
    ['1.2.3.5-4:deny', []],
    ['joe@1.2.3.4-5:deny', ['joe@1.2.3.4-5 -> D;']],
    ['::1:deny', ['::1 -> D;']],
    ['2001:db8::allow,X="allow:"', ['2001:db8: -> +X=allow:;']],
    ['joe@=a.example.org:allow', ['joe@=a.example.org -> ']],
  ];
  for (const [text, records] of table)
    test(`${JSON.stringify(text)} are ${records.length}`, () => {
      assert.deepEqual(compiled(text), records);
    });

  const wrong: [text: string, problem: RegExp][] = [
    ['10.', /line 1, "10\.": no address, colon/],
    [':allow\n10.:permit', /line 2, "10\.:permit": no address, colon/],
    ['10.:allow RELAYCLIENT=""', /no list of/],
    ['10.:allow,RELAYCLIENT', /no list of/],
    ['10.:allow,RELAYCLIENT=', /no list of/],
    ['10.:allow,RELAYCLIENT="', /no list of/],
    ['10.:allowed', /no list of/],
    ['1.2.3.a-b:allow', /no range/],
    ['=.example.org:allow', /by host name/],
    ['=:allow', /by host name/],
  ];
  for (const [text, problem] of wrong)
    test(`${JSON.stringify(text)} are none`, () => {
      assert.throws(() => parse(text), failing('MAP_RULES'));
      assert.throws(() => parse(text), problem);
    });

  test('by host name are refused where they are compiled already', () => {
    const records = [{ key: Buffer.from('=.example.org'), value: Buffer.from('D\0') }];
    assert.throws(() => compiledRules(records, '/x'), failing('MAP_RULES'));
  });

  test('any text at all ends in rules or an error', () => {
    const piece = fc.constantFrom(
      ...'10.:-@=,"/\n\t dDa',
      'allow',
      'deny',
      ':allow',
      ',A="',
      '::1',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), pieces => {
        try {
          parse(pieces.join(''));
        } catch (error) {
          assert.ok(error instanceof Failure);
        }
      }),
    );
  });
});

describe('the row of an address', () => {
  const RULES = parse(
    '10.1.:deny\n10.1.2.:allow,A="1"\n10.2.:allow,RELAYCLIENT="@x"\n10.3.0.1:allow\n' +
      'joe@10.4.0.1:deny\n2001:db8::deny\n:allow,B="2"\n',
  );
  const table: [ip: string, says: string | null][] = [
    ['10.1.0.1', null],
    ['10.1.2.3', 'allow,A="1",RELAYCLIENT=""'],
    ['10.2.0.1', 'allow,RELAYCLIENT="@x"'],
    ['10.3.0.1', null],
    ['10.3.0.10', 'allow,B="2",RELAYCLIENT=""'],
    ['10.4.0.1', 'allow,B="2",RELAYCLIENT=""'],
    ['10.10.0.1', 'allow,B="2",RELAYCLIENT=""'],
    ['2001:db8::1', null],
    ['2001:db9::1', 'allow,B="2",RELAYCLIENT=""'],
    // tcpserver asks it for each address that begins so.
    ['2001:db9::', null],
    ['::', null],
    ['1:1:1:1:1:1::', null],
    ['1:1:1:1:1:1:1:0', 'allow,B="2",RELAYCLIENT=""'],
  ];
  for (const [address, says] of table)
    test(`${address}: ${says ?? 'none'}`, () => {
      assert.equal(RULES.isSettled(ip(address)), says === null);
      if (says === null) return;
      const { key, value } = RULES.row(ip(address), '12345');
      assert.equal(key.toString(), keyOf(ip(address)));
      assert.equal(textOf(value), says);
      assert.equal(letsRelay(value), true);
      assert.equal(stampIn(value), 12345);
    });

  test('without rules lets its client relay', () => {
    assert.equal(String(parse('').row(ip('192.0.2.1'), '5').value), '+RELAYCLIENT=\0#popbsmtp 5\0');
  });

  test("is told from the administrator's by a last entry that tcprules cannot write", () => {
    for (const data of ['', 'D\0', '+A=#popbsmtp 5\0', '#popbsmtp 5', '#popbsmtp 5\0+A=1\0'])
      assert.equal(stampIn(Buffer.from(data)), null);
  });

  // What tcpserver of Debian's ucspi-tcp-ipv6 has as TCPREMOTEIP.
  const keys: [ip: string, key: string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8::1:1:1:1:1'],
    ['2001:0:1::1', '2001:0:1::1'],
    ['1:0:1:0:1:1:1:0', '1::1:0:1:1:1:0'],
    ['1:1:1:1:1:1:1:0', '1:1:1:1:1:1:1::'],
    ['0:1:1:1:1:1:1:1', '::1:1:1:1:1:1:1'],
  ];
  for (const [address, key] of keys)
    test(`of ${address} is found as ${key}`, () => assert.equal(keyOf(ip(address)), key));
});
