import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadPatterns } from '../../src/recogniser/load.ts';
import { assertRejects } from '../failure.ts';

const toy = (program: string): string => `programs = ["${program}"]
[[login]]
name = "login"
expression = 'from {ip}'
match = [{ line = 'Nov 23 00:53:00 mx ${program}: from 192.0.2.1', ip = "192.0.2.1" }]
`;

let base = '';
before(async () => {
  base = await mkdtemp(join(tmpdir(), 'popbsmtp-patterns-'));
});
after(() => rm(base, { recursive: true }));

async function directory(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const path = join(base, name);
  await mkdir(path);
  for (const [file, text] of Object.entries(files)) await writeFile(join(path, file), text);
  return path;
}

const servers = async (own: string, explicit: boolean): Promise<string[]> =>
  (await loadPatterns({ directory: own, explicit })).files.map(({ server }) => server);

const PATTERNS = join(import.meta.dirname, '../../../patterns');
const SHIPPED = (await readdir(PATTERNS))
  .filter(name => name.endsWith('.toml'))
  .map(name => name.slice(0, -'.toml'.length))
  .sort();

test('the shipped ones, when the administrator has none', async () => {
  assert.deepEqual(await servers(join(base, 'none'), false), SHIPPED);
});

test('his own are added; what is not *.toml is left alone', async () => {
  const own = await directory('added', {
    'toy.toml': toy('toyd'),
    'toy.toml.bak': 'x',
    '.hidden.toml': 'x',
    README: 'x',
  });
  assert.deepEqual(await servers(own, true), [...SHIPPED, 'toy'].sort());
});

test('one of the name of a shipped one replaces it', async () => {
  const own = await directory('replaced', { 'dovecot.toml': toy('toyd') });
  const registry = await loadPatterns({ directory: own, explicit: true });
  assert.deepEqual(
    registry.files.map(({ server }) => server),
    SHIPPED,
  );
  assert.equal(registry.program('dovecot'), null);
  assert.equal(registry.program('toyd')?.patterns[0]?.server, 'dovecot');
});

test('one that extends a shipped one adds programs to it', async () => {
  const own = await directory('extended', {
    'dovecot.toml': 'extend = true\nprograms = ["imap-frontend"]\n',
  });
  const registry = await loadPatterns({ directory: own, explicit: true });
  assert.deepEqual(
    registry.files.map(({ server }) => server),
    SHIPPED,
  );
  assert.deepEqual(
    registry.program('imap-frontend')?.patterns,
    registry.files.find(({ server }) => server === 'dovecot')?.patterns,
  );
  assert.ok(registry.program('dovecot') !== null);
});

test('one that extends a shipped one may add programs of encrypted connections', async () => {
  const own = await directory('extended-tls', {
    'courier.toml': 'extend = true\nprograms = ["imap-in", "imap-out"]\ntls-programs = "imap-in"\n',
  });
  const registry = await loadPatterns({ directory: own, explicit: true });
  const [pattern] = registry.program('imap-in')?.patterns ?? [];
  assert.deepEqual(pattern?.tlsPrograms, ['imapd-ssl', 'pop3d-ssl', 'imap-in']);
});

test('one that extends a shipped one may tell what its programs speak', async () => {
  const own = await directory('extended-protocol', {
    'courier.toml':
      'extend = true\nprograms = ["in", "pop", "x"]\nimap-programs = "in"\npop3-programs = "pop"\n',
  });
  const registry = await loadPatterns({ directory: own, explicit: true });
  const [pattern] = registry.program('x')?.patterns ?? [];
  assert.deepEqual(
    ['in', 'pop', 'x', 'imapd'].map(program => pattern?.protocols.get(program)),
    ['imap', 'pop3', undefined, 'imap'],
  );
});

test('one that is off switches the shipped one off', async () => {
  const own = await directory('off', { 'dovecot.toml': 'off = true\n' });
  const registry = await loadPatterns({ directory: own, explicit: true });
  assert.equal(registry.program('dovecot'), null);
  assert.deepEqual(
    registry.files.map(({ server }) => server),
    SHIPPED.filter(server => server !== 'dovecot'),
  );
});

describe("faults of the administrator's files", () => {
  const table: readonly (readonly [string, string, string, number, string])[] = [
    ['nothing-off', 'toy', 'off = true', 1, 'no shipped file is called toy.toml'],
    ['nothing-on', 'toy', '\nextend = true\nprograms = ["x"]', 2, 'no shipped file is called'],
    ['off-false', 'dovecot', 'off = false', 1, 'write true, or leave it out'],
    ['off-more', 'dovecot', 'off = true\nprograms = ["x"]', 2, 'unknown key "programs"'],
    ['extend-false', 'dovecot', 'extend = 1\nprograms = ["x"]', 1, 'write true, or leave it out'],
    ['extend-alone', 'dovecot', 'extend = true', 1, '"programs" is missing'],
    ['extend-odd', 'dovecot', 'extend = true\nprograms = ["x:"]', 2, '"x:" is no syslog tag'],
    [
      'extend-more',
      'dovecot',
      'extend = true\njoin = "x"\nprograms = "x"',
      2,
      'unknown key "join"',
    ],
    ['both', 'dovecot', 'off = true\nextend = true', 2, 'unknown key "extend"'],
  ];
  for (const [name, server, text, line, problem] of table) {
    test(name, async () => {
      const own = await directory(name, { [`${server}.toml`]: text });
      await assertRejects(
        loadPatterns({ directory: own, explicit: true }),
        'PATTERN_SYNTAX',
        `${own}/${server}.toml:${line}: `,
        problem,
      );
    });
  }
});

test('a directory that was named must be there', async () => {
  const own = join(base, 'none');
  await assertRejects(loadPatterns({ directory: own, explicit: true }), 'PATTERN_UNREADABLE', own);
});

test('a file in the place of the directory, and a directory in that of a file', async () => {
  const own = await directory('odd', { file: '' });
  await mkdir(join(own, 'x.toml'));
  const file = join(own, 'file');
  await assertRejects(
    loadPatterns({ directory: file, explicit: false }),
    'PATTERN_UNREADABLE',
    file,
  );
  await assertRejects(
    loadPatterns({ directory: own, explicit: false }),
    'PATTERN_UNREADABLE',
    join(own, 'x.toml'),
  );
});

test('a fault in one of his files names it', async () => {
  const own = await directory('faulty', { 'toy.toml': toy('toyd').replace('{ip}', '{ip}$') });
  await assertRejects(
    loadPatterns({ directory: own, explicit: true }),
    'PATTERN_SYNTAX',
    `${join(own, 'toy.toml')}:4: `,
  );
});
