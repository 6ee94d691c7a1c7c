/**
 * mynetworks, judged by the real Postfix: for one list after the other, what `classify` says of many
 * addresses is what smtpd answers to clients of these addresses.
 *
 * A list that is an error here must be one that Postfix cannot use: it trusts none of the addresses.
 */
import assert from 'node:assert/strict';
import { readFile, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { ErrorCode } from '../../src/base/errors.ts';
import { type Classifier, loadClassifier } from '../../src/classifier/classifier.ts';
import { assertRejects } from '../failure.ts';
import { ip } from '../map/addresses.ts';
import { type Postfix, startPostfix } from './postfix.ts';
import { mustRun } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { askToRelay } from './smtp.ts';
import { waitFor } from './wait.ts';
import { askToRelayAs } from './xclient.ts';

const RESTRICTIONS = `
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_authorized_xclient_hosts = 0.0.0.0/0, [::]/0
smtpd_hard_error_limit = 100000
smtpd_soft_error_limit = 100000
smtpd_junk_command_limit = 100000
# Every client that may relay begins a message that never comes.
in_flow_delay = 0
# A new smtpd for each connection, which reads main.cf anew.
max_use = 1
`;

const LONG_AGO = new Date(2020, 0, 1);

const ADDRESSES = [
  '127.0.0.1',
  '127.0.0.2',
  '10.0.0.1',
  '10.0.0.2',
  '10.0.0.129',
  '10.1.0.1',
  '192.0.2.0',
  '192.0.2.1',
  '192.0.2.7',
  '192.0.2.255',
  '192.0.3.1',
  '255.255.255.255',
  '::1',
  '2001:db8::',
  '2001:db8::1',
  '2001:db8::2',
  '2001:db8:0:1::1',
  '2001:db9::1',
  'fe80::1',
  '::192.0.2.1',
].map(ip);

/** Files and tables that lists name; `DIR` stands for their directory. */
const FILES = {
  nets: '# office\n192.0.2.0/25, 10.0.0.1\n\n  # indented\n!10.0.0.2 10.0.0.0/24 # trailing 0.0.0.0/0\n',
  outer: '!DIR/nets\n192.0.0.0/16 [2001:db8::]/32\r\n',
  turned: '!10.0.0.1\n10.0.0.2\n',
  table: '10.0.0.1 yes\n192.0.2.7 no\n2001:db8::1 OK\n::1 REJECT\n192.0.3 x\n10 x\n',
  'table.cidr': '10.0.0.128/25 a\n192.0.2.0/28 b\n2001:db8::/64 c\n',
  'table.regexp': '/^10\\.0\\.0\\./ x\n/^2001:db9:/ x\n',
};

const LISTS = [
  '',
  '127.0.0.0/8',
  '192.0.2.0/24, 10.0.0.1',
  '10.0.0.1,192.0.2.0/24\t[::1]/128',
  '!192.0.2.1 192.0.2.0/24',
  '192.0.2.0/24 !192.0.2.1',
  '!!192.0.2.1 !!!192.0.2.0/24 0.0.0.0/0',
  '0.0.0.0/0',
  '[::]/0',
  '[::1]',
  '[2001:DB8::]/32 ![::1] [::]/0',
  '![2001:db8::1]/128 [2001:db8::/64]',
  '[0:0:0:0:0:0:0:1] [2001:0db8:0:0::0001]',
  '[192.0.2.0]/24 [10.0.0.1]',
  '192.0.2.0/024',
  '[::ffff:192.0.2.0]/120 [::ffff:10.0.0.1]',
  '[::192.0.2.1] [::ffff:0.0.0.0]/96',
  '$inner 10.0.0.0/8',
  '10.0.0.1 # 192.0.2.0/24',
  'DIR/nets',
  '!DIR/nets 0.0.0.0/0',
  '!!DIR/nets',
  'DIR/outer',
  '!DIR/outer 0.0.0.0/0 [::]/0',
  'DIR/turned 10.0.0.0/24',
  '!DIR/turned 10.0.0.0/24',
  'lmdb:DIR/table',
  'texthash:DIR/table',
  '!texthash:DIR/table 0.0.0.0/0 [::]/0',
  '!!texthash:DIR/table',
  '10.0.0.1 !texthash:DIR/table cidr:DIR/table.cidr 192.0.2.255',
  'cidr:DIR/table.cidr',
  'regexp:DIR/table.regexp',
  'proxy:texthash:DIR/table',
  'static:yes',
  '!static:yes 0.0.0.0/0',
  'inline:{10.0.0.1=x}',
  'inline:{ 10.0.0.1=x, 192.0.2.7=y } [::1]',
  'cidr:{ {192.0.2.0/24 x}, {2001:db8::/32 x} } 10.0.0.2',
];

/**
 * What Postfix passes over, or answers 451 for, and the error that it is here.  Not among them is what ends
 * smtpd, such as `!` alone or `::1`: master would hold back the next smtpd for a minute.
 */
const UNUSABLE: readonly [string, ErrorCode][] = [
  ['2001:db8::/32', 'MYNETWORKS_ENTRY'],
  ['192.0.2.7/24', 'MYNETWORKS_ENTRY'],
  ['[2001:db8::1]/32', 'MYNETWORKS_ENTRY'],
  ['192.0.2.0/33', 'MYNETWORKS_ENTRY'],
  ['192.0.2.0/', 'MYNETWORKS_ENTRY'],
  ['192.0.2', 'MYNETWORKS_ENTRY'],
  ['192.0.2/24', 'MYNETWORKS_ENTRY'],
  ['010.0.0.1', 'MYNETWORKS_ENTRY'],
  ['010.0.0.0/8', 'MYNETWORKS_ENTRY'],
  ['[::1', 'MYNETWORKS_ENTRY'],
  ['[::1]128', 'MYNETWORKS_ENTRY'],
  ['[2001:db8::/32]/32', 'MYNETWORKS_ENTRY'],
  ['[fe80::1%lo]', 'MYNETWORKS_ENTRY'],
  ['localhost', 'MYNETWORKS_ENTRY'],
  ['none', 'MYNETWORKS_ENTRY'],
  ['DIR/nonexistent', 'MYNETWORKS_ENTRY'],
  ['texthash:DIR/nonexistent', 'POSTMAP_FAILED'],
  ['lmdb:DIR/nets', 'POSTMAP_FAILED'],
  ['nosuchtype:DIR/nets', 'POSTMAP_FAILED'],
  ['fail:x', 'POSTMAP_FAILED'],
];

const NETWORKS = [
  ...['10.0.0.1', '10.0.0.0/30', '10.0.0.0/24', '10.0.0.0/8', '192.0.2.0/29', '192.0.2.128/25'],
  ...['0.0.0.0/0', '[2001:db8::1]', '[2001:db8::]/64', '[2000::]/3', '[::]/0', '[::1]/128'],
];
const NESTED = ['DIR/nets', 'DIR/turned', 'texthash:DIR/table', 'cidr:DIR/table.cidr'];

const entry = fc
  .tuple(fc.constantFrom('', '', '!', '!!'), fc.constantFrom(...NETWORKS, ...NETWORKS, ...NESTED))
  .map(parts => parts.join(''));
const someLists = fc.sample(
  fc
    .tuple(fc.array(entry, { minLength: 2, maxLength: 8 }), fc.constantFrom(' ', ', ', ','))
    .map(([entries, separator]) => entries.join(separator)),
  { numRuns: 50, seed: 3711 },
);

const programs = ['postfix', 'postconf', 'postmap'];

describe('mynetworks', { skip: requirePrograms(programs, { root: true }) }, () => {
  const rig = new Rig();
  let postfix: Postfix;
  let directory: string;
  let mainCf: string;
  let lists = 0;

  before(async () => {
    directory = await rig.directory();
    for (const [name, text] of Object.entries(FILES)) {
      await writeFile(join(directory, name), text.replaceAll('DIR', directory));
    }
    await mustRun('postmap', [`lmdb:${join(directory, 'table')}`]);
    postfix = await startPostfix(rig, { mynetworks: '', restrictions: RESTRICTIONS });
    mainCf = await readFile(join(postfix.config, 'main.cf'), 'utf8');
  });
  after(() => rig.close());

  /** Gives Postfix a list; the banner of an smtpd that has it ends in the number returned. */
  async function setMynetworks(list: string): Promise<string> {
    const number = `list-${++lists}`;
    const value = list.replaceAll('DIR', directory);
    const settings = `mynetworks = ${value}\ninner = 192.0.2.7\nsmtpd_banner = ${number}\n`;
    const file = join(postfix.config, 'main.cf');
    await writeFile(
      `${file}.new`,
      mainCf.replace(/^mynetworks = .*\n/m, () => settings),
    );
    // Postfix reads a main.cf of the last seconds again and again until it is older (src/util/dict.c).
    await utimes(`${file}.new`, LONG_AGO, LONG_AGO);
    await rename(`${file}.new`, file);
    return number;
  }

  /** What smtpd answers to clients of the addresses, in their order. */
  async function smtpdCodes(list: string): Promise<number[]> {
    const number = await setMynetworks(list);
    return waitFor('smtpd to know the list', async () => {
      const answers = await askToRelayAs(postfix.smtp('127.0.0.1'), ADDRESSES);
      return answers.banner === `220 ${number}` ? answers.codes : undefined;
    });
  }

  function load(): Promise<Classifier> {
    return loadClassifier({
      mynetworks: null,
      mynetworksOrigin: '--mynetworks',
      postfixConfig: postfix.config,
      exclude: 'none',
      excludeOrigin: '--exclude',
      // Whose row would open other networks is another question.
      wholeAddresses: true,
      warn: () => undefined,
    });
  }

  for (const list of [...LISTS, ...someLists]) {
    test(`"${list}"`, async () => {
      const codes = await smtpdCodes(list);
      const theirs = ADDRESSES.map((address, index) => [address, codes[index]]);
      const classifier = await load();
      await classifier.prepare(ADDRESSES);
      const ours = ADDRESSES.map(address => [
        address,
        classifier.classify(address).kind === 'ignored' ? 250 : 554,
      ]);
      assert.deepEqual(ours, theirs);
    });
  }

  for (const [list, code] of UNUSABLE) {
    test(`"${list}" is of no use to Postfix either`, async () => {
      assert.ok(!(await smtpdCodes(list)).includes(250));
      await assertRejects(load(), code, list.replaceAll('DIR', directory));
    });
  }

  test('clients that really have their address are judged as those of XCLIENT', async () => {
    await smtpdCodes('!127.0.0.3 127.0.0.2/31 [::1]/128');
    const classifier = await load();
    for (const address of ['127.0.0.2', '127.0.0.3', '127.0.0.4', '::1'].map(ip)) {
      const { code } = await askToRelay(postfix.smtp(address));
      assert.equal(classifier.classify(address).kind === 'ignored', code === 250, address);
    }
  });
});
