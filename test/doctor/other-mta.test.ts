import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgeOtherMta, type OtherMtaFacts } from '../../src/doctor/other-mta.ts';
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

const judge = (map: MapSpec, text: string, changes: Partial<OtherMtaFacts> = {}): string =>
  said(
    judgeOtherMta({
      map,
      state: { server: server(map), configuration: { kind: 'known', text } },
      hasMynetworks: true,
      ...changes,
    }),
  ).join('\n');

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
    test(name, () => assert.match(judge(map, text), expected));
});

test('a server that cannot be asked is told of, and no error', () => {
  assert.match(judge(LIST, '', { state: null }), /^skipped: not looked at: table:/);
  const configuration = { kind: 'unknown', reason: 'permission denied' } as const;
  const state = { server: server(LIST), configuration };
  assert.match(judge(LIST, '', { state }), /^warning: .*: permission denied$/);
});

test('networks that nobody has given are missed once', () => {
  assert.match(judge(EXIM, '', { hasMynetworks: false }), /^error: .* postconf was not found\n/);
  // The check of the configuration says so.
  assert.match(judge(LIST, SMTPD, { hasMynetworks: false }), /^ok: [^\n]*$/);
});
