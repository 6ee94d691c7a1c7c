/** A Postfix that takes `hash:` maps for others, and today's, which does not. */
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
let env: Record<string, string>;
let count = 0;

/** Answers as Postfix 3.11 does when it is asked for the level, and otherwise as the one of this machine. */
const STUB = (level: string, real: string): string => `#!/bin/sh
case " $* " in *" non_bdb_migration_level "*)
  test -s ${level} || exec ${real} "$@"
  echo "non_bdb_migration_level = $(cat ${level})"
  echo 'default_database_type = cdb'
  echo 'default_cache_db_type = lmdb'
  ${real} "$@" 2>/dev/null | grep -v ^default_database_type;;
*) exec ${real} "$@";;
esac
`;

before(async () => {
  if (skip !== false) return;
  base = await rig.directory();
  await mkdir(join(base, 'bin'));
  const real = findProgram('postconf');
  assert.ok(real !== null);
  const stub = STUB(join(base, 'level'), real);
  await writeFile(join(base, 'bin/postconf'), stub, { mode: 0o755 });
  await writeFile(join(base, 'mail.log'), '');
  env = { PATH: [join(base, 'bin'), process.env['PATH'] ?? ''].join(delimiter) };
});
after(() => rig.close());

/** Empty for that of an older Postfix. */
const setLevel = (level: string): Promise<void> => writeFile(join(base, 'level'), level);

async function newMap(): Promise<string> {
  const directory = join(base, `map-${++count}`);
  await mkdir(directory);
  return `hash:${join(directory, 'm')}`;
}

const options = (map: string): string[] => [
  ...['--map', map, '--mynetworks', 'none'],
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
    ['list', '--map', map],
    ['purge', '--all', '--map', map],
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
  const config = join(base, 'postfix');
  await mkdir(config);
  await copyFile('/etc/postfix/master.cf', join(config, 'master.cf'));
  await writeFile(join(config, 'main.cf'), `compatibility_level = 3.6\n${good(map)}\n`);
  await backdate(config);
  await setLevel('enable-redirect');
  const more = ['--json', '--no-smtp', '--postfix-config', config];
  const { code, stdout } = await run('doctor', ...more, ...options(map));
  assert.match(stdout, /"check":"maps","level":"error","what":"[^"]*takes for cdb:[^"]*1 row /);
  assert.equal(code, 1);
  assert.match(stdout, REFUSED);
});

test('with the Postfix of this machine nothing is different', { skip }, async () => {
  const map = await newMap();
  await setLevel('');
  const daemon = start(map);
  await said(daemon, /watching/);
  assert.equal(await mustRun('postmap', ['-s', map]), '');
});
