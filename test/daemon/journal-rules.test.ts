/** Whose entries of the journal count, and how they are read: by their tags, and as the administrator has chosen them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import { journalRules, RawContainers } from '../../src/daemon/journal-rules.ts';
import { StampReader } from '../../src/line/stamp.ts';
import { loadPatterns } from '../../src/recogniser/load.ts';
import { Recogniser } from '../../src/recogniser/recogniser.ts';
import { parseEntry } from '../../src/source/journal-entry.ts';
import { parseMatch } from '../../src/source/journal-match.ts';
import { lineOf } from '../../src/source/journal-source.ts';

const registry = await loadPatterns({ directory: '/nonexistent', explicit: false });

type Fields = Readonly<Record<string, unknown>>;

const SAID =
  'Login: user=<anna>, method=PLAIN, rip=198.51.100.7, lip=192.0.2.5, mpid=9, TLS, session=<a>';
/** As Dovecot prints it on its standard error, and through syslog. */
const PRINTED = `Nov 24 22:34:26 imap-login: Info: ${SAID}`;
const LOGGED = `imap-login: ${SAID}`;
const NGINX =
  '2026/11/24 22:34:26 [info] 7#7: *1 client logged in, client: 198.51.100.7, server: 0.0.0.0:143, login: "anna"';

const entryOf = (fields: Fields, hostFirst?: ReadonlySet<string>) =>
  parseEntry(
    JSON.stringify({
      __CURSOR: 's=1',
      __REALTIME_TIMESTAMP: '1795559666172621',
      _HOSTNAME: 'mx',
      _UID: '0',
      ...fields,
    }),
    hostFirst,
  );

/** As Docker's journald driver sends what a container prints. */
const FRONT = {
  ...{ _TRANSPORT: 'journal', _COMM: 'dockerd', _EXE: '/usr/bin/dockerd' },
  ...{ _SYSTEMD_UNIT: 'docker.service', SYSLOG_IDENTIFIER: 'mailu-front', PRIORITY: '3' },
  ...{ CONTAINER_ID: '0123456789ab', CONTAINER_NAME: 'mailu_front_1' },
  ...{ CONTAINER_TAG: 'mailu-front', MESSAGE: PRINTED },
};

/** The addresses that log in by the entries, in turn; null for one that is not taken. */
function logins(texts: readonly string[], entries: readonly Fields[], trustAny = false) {
  const told: string[] = [];
  const raw = new RawContainers((container, server) => told.push(`${container} ${server}`));
  const matches = texts.map(text => parseMatch(text, '--journal-match'));
  const rules = journalRules(registry, { trustAny, matches }, raw);
  const recogniser = new Recogniser(registry, new StampReader(() => epoch(1795559666)));
  const ips = entries.map(fields => {
    const entry = entryOf(fields, rules.hostFirst);
    if (entry === null || !rules.trust(entry)) return null;
    const event = recogniser.recognise(lineOf(entry, rules) ?? '');
    return event?.event === 'login' ? event.ip : null;
  });
  return { ips, told };
}

const isLogin = (text: string, fields: Fields, trustAny = false): boolean =>
  logins([text], [fields], trustAny).ips[0] === '198.51.100.7';

const FRONTS = 'CONTAINER_TAG=mailu-front';

describe('a container that is chosen tells of a login', () => {
  for (const [name, fields] of [
    ['by what Dovecot prints', {}],
    ['under its id for a tag', { SYSLOG_IDENTIFIER: '0123456789ab' }],
    ['by a line of a syslog daemon in it', { MESSAGE: `Nov 24 22:34:26 mail dovecot: ${LOGGED}` }],
    ['by a line without a stamp', { MESSAGE: `dovecot: ${LOGGED}` }],
    ['under a tag that is a server’s', { SYSLOG_IDENTIFIER: 'dovecot' }],
    [
      'by conmon',
      { _COMM: 'conmon', _EXE: '/usr/bin/conmon', _SYSTEMD_UNIT: 'libpod-conmon-a.scope' },
    ],
    ['with the line end of a terminal', { MESSAGE: `${PRINTED}\r` }],
  ] as const)
    test(name, () => assert.equal(isLogin(FRONTS, { ...FRONT, ...fields }), true));
});

describe('no login comes', () => {
  for (const [name, fields, text = FRONTS] of [
    ['of another container', { CONTAINER_TAG: 'web' }],
    ['of the same words of a local user', { _UID: '1000', _COMM: 'dockerd' }],
    [
      'of a user’s container',
      { _UID: '1000', _COMM: 'conmon', _SYSTEMD_UNIT: 'user@1000.service' },
    ],
    ['of a user’s words by syslog', { _UID: '1000', _TRANSPORT: 'syslog' }],
    ['of a user’s words by a stream', { _UID: '1000', _TRANSPORT: 'stdout' }],
    [
      'of an entry under the tag, which was not chosen',
      { SYSLOG_IDENTIFIER: 'dovecot', CONTAINER_TAG: undefined },
    ],
    ['of what nginx prints', { MESSAGE: NGINX }],
    ['of what nginx prints under its own tag', { MESSAGE: NGINX, SYSLOG_IDENTIFIER: 'nginx' }],
    [
      'of a server that lets line ends through, without a syslog daemon',
      { MESSAGE: `nginx: ${NGINX}` },
    ],
    ['of the unit of all containers', {}, '_SYSTEMD_UNIT=docker.service'],
  ] as const)
    test(name, () => assert.equal(isLogin(text, { ...FRONT, ...fields }), false));
});

test('an account is believed where the match names it, and only then', () => {
  const users = { ...FRONT, _UID: '1000', _SYSTEMD_UNIT: 'user@1000.service' };
  assert.equal(isLogin(`${FRONTS} _UID=1000`, users), true);
  assert.equal(isLogin(`${FRONTS} _UID=1001`, users), false);
  assert.equal(isLogin(`${FRONTS} _UID=1000`, FRONT), false);
  assert.equal(isLogin(FRONTS, users, true), true);
});

test('a unit that is chosen counts as its pattern file declares it, or as root says', () => {
  const nginx = { SYSLOG_IDENTIFIER: 'nginx', _TRANSPORT: 'syslog', MESSAGE: NGINX };
  const unit = { _SYSTEMD_UNIT: 'nginx.service' };
  assert.equal(isLogin('_SYSTEMD_UNIT=nginx.service', { ...nginx, ...unit, _UID: '33' }), true);
  assert.equal(isLogin('SYSLOG_IDENTIFIER=nginx', { ...nginx, _UID: '33' }), false);
  const zimbra = { ...nginx, _SYSTEMD_UNIT: 'zimbra.service' };
  assert.equal(isLogin('_SYSTEMD_UNIT=zimbra.service', zimbra), true);
  assert.equal(isLogin('_SYSTEMD_UNIT=zimbra.service', { ...zimbra, _TRANSPORT: 'stdout' }), false);
  assert.equal(isLogin('_SYSTEMD_UNIT=zimbra.service', { ...zimbra, _UID: '33' }), false);
});

describe('a container that has printed a raw log', () => {
  const raw = '2026/11/24 22:34:26 [info] 7#7: *1 client 192.0.2.9 connected to 0.0.0.0:143';
  test('is not believed any more, whatever it prints, and that is told once', () => {
    const printed = [PRINTED, raw, PRINTED, raw, `Nov 24 22:34:26 mail dovecot: ${LOGGED}`];
    const { ips, told } = logins(
      [FRONTS],
      printed.map(MESSAGE => ({ ...FRONT, MESSAGE })),
    );
    assert.deepEqual(ips, ['198.51.100.7', null, null, null, null]);
    assert.deepEqual(told, ['mailu-front nginx']);
  });
  test('under the tag of a server, too', () => {
    const tagged = [raw, PRINTED].map(MESSAGE => ({
      ...FRONT,
      SYSLOG_IDENTIFIER: 'dovecot',
      MESSAGE,
    }));
    assert.deepEqual(logins([], tagged).ips, [null, null]);
  });
  test('takes nothing from others, and no user can say that of it', () => {
    const others = [
      { ...FRONT, CONTAINER_ID: 'b', MESSAGE: raw },
      { ...FRONT, _UID: '1000', MESSAGE: raw },
      FRONT,
    ];
    assert.deepEqual(logins([FRONTS], others).ips, [null, null, '198.51.100.7']);
  });
});

describe('nginx with its host before its tag', () => {
  const own = { _SYSTEMD_UNIT: 'nginx.service', _TRANSPORT: 'syslog', _UID: '33' };
  const entry = { ...own, MESSAGE: `mx nginx: ${NGINX}` };
  const ipsOf = (...entries: readonly Fields[]) => logins([], entries).ips;

  test('is asked for by its unit, and counts as with a tag', () => {
    const rules = journalRules(registry, { trustAny: false, matches: [] });
    assert.deepEqual(rules.untagged, [
      [
        { name: '_SYSTEMD_UNIT', value: 'nginx.service' },
        { name: '_TRANSPORT', value: 'syslog' },
      ],
    ]);
    assert.deepEqual(ipsOf(entry), ['198.51.100.7']);
    assert.deepEqual(ipsOf({ ...own, SYSLOG_IDENTIFIER: 'nginx', MESSAGE: NGINX }), [
      '198.51.100.7',
    ]);
  });

  for (const [name, fields] of [
    ['of a user', { _SYSTEMD_UNIT: 'session-1.scope' }],
    ['of root', { _SYSTEMD_UNIT: 'cron.service', _UID: '0' }],
    ['of another host', { MESSAGE: `px nginx: ${NGINX}` }],
    ['of a server that puts no host there', { _UID: '0', MESSAGE: `mx dovecot: ${LOGGED}` }],
    ['in a stream', { _TRANSPORT: 'stdout' }],
  ] as const)
    test(`but not ${name}`, () => assert.deepEqual(ipsOf({ ...entry, ...fields }), [null]));
});

test('what journald says of itself is read whatever is chosen', () => {
  const rules = journalRules(registry, { trustAny: false, matches: [parseMatch(FRONTS, '')] });
  const entry = entryOf({
    ...{ SYSLOG_IDENTIFIER: 'systemd-journald', _TRANSPORT: 'driver' },
    MESSAGE: 'Suppressed 7 messages from dovecot.service',
  });
  assert.ok(entry !== null && rules.trust(entry));
  assert.match(lineOf(entry, rules) ?? '', / systemd-journald: Suppressed 7 messages/);
});

test('whatever a user says of himself, nothing of it counts', () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom(PRINTED, LOGGED, NGINX, 'mailu-front', '0', 'dovecot', 'nginx'),
  );
  const names = [
    'SYSLOG_IDENTIFIER',
    'CONTAINER_ID',
    'CONTAINER_TAG',
    'CONTAINER_NAME',
    'MESSAGE',
    'PRIORITY',
  ];
  const said = fc.record(Object.fromEntries(names.map(name => [name, text])), { requiredKeys: [] });
  const transport = fc.constantFrom('journal', 'syslog', 'stdout');
  const unit = fc.constantFrom('user@1000.service', 'session-3.scope', undefined);
  const matches = fc.subarray([
    FRONTS,
    'CONTAINER_NAME=dovecot',
    'SYSLOG_IDENTIFIER=dovecot',
    'SYSLOG_IDENTIFIER=mailu-front',
  ]);
  fc.assert(
    fc.property(said, transport, unit, matches, (fields, _TRANSPORT, _SYSTEMD_UNIT, texts) => {
      const entry = { ...FRONT, ...fields, _UID: '1000', _TRANSPORT, _SYSTEMD_UNIT };
      assert.deepEqual(logins(texts, [entry]).ips, [null]);
    }),
  );
});
