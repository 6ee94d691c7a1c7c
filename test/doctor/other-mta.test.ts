import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OtherMta } from '../../src/doctor/map-reader.ts';
import { judgeOtherMta, type OtherMtaFacts } from '../../src/doctor/other-mta.ts';
import type { Reader } from '../../src/doctor/other-mta-state.ts';
import { OTHER_MTAS } from '../../src/doctor/other-mtas.ts';
import type { MapSpec } from '../../src/map/map.ts';
import { said } from './arrange.ts';

const PATH = '/var/popbsmtp/pop';

const EXIM: MapSpec = { type: 'cdb', path: PATH };
const LIST: MapSpec = {
  type: 'table',
  path: PATH,
  command: ['/usr/sbin/smtpctl', 'update', 'table', 'pop'],
};
const SENDMAIL: MapSpec = { type: 'makemap:hash', path: PATH };

const server = ({ type }: MapSpec) =>
  OTHER_MTAS.find(({ types }) => types.includes(type)) ?? assert.fail(type);

const ESMTPD: MapSpec = { type: 'smtpaccess', path: PATH };
const FIREWALL: MapSpec = {
  type: 'nft',
  path: PATH,
  nft: { family: 'inet', table: 'filter', set: 'pop' },
};

type Rules = Parameters<OtherMta['judge']>[2];

const readerOf = (map: MapSpec, text: string, rules: Rules = null): Reader => ({
  map,
  state: { server: server(map), configuration: { kind: 'known', text, rules } },
});

const judge = (first: Reader | null, changes: Partial<OtherMtaFacts> = {}): string =>
  said(judgeOtherMta({ first, others: [], hasMynetworks: true, ...changes })).join('\n');

/** As nft prints them, with what popbsmtp does not look at left out. */
const ruleset = (names: readonly string[], asked: readonly string[], flags = ['timeout']): string =>
  JSON.stringify({
    nftables: [
      { table: { family: 'inet', name: 'filter', handle: 1 } },
      { set: { family: 'ip', table: 'filter', name: 'pop4', type: 'ipv4_addr', flags } },
      ...names.map(name => ({
        set: {
          ...{ family: 'inet', table: 'filter', name, flags },
          type: name.endsWith('4') ? 'ipv4_addr' : 'ipv6_addr',
        },
      })),
      ...asked.map(name => ({
        rule: {
          ...{ family: 'inet', table: 'filter', chain: 'input' },
          expr: [
            {
              match: {
                op: '==',
                left: { payload: { protocol: 'ip', field: 'saddr' } },
                right: `@${name}`,
              },
            },
            { accept: null },
          ],
        },
      })),
    ],
  });

const BOTH = ['pop4', 'pop6'];

const MATCH = 'match from src <pop> for any action "out"\n';
const SMTPD = `table pop file:${PATH}\n${MATCH}`;

describe('a configuration that names the map', () => {
  const table: readonly [string, MapSpec, string, RegExp][] = [
    [
      'Exim, by a lookup',
      EXIM,
      `  accept condition = \${lookup{$sender_host_address} cdb {${PATH}.cdb}{yes}{no}}`,
      /^ok: Exim names cdb:\/var\/popbsmtp\/pop$/,
    ],
    [
      'Exim, in a host list',
      EXIM,
      `hosts = net-cdb;${PATH}.cdb : x`,
      /^warning: .* no IPv6 address$/,
    ],
    [
      'Exim, of another name',
      EXIM,
      `\${lookup{x}cdb{${PATH}.cdb.old}}`,
      /^error: Exim does not name/,
    ],
    ['Exim, without it', EXIM, 'begin acl\n', /^error: Exim does not name/],
    ['OpenSMTPD', LIST, SMTPD, /^ok: OpenSMTPD names table:\S+$/],
    ['OpenSMTPD, in quotes', LIST, SMTPD.replace(`file:${PATH}`, `"${PATH}"`), /^ok: /],
    [
      'OpenSMTPD, in a comment',
      LIST,
      SMTPD.replace('table', '# table'),
      /^error: .* does not name/,
    ],
    ['OpenSMTPD, behind a comment', LIST, SMTPD.replace('\n', ' # ours\n'), /^ok: /],
    ['OpenSMTPD, unused', LIST, `table pop file:${PATH}\n`, /^error: .* no "match" asks for it/],
    [
      'OpenSMTPD, of another name',
      LIST,
      SMTPD.replaceAll('pop', 'POP'),
      /^error: .* does not name/,
    ],
    [
      'OpenSMTPD, told of another table',
      LIST,
      SMTPD.replace('table pop', 'table other').replace('<pop>', '<other>'),
      /^ok: .*\nerror: table-command updates another table than other/,
    ],
    [
      'OpenSMTPD, told of nothing',
      { type: 'table', path: PATH },
      SMTPD,
      /^ok: .*\nerror: .* no table-command$/,
    ],
    [
      'OpenSMTPD, told by another program',
      { ...LIST, command: ['/usr/local/bin/as-root'] },
      SMTPD,
      /^ok: [^\n]*$/,
    ],
    [
      'sendmail',
      SENDMAIL,
      `Kone hash -a<OK> ${PATH}\nKtwo hash -a<OK> ${PATH}\nKpop sequence one two\nR$* $: $(pop $1 $)\n`,
      /^ok: sendmail names/,
    ],
    [
      'sendmail, once',
      SENDMAIL,
      `Kpop hash -a<OK> ${PATH}\nR$* $: $(pop $1 $)\n`,
      /^warning: .* once only/,
    ],
    [
      'sendmail, asked for once',
      SENDMAIL,
      `Kone hash ${PATH}\nKtwo hash ${PATH}\nR$* $: $(two $1 $)\n`,
      /^warning: .* once only/,
    ],
    [
      'sendmail, with the suffix',
      SENDMAIL,
      `Kone hash ${PATH}.db\nKtwo hash ${PATH}.db\nR$* $: $(one $1 $) $(two $1 $)\n`,
      /^ok: /,
    ],
    [
      'sendmail, behind another map',
      SENDMAIL,
      `Kone hash -T<TMPF> ${PATH}\nKtwo hash ${PATH}\nKaccess sequence access_file one two\n`,
      /^ok: /,
    ],
    ['sendmail, in a comment', SENDMAIL, `# Kpop hash ${PATH}\nR$* $: $(pop $1 $)\n`, /^error: /],
    [
      'sendmail, of a longer name',
      SENDMAIL,
      `Kpop hash ${PATH}-other\nR$* $: $(pop $1 $)\n`,
      /^error: /,
    ],
    ['sendmail, elsewhere', SENDMAIL, `Kpop hash /srv${PATH}\nR$* $: $(pop $1 $)\n`, /^error: /],
    ['sendmail, unused', SENDMAIL, `Kpop hash ${PATH}\n`, /^error: .* no rule asks for it/],
    ['sendmail, without it', SENDMAIL, 'Kaccess hash /etc/mail/access\n', /^error: .* not name/],
  ];
  for (const [name, map, text, expected] of table)
    test(name, () => assert.match(judge(readerOf(map, text)), expected));
});

describe('Courier', () => {
  const directory = '/etc/courier/smtpaccess';
  const table: readonly [string, MapSpec, Rules, RegExp][] = [
    ['with a link', ESMTPD, { directory, hasMap: true, isCompiled: true }, /^ok: Courier names/],
    [
      'without a link',
      ESMTPD,
      { directory, hasMap: false, isCompiled: true },
      /^error: \S+, of which Courier makes its access rules, does not lead to smtpaccess:[^\n]*$/,
    ],
    [
      'that nothing was compiled for',
      ESMTPD,
      { directory, hasMap: true, isCompiled: false },
      /^error: there is no \/etc\/courier\/smtpaccess\.dat/,
    ],
    [
      'with rules elsewhere',
      ESMTPD,
      { directory: '/srv/rules', hasMap: true, isCompiled: true },
      /^error: makesmtpaccess compiles the rules in \/srv\/rules, but popbsmtp knows those in \/etc/,
    ],
    [
      'with rules elsewhere, which popbsmtp knows',
      { ...ESMTPD, rules: '/srv/rules' },
      { directory: '/srv/rules', hasMap: true, isCompiled: true },
      /^ok: /,
    ],
    ['without rules', ESMTPD, null, /^error: .* no ACCESSFILE/],
  ];
  for (const [name, map, rules, expected] of table)
    test(name, () => assert.match(judge(readerOf(map, '', rules)), expected));

  for (const [text, expected] of [
    [`sysconfdir="/etc/courier"\nACCESSFILE=\${sysconfdir}/smtpaccess\n`, directory],
    ['sysconfdir=/opt/etc\nACCESSFILE="$sysconfdir/rules"\n', '/opt/etc/rules'],
    [`ACCESSFILE=/a\n#ACCESSFILE=/b\nACCESSFILE='/c' \n`, '/c'],
    ['ACCESSFILE=\n', null],
    ['PORT=25\n', null],
  ] as const)
    test(`has its rules in ${expected}`, () =>
      assert.equal(server(ESMTPD).rulesIn?.(text), expected));
});

describe('nftables', () => {
  const table: readonly [string, string, RegExp][] = [
    ['that asks for both sets', ruleset(BOTH, BOTH), /^ok: nftables names nft:inet filter pop$/],
    [
      'that asks for one',
      ruleset(BOTH, ['pop4']),
      /^warning: no rule of nftables asks for pop6, so/,
    ],
    ['that asks for none', ruleset(BOTH, []), /^error: .* no rule asks for them/],
    ['that asks for another', ruleset(BOTH, ['pop44', 'pop6']), /^warning: .* asks for pop4, so/],
    [
      'without a set',
      ruleset(['pop6'], BOTH),
      /^error: nftables has no set pop4 in the table inet filter, so[^\n]*$/,
    ],
    [
      'whose elements have no end',
      ruleset(BOTH, BOTH, []),
      /^error: the set pop4 .*\nerror: the set pop6 /,
    ],
    [
      'whose sets have networks',
      ruleset(BOTH, BOTH, ['timeout', 'interval']),
      /^error: the set pop4 /,
    ],
  ];
  for (const [name, text, expected] of table)
    test(name, () => assert.match(judge(readerOf(FIREWALL, text)), expected));
});

test('the maps behind the first one are judged as well, also where Postfix reads that', () => {
  const others = [readerOf(FIREWALL, ruleset(BOTH, BOTH))];
  assert.match(judge(null, { others }), /^ok: nftables names [^\n]*$/);
  assert.match(judge(readerOf(LIST, SMTPD), { others }), /^ok: OpenSMTPD .*\nok: nftables/);
  assert.equal(judge(null), '');
});

test('a server that cannot be asked is told of, and no error', () => {
  assert.match(judge({ map: LIST, state: null }), /^skipped: not looked at: table:/);
  const configuration = { kind: 'unknown', reason: 'permission denied' } as const;
  const state = { server: server(LIST), configuration };
  assert.match(judge({ map: LIST, state }), /^warning: .*: permission denied$/);
});

test('networks that nobody has given are missed once', () => {
  const hasMynetworks = false;
  assert.match(judge(readerOf(EXIM, ''), { hasMynetworks }), /^error: .* postconf was not found\n/);
  // The check of the configuration says so.
  assert.match(judge(readerOf(LIST, SMTPD), { hasMynetworks }), /^ok: [^\n]*$/);
});
