/**
 * A Postfix that takes `hash:` maps for others: the real one from 3.11 on, set up so; an older one behind a stand-in for postconf
 * that answers as 3.11.7 does.
 */
import assert from 'node:assert/strict';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { openMap } from '../../src/map/map-types.ts';
import { parseMapSpec } from '../../src/map/spec.ts';
import { ip } from '../map/addresses.ts';
import { backdate, good } from './doctor-world.ts';
import { MAIN } from './popbsmtp.ts';
import { type Daemon, mustRun, type Result, runProgram, startDaemon } from './processes.ts';
import { findProgram, requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

const skip = requirePrograms(['postconf', 'postmap']);

const rig = new Rig();
let base: string;
let config: string;
let env: Record<string, string>;
let count = 0;

/** Answers as Postfix 3.11 does when it is asked for the level, by what main.cf says; otherwise as the one of this machine. */
const STUB = (config: string, real: string): string => `#!/bin/sh
case " $* " in *" non_bdb_migration_level "*)
  sed '/^non_bdb/b; /^default_database/b; d' ${config}/main.cf
  echo 'default_cache_db_type = lmdb'
  ${real} "$@" 2>/dev/null | grep -v ^default_database_type;;
*) exec ${real} "$@";;
esac
`;

before(async () => {
  if (skip !== false) return;
  base = await rig.directory();
  config = join(base, 'postfix');
  await mkdir(config);
  await copyFile('/etc/postfix/master.cf', join(config, 'master.cf'));
  await mkdir(join(base, 'bin'));
  const real = findProgram('postconf');
  assert.ok(real !== null);
  // Of a parameter that it does not know, postconf only warns.
  const known = await mustRun(real, ['-h', 'non_bdb_migration_level']);
  if (known === '')
    await writeFile(join(base, 'bin/postconf'), STUB(config, real), { mode: 0o755 });
  await writeFile(join(base, 'mail.log'), '');
  env = { PATH: [join(base, 'bin'), process.env['PATH'] ?? ''].join(delimiter) };
});
after(() => rig.close());

/** Whoever takes a main.cf of the last seconds for one that is being written would wait. */
async function setLevel(level: 'disable' | 'enable-redirect', more = ''): Promise<void> {
  const parameters = `non_bdb_migration_level = ${level}\ndefault_database_type = cdb\n${more}\n`;
  await writeFile(join(config, 'main.cf'), `compatibility_level = 3.6\n${parameters}`);
  await backdate(config);
}

async function newMap(): Promise<string> {
  const directory = join(base, `map-${++count}`);
  await mkdir(directory);
  return `hash:${join(directory, 'm')}`;
}

const options = (map: string): string[] => [
  ...['--map', map, '--mynetworks', 'none', '--postfix-config', config],
  ...['--watchlog', join(base, 'mail.log')],
];

const start = (map: string): Daemon =>
  startDaemon(rig, process.execPath, [MAIN, 'run', ...options(map)], { env });

/** Waits for a line of its log. */
const said = (daemon: Daemon, expression: RegExp): Promise<boolean> =>
  waitFor(`a line like ${expression}`, () => expression.test(daemon.transcript()), {
    seen: () => daemon.transcript(),
  });

const run = (command: string, ...args: string[]): Promise<Result> =>
  runProgram(process.execPath, [MAIN, command, ...args], { env });

const REFUSED = /Postfix takes this for cdb:.* \(non_bdb_migration_level = enable-redirect\)/;

test('the daemon does not start, and no command reads or writes the map', { skip }, async () => {
  const map = await newMap();
  await setLevel('enable-redirect');
  for (const [command, ...args] of [
    ['run', ...options(map)],
    ['list', '--map', map, '--postfix-config', config],
    ['purge', '--all', '--map', map, '--postfix-config', config],
  ] as const) {
    if (command === 'purge') await writeFile(`${map.slice(5)}.db`, 'it is there');
    const { code, stderr } = await run(command, ...args);
    assert.equal(code, 78, `${command}: ${stderr}`);
    assert.match(stderr, REFUSED, command);
  }
});

test('a reload is refused when the level has been raised', { skip }, async () => {
  await setLevel('disable');
  const daemon = start(await newMap());
  await said(daemon, /watching/);
  daemon.signal('SIGHUP');
  await said(daemon, /reloaded configuration/);
  await setLevel('enable-redirect');
  daemon.signal('SIGHUP');
  await said(daemon, new RegExp(`not reloaded, the old settings stay: .*${REFUSED.source}`));
});

test('the doctor finds a row that Postfix reads in the other file', { skip }, async () => {
  const map = await newMap();
  const other = await openMap(parseMapSpec(map.replace('hash:', 'cdb:'), 'the test'));
  await other.commit([{ ip: ip('198.51.100.7'), stamp: epoch(1) }]);
  await other.close();
  await setLevel('enable-redirect', good(map));
  const { code, stdout } = await run('doctor', '--json', '--no-smtp', ...options(map));
  assert.match(stdout, /"check":"maps","level":"error","what":"[^"]*takes for cdb:[^"]*1 row /);
  assert.equal(code, 1);
  assert.match(stdout, REFUSED);
});

test('where it takes none for another, nothing is different', { skip }, async () => {
  const map = await newMap();
  await setLevel('disable');
  const daemon = start(map);
  await said(daemon, /watching/);
  assert.equal(await mustRun('postmap', ['-c', config, '-s', map]), '');
});
