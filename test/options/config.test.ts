import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorCode } from '../../src/base/errors.ts';
import { runSettings } from '../../src/daemon/settings.ts';
import { Grace } from '../../src/grant/grace.ts';
import { LOCAL } from '../../src/line/zone.ts';
import { parseConfig, readConfig } from '../../src/options/config.ts';
import { Values } from '../../src/options/values.ts';
import { assertFails } from '../failure.ts';

const FILE = '/etc/popbsmtp/popbsmtp.toml';

test('keys are the names of the options, with _ or -', () => {
  const values = parseConfig(
    [
      'watchlog = ["/var/log/mail.log", "/var/log/mail2.log"]',
      'map = "lmdb:/var/popbsmtp/other"',
      'grace = "30m"',
      'mynetworks = ["192.0.2.0/24", "[::1]/128"]',
      'exclude = "none"',
      'postfix_config = "/etc/postfix-out"',
      'debug = true',
    ].join('\n'),
    FILE,
  );
  const settings = runSettings(values);
  assert.deepEqual(settings.watchlog, ['/var/log/mail.log', '/var/log/mail2.log']);
  assert.deepEqual(settings.map, {
    type: 'lmdb',
    path: '/var/popbsmtp/other',
    config: '/etc/postfix-out',
  });
  assert.deepEqual(settings.mirrors, []);
  assert.equal(settings.grace.standard, 1800);
  assert.deepEqual(settings.mynetworks, {
    value: '192.0.2.0/24 [::1]/128',
    origin: `${FILE}:4: mynetworks`,
  });
  assert.equal(settings.exclude.value, 'none');
  assert.equal(settings.postfixConfig, '/etc/postfix-out');
  assert.equal(settings.debug, true);
});

test('the fleet', () => {
  const { fleet } = runSettings(
    parseConfig(
      [
        'fleet = "rediss://redis.example.org:7000/3"',
        'fleet_role = "subscribe"',
        'fleet_user = "sub"',
        'fleet_password_file = "/p"',
        'fleet_ca = "/ca.pem"',
        'fleet_prefix = "mail:popbsmtp"',
        'fleet_name = "mx1"',
      ].join('\n'),
      FILE,
    ),
  );
  assert.deepEqual(fleet, {
    site: {
      kind: 'engines',
      engines: [{ tls: true, host: 'redis.example.org', port: 7000, database: 3 }],
    },
    role: 'subscribe',
    readFrom: 'primary',
    user: 'sub',
    passwordFile: '/p',
    caFile: '/ca.pem',
    format: 1,
    renewal: 10,
    prefix: 'mail:popbsmtp',
    name: 'mx1',
  });
});

test('a fleet whose engine the sentinels name', () => {
  const { fleet } = runSettings(
    parseConfig(
      [
        'fleet-sentinels = ["rediss://s1.example.org/2", "rediss://s2.example.org:26380/2"]',
        'fleet-sentinel-name = "mail"',
        'fleet-sentinel-user = "asking"',
        'fleet-sentinel-password-file = "/s"',
        'fleet-sentinel-ca = "/ca.pem"',
        'fleet-read = "replica"',
        'fleet-name = "mx1"',
      ].join('\n'),
      FILE,
    ),
  );
  const sentinel = { tls: true, database: 2 };
  assert.deepEqual(fleet?.site, {
    kind: 'sentinels',
    sentinels: [
      { ...sentinel, host: 's1.example.org', port: 26_379 },
      { ...sentinel, host: 's2.example.org', port: 26_380 },
    ],
    primary: 'mail',
    user: 'asking',
    passwordFile: '/s',
    caFile: '/ca.pem',
  });
  assert.equal(fleet?.readFrom, 'replica');
});

test('a fleet whose place is not clear', () => {
  const table: [text: string, code: ErrorCode, ...mentions: string[]][] = [
    ['fleet = "redis://h"\nfleet-sentinels = "redis://s"', 'FLEET_SITES', 'leave fleet out'],
    ['fleet-sentinels = ["redis://s", "rediss://t"]', 'FLEET_SCHEMES', 'rediss://t:26379/0'],
    ['fleet-sentinels = ["redis://s/1", "redis://t/2"]', 'FLEET_SCHEMES', 'redis://t:26379/2'],
    ['fleet-sentinels = "redis://s"\nfleet-sentinel-ca = "/c"', 'FLEET_TLS', 'fleet-sentinel-ca'],
    ['fleet = ["rediss://a", "redis://b"]\nfleet-ca = "/c"', 'FLEET_TLS', 'redis://b:6379/0'],
    ['fleet-sentinels = "redis://s"\nfleet-sentinel-name = "a b"', 'FLEET_NAME', 'a b'],
  ];
  for (const [text, code, ...mentions] of table)
    assertFails(() => runSettings(parseConfig(text, FILE)), code, ...mentions);
});

test('a log may be a text, a grace period a number of seconds', () => {
  const settings = runSettings(parseConfig('watchlog = "/a"\ngrace = 60\n', FILE));
  assert.deepEqual(settings.watchlog, ['/a']);
  assert.equal(settings.grace.standard, 60);
});

test('the policy', () => {
  const { policy, grace } = runSettings(
    parseConfig(
      [
        'require_tls = true',
        'allow_users = ["*@example.org", "anna"]',
        'deny-users = "bob@example.org"',
        'max_users_per_address = 5',
        'max_addresses_per_user = "none"',
        'limit_action = "refuse"',
        'grace_for = ["10.0.0.0/8=1h", "2001:db8::/32=5m"]',
      ].join('\n'),
      FILE,
    ),
  );
  const { requireTls, allowUsers, denyUsers, limits } = policy;
  assert.equal(requireTls, true);
  assert.deepEqual(
    ['x@example.org', 'anna', 'x'].map(user => allowUsers?.includes(user)),
    [true, true, false],
  );
  assert.equal(denyUsers?.includes('bob@example.org'), true);
  assert.deepEqual(limits, {
    usersPerAddress: { most: 5, action: 'refuse' },
    addressesPerUser: null,
  });
  assert.equal(grace.toString(), '900 2001:db8::/32=300 10.0.0.0/8=3600');
});

test('a limit that nobody has set only warns', () => {
  const limits = (text: string): unknown => runSettings(parseConfig(text, FILE)).policy.limits;
  const ten = { most: 10, action: 'warn' };
  assert.deepEqual(limits('limit-action = "refuse"\nmax-addresses-per-user = 3'), {
    usersPerAddress: ten,
    addressesPerUser: { most: 3, action: 'refuse' },
  });
  assert.deepEqual(limits('limit-action = "refuse"\nmax-users-per-address = 10'), {
    usersPerAddress: { ...ten, action: 'refuse' },
    addressesPerUser: null,
  });
  assert.deepEqual(limits('max-users-per-address = "none"'), {
    usersPerAddress: null,
    addressesPerUser: null,
  });
});

test('whole addresses are looked up where that is said, or every map is asked for nothing else', () => {
  const whole = (text: string): boolean => runSettings(parseConfig(text, FILE)).wholeAddresses;
  assert.equal(whole('map = "lmdb:/x"'), false);
  assert.equal(whole('map = "lmdb:/x"\nwhole-addresses = true'), true);
  assert.equal(whole('map = "cidr:/x"'), true);
  assert.equal(whole('map = ["cidr:/x", "cidr:/y"]'), true);
  for (const type of ['lmdb', 'hash', 'btree', 'cdb', 'texthash'])
    assert.equal(whole(`map = ["cidr:/x", "${type}:/y"]`), false, type);
});

test('who may read the maps is one of a few modes', () => {
  const mode = (text: string) => runSettings(parseConfig(text, FILE)).map.mode;
  assert.equal(mode('map-mode = "0644"\n'), 0o644);
  assert.equal(mode(''), undefined);
  assertFails(() => mode('map-mode = "0666"\n'), 'CHOICE');
});

test('the maps are those of a configuration unless the command line names them', () => {
  const map = new Map([['map', { value: ['lmdb:/m'], origin: '--map' }]] as const);
  const typed = new Values(map);
  assert.equal(runSettings(typed).configuration, null);
  assert.equal(runSettings(parseConfig('map = "lmdb:/m"\n', FILE)).configuration, FILE);
  const other = new Map([['config', { value: '/x/y', origin: '--config' }]] as const);
  assert.equal(runSettings(new Values(other)).configuration, '/x/y');
});

test('a map may be followed by others', () => {
  const text = 'map = ["lmdb:/x/map", "hash:/x/map", "cidr:/y"]';
  const { map, mirrors } = runSettings(parseConfig(text, FILE));
  assert.deepEqual(map, { type: 'lmdb', path: '/x/map' });
  assert.deepEqual(mirrors, [
    { type: 'hash', path: '/x/map' },
    { type: 'cidr', path: '/y' },
  ]);
});

test('what the command line says wins', () => {
  const flags = new Values(new Map([['grace', { value: '5m', origin: '--grace' }]]));
  const settings = runSettings(flags.or(parseConfig('grace = "1h"\nnowrite = true', FILE)));
  assert.equal(settings.grace.standard, 300);
  assert.equal(settings.nowrite, true);
});

test('the defaults are those that are documented', () => {
  const settings = runSettings(new Values(new Map()));
  assert.deepEqual(settings, {
    configuration: FILE,
    map: { type: 'lmdb', path: '/var/popbsmtp/pop-before-smtp' },
    mirrors: [],
    watchlog: [],
    watchlogZone: LOCAL,
    watchlogOlddir: [],
    journalTrust: 'declared',
    journalMatch: [],
    grace: new Grace(900),
    mynetworks: { value: null, origin: 'mynetworks of main.cf' },
    postfixConfig: null,
    exclude: {
      value: '127.0.0.0/8 ::1 0.0.0.0/8 :: 169.254.0.0/16 fe80::/10 224.0.0.0/4 ff00::/8',
      origin: 'the default of --exclude',
    },
    wholeAddresses: false,
    refuseOwn: true,
    otherMap: null,
    tableCommand: null,
    makemapPrefix: null,
    makemapValue: null,
    mapRules: null,
    policy: {
      requireTls: false,
      allowUsers: null,
      denyUsers: null,
      limits: { usersPerAddress: { most: 10, action: 'warn' }, addressesPerUser: null },
    },
    // What grace, policy and fleet are made of stands beside them.
    config: null,
    mapMode: '0600',
    allowOwnAddresses: false,
    graceFor: null,
    history: 90 * 86_400,
    historySize: 2 ** 30,
    requireTls: false,
    allowUsers: null,
    denyUsers: null,
    maxUsersPerAddress: null,
    maxAddressesPerUser: 'none',
    limitAction: 'warn',
    fleetRenewal: 10,
    fleetRole: 'both',
    fleetRead: 'primary',
    fleetUser: null,
    fleetPasswordFile: null,
    fleetCa: null,
    fleetSentinels: null,
    fleetSentinelName: { value: 'mymaster', origin: 'the default of --fleet-sentinel-name' },
    fleetSentinelUser: null,
    fleetSentinelPasswordFile: null,
    fleetSentinelCa: null,
    fleetPrefix: { value: 'popbsmtp', origin: 'the default of --fleet-prefix' },
    fleetFormat: '1',
    fleetName: null,
    patterns: { directory: '/etc/popbsmtp/patterns.d', explicit: false },
    debug: false,
    logto: null,
    dovecotElements: null,
    trustedRelays: null,
    loginSocketGroup: null,
    logFormat: 'text',
    logUsers: 'plain',
    nowrite: false,
    maxMessagesPerGrant: 'none',
    maxRecipientsPerGrant: 'none',
    maxRecipientsPerHour: null,
    maxGrants: 100_000,
    sessionLimit: 86_400,
    daemon: null,
    reprocess: false,
    syslogNames: [],
    metricsFile: null,
    metricsListen: null,
    policySocket: null,
    policyHeader: null,
    fleet: null,
  });
});

test('every mistake names file, line and what to do', () => {
  assertFails(
    () => parseConfig('grace = "1h"\nmynetwork = "x"', FILE),
    'CONFIG_KEY',
    `${FILE}:2`,
    '"mynetworks"',
  );
  assertFails(() => parseConfig('\n[grace]\nx = 1', FILE), 'CONFIG_VALUE', `${FILE}:2`, 'duration');
  assertFails(
    () => parseConfig('debug = "yes"', FILE),
    'CONFIG_VALUE',
    `${FILE}:1`,
    'true or false',
  );
  assertFails(() => parseConfig('watchlog = ["/a", 1]', FILE), 'CONFIG_VALUE', 'list of texts');
  assertFails(() => parseConfig('map = ""', FILE), 'CONFIG_VALUE', 'map');
  assertFails(() => parseConfig('a = 1\nb = = 2', FILE), 'CONFIG_SYNTAX', `${FILE}:2`);
  assertFails(() => parseConfig('config = "/x"', FILE), 'CONFIG_KEY', '"config"');
  assertFails(() => readConfig('/nonexistent/popbsmtp.toml'), 'CONFIG_UNREADABLE', 'no such file');
  assertFails(
    () => runSettings(parseConfig('grace = "soon"', FILE)),
    'DURATION',
    `${FILE}:1: grace`,
    '"soon"',
  );
  assertFails(() => runSettings(parseConfig('map = "/x"', FILE)), 'MAP_SPEC', `${FILE}:1: map`);
  const wrong = (text: string, code: ErrorCode, ...mentions: string[]): void =>
    assertFails(() => runSettings(parseConfig(text, FILE)), code, ...mentions);
  wrong('grace-for = "10.0.0.0/8"', 'GRACE_FOR', `${FILE}:1: grace-for`);
  wrong('allow_users = []', 'USER_LIST', `${FILE}:1: allow_users`);
  wrong('deny-users = "*"', 'USER_LIST', '"*"');
  wrong('max-users-per-address = 0', 'COUNT', `${FILE}:1: max-users-per-address`, 'from 1 to 1000');
  wrong('max-users-per-address = 1001', 'COUNT', '"1001"');
  wrong('max-grants = "many"', 'COUNT', '"many"');
  wrong('limit-action = "drop"', 'CHOICE', `${FILE}:1: limit-action`, '"drop"', 'warn or refuse');
  wrong('log-users = "yes"', 'CHOICE', 'plain or hashed or none');
  wrong('watchlog = ["/a", "journal:namespace=*"]', 'JOURNAL_NAME', `${FILE}:1: watchlog`);
  wrong('journal-match = "mailu-front"', 'JOURNAL_MATCH', `${FILE}:1: journal-match`);
  wrong('journal-trust = "all"', 'CHOICE', 'declared or any');
});
