import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { addressOf } from '../../src/base/address.ts';
import type { Mynetworks } from '../../src/classifier/mynetworks.ts';
import {
  type ParserContext,
  parseGivenMynetworks,
  parseMynetworks,
} from '../../src/classifier/mynetworks-parser.ts';
import { assertFails } from '../failure.ts';
import { ip } from '../map/addresses.ts';

type Files = Readonly<Record<string, string>>;

function context(files: Files = {}, warnings: string[] = []): ParserContext {
  return {
    origin: '--mynetworks',
    // What is not given is read for real, so that the reasons are the system's.
    readText: path => files[path] ?? readFileSync(path, 'utf8'),
    warn: text => warnings.push(text),
  };
}

/** Whether an address is in the list; `found` are the tables that have it. */
function includes(list: Mynetworks, text: string, found: readonly string[] = []): boolean {
  const address = addressOf(ip(text));
  return list.includes(address, table => (found.includes(table) ? 'found' : 'absent'));
}

/** List, addresses in it, addresses outside. */
const LISTS: readonly [string, string[], string[]][] = [
  ['', [], ['127.0.0.1', '::1']],
  ['127.0.0.0/8, [::1]/128', ['127.1.2.3', '::1'], ['128.0.0.1', '::2']],
  ['[2001:db8::]/32\t[2001:DB9::/32]', ['2001:db8::1', '2001:db9::1'], ['2001:dba::']],
  ['[192.0.2.0]/24\r\n[10.0.0.1]', ['192.0.2.1', '10.0.0.1'], ['10.0.0.2']],
  ['192.0.2.0/024', ['192.0.2.1'], ['192.0.3.1']],
  ['!192.0.2.1 192.0.2.0/24', ['192.0.2.2'], ['192.0.2.1']],
  ['192.0.2.0/24 !192.0.2.1', ['192.0.2.1'], []],
  ['!!!192.0.2.1 !!192.0.2.0/24', ['192.0.2.2'], ['192.0.2.1', '192.0.3.1']],
  ['[::ffff:192.0.2.0]/120', [], ['192.0.2.1']],
  ['0.0.0.0/0', ['192.0.2.1'], ['::1']],
  ['[::]/0', ['::1'], ['192.0.2.1']],
];

/** Entry, and what is said about it; the entry follows a good one, so that it is seen to be named. */
const REFUSED: readonly [string, string][] = [
  ['2001:db8::/32', 'IPv6 must stand in brackets'],
  ['::1', 'IPv6 must stand in brackets'],
  ['1:2', 'neither type:table nor IPv6'],
  ['-i:/etc/x', 'neither type:table nor IPv6'],
  ['hash:', 'neither type:table nor IPv6'],
  [':x', 'neither type:table nor IPv6'],
  ['192.0.2.7/24', 'perhaps 192.0.2.0/24 is meant'],
  ['192.0.2.0/33', 'bits after the slash'],
  ['192.0.2', 'full IPv4 or IPv6'],
  ['192.0.2.', 'full IPv4 or IPv6'],
  ['10.0.0.x', 'full IPv4 or IPv6'],
  ['localhost', 'full IPv4 or IPv6'],
  ['none', 'full IPv4 or IPv6'],
  ['$mynetworks', 'full IPv4 or IPv6'],
  ['[fe80::1%lo]', 'full IPv4 or IPv6'],
  ['[::1', 'brackets'],
  ['!', 'nothing follows'],
  ['!!', 'nothing follows'],
  ['/nonexistent/nets', 'cannot be read: no such file or directory'],
];

function refused(parse: () => unknown, start: string, problem: string): void {
  assertFails(parse, 'MYNETWORKS_ENTRY', `${start} is not an entry of mynetworks: `, problem);
}

describe('the grammar of mynetworks', () => {
  for (const [text, inside, outside] of LISTS) {
    test(JSON.stringify(text), () => {
      const list = parseMynetworks(text, context());
      assert.deepEqual(
        inside.filter(text => !includes(list, text)),
        [],
      );
      assert.deepEqual(
        outside.filter(text => includes(list, text)),
        [],
      );
    });
  }

  for (const [entry, problem] of REFUSED) {
    test(`refuses ${entry}`, () => {
      const parse = () => parseMynetworks(`192.0.2.0/24, ${entry} 10.0.0.1`, context());
      refused(parse, `--mynetworks: "${entry}"`, problem);
    });
  }

  test('tables are named once each, in the order of the list, with all between braces', () => {
    const text = 'hash:/a !cidr:/b,hash:/a inline:{ 10.0.0.1=x, {10.0.0.2 = y} } proxy:mysql:/c';
    const expected = [
      'hash:/a',
      'cidr:/b',
      'inline:{ 10.0.0.1=x, {10.0.0.2 = y} }',
      'proxy:mysql:/c',
    ];
    assert.deepEqual(parseMynetworks(text, context()).tables, expected);
  });

  test('an entry that is turned round by ! keeps its place', () => {
    const list = parseMynetworks('10.0.0.1 !hash:/a 10.0.0.0/8', context());
    assert.equal(includes(list, '10.0.0.1', ['hash:/a']), true);
    assert.equal(includes(list, '10.0.0.2', ['hash:/a']), false);
    assert.equal(includes(list, '10.0.0.2'), true);
  });

  test('names of clients are left out, with a warning each', () => {
    const warnings: string[] = [];
    const list = parseMynetworks('.example.com !Host.Example.org 10.0.0.1', context({}, warnings));
    assert.equal(includes(list, '10.0.0.1'), true);
    assert.deepEqual(
      warnings.map(warning => /^--mynetworks: "(.*)" names clients/.exec(warning)?.[1]),
      ['.example.com', 'Host.Example.org'],
    );
  });

  test('what follows # is not read, with a warning', () => {
    const warnings: string[] = [];
    const list = parseMynetworks('10.0.0.1 #office 192.0.2.1', context({}, warnings));
    assert.equal(includes(list, '192.0.2.1'), false);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /^--mynetworks: not read from "#office" on/);
  });
});

describe('files in mynetworks', () => {
  const files = {
    '/nets': '# 192.0.2.9\n\n10.0.0.1, !10.0.0.2\r\n  # 192.0.2.9\n10.0.0.0/24 # 192.0.2.9',
    '/outer': '192.0.2.1\n!/nets\n0.0.0.0/0\n',
    '/bad': '10.0.0.1\n#\n10.0.0.2 10.0.0.3/8\n',
    '/worse': '\n/bad\n',
    '/circle': '10.0.0.1\n/circle\n',
    '/braces': 'inline:{ 10.0.0.1=x,\n10.0.0.2 }\n',
  };

  test('their entries stand where the file is named, and warn of no comment', () => {
    const warnings: string[] = [];
    const list = parseMynetworks('/nets', context(files, warnings));
    assert.deepEqual(
      ['10.0.0.1', '10.0.0.2', '10.0.0.3', '192.0.2.9'].map(text => includes(list, text)),
      [true, false, true, false],
    );
    assert.deepEqual(warnings, []);
  });

  test('! before a file turns every entry of it round, through the files in it', () => {
    const plain = parseMynetworks('/outer', context(files));
    const turned = parseMynetworks('!/outer', context(files));
    for (const text of ['192.0.2.1', '10.0.0.1', '10.0.0.2', '10.0.0.3', '192.0.2.9']) {
      assert.equal(includes(turned, text), !includes(plain, text), text);
    }
    assert.equal(includes(plain, '10.0.0.2'), true);
  });

  test('an error names the innermost file and the line', () => {
    const parse = () => parseMynetworks('!/worse', context(files));
    refused(parse, '/bad:3: "10.0.0.3/8"', 'perhaps 10.0.0.0/8');
  });

  test('a circle is an error', () => {
    const parse = () => parseMynetworks('/circle', context(files));
    refused(parse, '/circle:2: "/circle"', 'more than 8 deep');
  });

  test('braces hold nothing together across lines', () => {
    const parse = () => parseMynetworks('/braces', context(files));
    refused(parse, '/braces:2: "}"', 'full IPv4');
  });
});

describe('a list that the user gave', () => {
  test('none is the empty list', () => {
    for (const text of ['none', ' none, ']) {
      assert.equal(includes(parseGivenMynetworks(text, context()), '127.0.0.1'), false);
    }
  });

  test('is otherwise read like that of Postfix', () => {
    assert.equal(includes(parseGivenMynetworks('127.0.0.0/8', context()), '127.0.0.1'), true);
  });

  test('without entries is an error, as is none among others', () => {
    refused(() => parseGivenMynetworks(' , ', context()), '--mynetworks: " , "', 'write none');
    refused(() => parseGivenMynetworks('none ::', context()), '--mynetworks: "none"', 'full IPv4');
  });
});

/** An entry of the model: a block of some of the eight addresses, a table of some, or a file of lines. */
type Item = { readonly marks: number } & (
  | { readonly kind: 'block'; readonly first: number; readonly size: number }
  | { readonly kind: 'table'; readonly members: readonly number[] }
  | { readonly kind: 'file'; readonly lines: readonly (readonly Item[])[] }
);

const marks = fc.constantFrom(0, 0, 0, 1, 1, 2, 3);
const { line } = fc.letrec<{ line: Item[]; item: Item }>(tie => ({
  line: fc.array(tie('item'), { maxLength: 4 }),
  item: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc
      .record({ marks, bits: fc.nat({ max: 3 }), at: fc.nat({ max: 7 }) })
      .map(({ marks, bits, at }): Item => {
        const size = 2 ** bits;
        return { kind: 'block', marks, first: at - (at % size), size };
      }),
    fc.record({
      kind: fc.constant('table' as const),
      marks,
      members: fc.uniqueArray(fc.nat({ max: 7 }), { maxLength: 2 }),
    }),
    fc.record({
      kind: fc.constant('file' as const),
      marks,
      lines: fc.array(tie('line'), { maxLength: 3 }),
    }),
  ),
}));

/** What match_list does, said once more: the first entry that matches decides, true, false, or on. */
function modelDecides(items: readonly Item[], member: number, included: boolean): boolean | null {
  for (const item of items) {
    const wanted = item.marks % 2 === 1 ? !included : included;
    if (item.kind === 'file') {
      const inner = modelDecides(item.lines.flat(), member, wanted);
      if (inner !== null) return inner;
    } else if (modelMatches(item, member)) return wanted;
  }
  return null;
}

function modelMatches(item: Exclude<Item, { kind: 'file' }>, member: number): boolean {
  if (item.kind === 'table') return item.members.includes(member);
  return member >= item.first && member < item.first + item.size;
}

/** Writes the model's list, with its files and tables. */
class Writer {
  readonly files: Record<string, string> = {};
  readonly tables = new Map<string, readonly number[]>();

  line(items: readonly Item[]): string {
    return items.map(item => '!'.repeat(item.marks) + this.#item(item)).join(', ');
  }

  #item(item: Item): string {
    if (item.kind === 'block') return `192.0.2.${item.first}/${32 - Math.log2(item.size)}`;
    if (item.kind === 'table') {
      const name = `hash:/${this.tables.size}`;
      this.tables.set(name, item.members);
      return name;
    }
    const text = item.lines.map(inner => `${this.line(inner)}\n`).join('');
    const path = `/${Object.keys(this.files).length}`;
    this.files[path] = text;
    return path;
  }
}

test('order, exclamation marks, files and tables, by a model of match_list', () => {
  fc.assert(
    fc.property(line, items => {
      const writer = new Writer();
      const list = parseMynetworks(writer.line(items), context(writer.files));
      for (let member = 0; member < 8; member++) {
        const found = list.tables.filter(table => writer.tables.get(table)?.includes(member));
        const expected = modelDecides(items, member, true) ?? false;
        assert.equal(includes(list, `192.0.2.${member}`, found), expected);
      }
    }),
    { numRuns: 500 },
  );
});
