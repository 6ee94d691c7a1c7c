import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
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

const SHIPPED = ['courier', 'dovecot', 'qpopper', 'uw-imap'];

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
  assert.deepEqual(await servers(own, true), [...SHIPPED.slice(0, 3), 'toy', 'uw-imap']);
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
