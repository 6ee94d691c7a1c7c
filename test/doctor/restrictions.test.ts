/**
 * Which restriction lists let granted clients relay, and whom else: test/real/doctor.test.ts has what Postfix says.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lookupOf, wrapped } from '../../src/doctor/map-naming.ts';
import { judgeRestrictions } from '../../src/doctor/restrictions.ts';
import { MAP, postfixWith, said } from './arrange.ts';

const CLOSED = 'permit_mynetworks, check_client_access lmdb:/m, reject_unauth_destination';
const relay = (list: string): string => `smtpd_relay_restrictions = ${list}\n`;
const recipient = (list: string): string => `smtpd_recipient_restrictions = ${list}\n`;

const judge = (
  mainCf: string,
  services?: string,
  overrides?: string,
  wholeAddresses = false,
): string =>
  said(
    judgeRestrictions({
      state: postfixWith(mainCf, services, overrides),
      map: MAP,
      config: null,
      mode: 0o644,
      wholeAddresses,
      missing: [],
    }),
  ).join('\n');

describe('good lists', () => {
  const table: Readonly<Record<string, string>> = {
    'the usual one': relay(CLOSED),
    'the way before Postfix 2.10': recipient(CLOSED),
    'deferring strangers': relay(CLOSED.replace('reject', 'defer')),
    'both, with the map in each': relay(CLOSED) + recipient(CLOSED),
    'spam checks in the other': relay(CLOSED) + recipient('reject_rbl_client zen.example.org'),
    'refusing all others': relay('check_client_access lmdb:/m, permit_auth_destination, reject'),
    'in capitals': relay('CHECK_CLIENT_ACCESS lmdb:/m, REJECT_UNAUTH_DESTINATION'),
    'a table of the administrator before it': relay(`check_client_access cidr:/own, ${CLOSED}`),
    'a table that refuses some': relay(`check_sender_access hash:/bad, ${CLOSED}`),
    'warn_if_reject elsewhere': relay(`warn_if_reject reject_unknown_client_hostname, ${CLOSED}`),
  };
  for (const [name, mainCf] of Object.entries(table)) {
    test(name, () => {
      const [first, ...more] = judge(mainCf).split('\n');
      assert.match(first ?? '', /^ok: lmdb:\/m lets its addresses relay: smtpd_\w+/);
      assert.deepEqual(more, []);
    });
  }
});

describe('bad lists', () => {
  const table: readonly {
    readonly name: string;
    readonly mainCf: string;
    readonly expected: RegExp;
  }[] = [
    {
      name: 'only the second list has it',
      mainCf: relay('permit_mynetworks, reject_unauth_destination') + recipient(CLOSED),
      expected:
        /^error: main\.cf: lmdb:\/m is named, but "reject_unauth_destination" in smtpd_relay_restrictions/,
    },
    {
      name: 'the client list refuses first',
      mainCf: `${relay(CLOSED)}smtpd_client_restrictions = permit_mynetworks, reject\n`,
      expected: /^error: .*"reject" in smtpd_client_restrictions/,
    },
    {
      name: 'a table that permits everybody',
      mainCf: relay(`check_sender_access static:permit, ${CLOSED}`),
      expected: /^error: main\.cf: "check_sender_access static:permit" .* lets everybody relay/,
    },
    {
      name: 'a number permits, too',
      mainCf: relay(`check_helo_access static:1, ${CLOSED}`),
      expected: /^error: .* lets everybody relay/,
    },
    {
      name: 'permitted in one list, refused in the other',
      mainCf: relay('permit, reject') + recipient('permit_mynetworks, reject_unauth_destination'),
      expected: /^error: main\.cf does not name lmdb:\/m; /,
    },
    { name: 'no restrictions', mainCf: '', expected: /^error: main\.cf: smtpd answers nobody/ },
    {
      name: 'the suffix that Postfix adds',
      mainCf: relay('check_client_access lmdb:/m.lmdb, reject_unauth_destination'),
      expected: /^error: main\.cf names lmdb:\/m\.lmdb, and Postfix adds \.lmdb itself/,
    },
    {
      name: 'through proxymap',
      mainCf: relay('check_client_access proxy:lmdb:/m, reject_unauth_destination'),
      expected: /^ok: .*\nwarning: the map is asked through proxy:/,
    },
  ];
  for (const { name, mainCf, expected } of table) {
    test(name, () => assert.match(`${judge(mainCf)}`.replace(/$/, '; '), expected));
  }
});

describe('services', () => {
  const TWO = 'smtp inet n - n - - smtpd\nsubmission inet n - n - - smtpd';

  test('one that permits everybody is told', () => {
    const told = judge(
      relay(CLOSED),
      TWO,
      'submission/inet/smtpd_relay_restrictions = check_client_access static:OK, reject\n',
    );
    assert.match(told, /^error: master\.cf for submission\/inet: "check_client_access static:OK"/);
  });

  test('one that only this machine can reach is a warning', () => {
    const told = judge(
      relay(CLOSED),
      `${TWO}\n127.0.0.1:10025 inet n - n - - smtpd`,
      '127.0.0.1:10025/inet/smtpd_relay_restrictions = check_client_access static:OK, reject\n',
    );
    assert.match(
      told,
      /^warning: master\.cf for 127\.0\.0\.1:10025\/inet: .* who can connect there/,
    );
  });

  test('the smtpd behind postscreen counts', () => {
    const told = judge(
      relay(CLOSED),
      'smtp inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd',
      'smtpd/pass/smtpd_relay_restrictions = reject_unauth_destination\n',
    );
    assert.match(told, /^error: master\.cf for smtpd\/pass does not name/);
  });

  test('without any, there is no mail', () => {
    assert.match(judge(relay(CLOSED), 'pickup unix n - n 60 1 pickup'), /^error: .* no smtpd/);
  });
});

test('a Postfix that cannot be asked is none of this check', () => {
  assert.deepEqual(
    judgeRestrictions({
      state: null,
      map: MAP,
      config: null,
      mode: null,
      wholeAddresses: false,
      missing: [],
    }),
    [],
  );
});

describe('a map of which whole addresses only are looked up', () => {
  const WRAPPED = 'pipemap:{regexp:{{/^(.*)$/ $1}}, lmdb:/m}';
  const wrap = (table: string): string => relay(CLOSED.replace('lmdb:/m', table));

  for (const table of [
    WRAPPED,
    `pipemap:{ regexp:{ {/^(.+)$/ \${1}} }, lmdb:/m }`,
    'pipemap:{pcre:{{/^(.*)$/ $(1)}}, proxy:lmdb:/m}',
    `proxy:${WRAPPED}`,
  ])
    test(table, () => {
      const [told, named, ...more] = judge(wrap(table), undefined, undefined, true).split('\n');
      assert.match(told ?? '', /^ok: whole addresses only are looked up in lmdb:\/m: main\.cf$/);
      assert.match(named ?? '', /^ok: lmdb:\/m lets its addresses relay: smtpd_relay_restrictions/);
      assert.ok(more.every(line => line.startsWith('warning: the map is asked through proxy:')));
      assert.match(
        judge(wrap(table)),
        /^warning: main\.cf looks up whole addresses only in lmdb:\/m/,
      );
    });

  test('as the doctor itself says to write it', () => {
    const { line } = wrapped(MAP);
    const value = line.replace('pbsmap = ', '').replaceAll('$$', '$');
    assert.equal(lookupOf(value, MAP), 'whole');
  });

  for (const table of [
    'lmdb:/m',
    'proxy:lmdb:/m',
    'pipemap:{lmdb:/m, regexp:{{/^(.*)$/ $1}}}',
    'pipemap:{inline:{a=b}, lmdb:/m}',
    'pipemap:{regexp:{{/^([^.]*)/ $1}}, lmdb:/m}',
    'pipemap:{regexp:/etc/postfix/own, lmdb:/m}',
  ])
    test(`not ${table}, an open relay with the option`, () => {
      assert.match(
        judge(wrap(table), undefined, undefined, true),
        /^error: whole-addresses is set, but main\.cf looks up the beginnings of addresses too: .*fd00::5:1:2:3:4/,
      );
      assert.match(judge(wrap(table)), /^ok: lmdb:\/m lets its addresses relay/);
    });

  test('one service of several that does not is an open relay with the option', () => {
    const told = judge(
      wrap(WRAPPED),
      'smtp inet n - n - - smtpd\nsubmission inet n - n - - smtpd',
      `submission/inet/smtpd_relay_restrictions = ${CLOSED}\n`,
      true,
    );
    assert.match(told, /^error: .* master\.cf for submission\/inet looks up the beginnings/);
  });

  test('another map is none of ours, however it is wrapped', () => {
    for (const table of ['pipemap:{regexp:{{/^(.*)$/ $1}}, lmdb:/other}', 'pipemap:{}', 'pipemap:'])
      assert.match(judge(wrap(table)), /^error: main\.cf does not name lmdb:\/m/);
  });
});

test('a map that proxymap may not read is an error, where it is asked through proxy:', () => {
  const state = postfixWith(relay(CLOSED.replace('lmdb:', 'proxy:lmdb:')));
  const judged = (mode: number): string =>
    said(
      judgeRestrictions({
        state,
        map: MAP,
        config: null,
        mode,
        wholeAddresses: false,
        missing: [],
      }),
    ).join('\n');
  assert.match(judged(0o600), /^error: .*proxy:.* may not read it/m);
  assert.match(judged(0o644), /^warning: .*proxy:/m);
});
