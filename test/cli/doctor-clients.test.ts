/**
 * The doctor on logs in which clients come from where no client is: the same as the daemon says, with the daemon's rules.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { popbsmtp } from '../real/popbsmtp.ts';
import { Rig } from '../real/rig.ts';
import { loginLine, WatchedLog } from './watched-log.ts';

const rig = new Rig();
let watched: WatchedLog;
before(async () => {
  watched = await WatchedLog.make(rig);
});
after(() => rig.close());

const GATEWAY = '172.19.0.1';

/** Many users of one address, a second from one to the next. */
const users = (number: number, address = GATEWAY, apart = 1): string =>
  Array.from({ length: number }, (_, index) =>
    loginLine(address, (number - index) * apart).replace('<anna>', `<u${index}@example.org>`),
  ).join('');

async function warnings(log: string, ...options: readonly string[]): Promise<string[]> {
  const path = join(watched.directory, 'gateway.log');
  await writeFile(path, log);
  const common = ['--watchlog', path, '--map', watched.newMap(), '--no-smtp', '--json'];
  const { stdout } = await popbsmtp('doctor', ...common, '--mynetworks', 'none', ...options);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line): { check: string; level: string; what: string } => JSON.parse(line))
    .filter(({ check, level }) => check === 'clients' && level === 'warning')
    .map(({ level, what }) => `${level}: ${what}`);
}

describe('the doctor', () => {
  test('warns of thirty users of one address', async () => {
    const [first, ...more] = await warnings(users(30));
    assert.match(first ?? '', /^warning: 30 users logged in from 172\.19\.0\.1: /);
    assert.deepEqual(more, []);
  });

  test('goes by the limit that is set, and by the time', async () => {
    assert.deepEqual(await warnings(users(10)), []);
    const config = join(watched.directory, 'limits.toml');
    await writeFile(config, 'max-users-per-address = 2\n');
    const [warned] = await warnings(users(3), '--config', config);
    assert.match(warned ?? '', /^warning: 3 users logged in/);
    await writeFile(config, 'max-users-per-address = 2\nlimit-action = "refuse"\n');
    const [refused] = await warnings(users(3), '--config', config);
    assert.match(refused ?? '', /^warning: 3 users logged in .*, and 1 of their logins got no/);
    await writeFile(config, 'max-users-per-address = "none"\n');
    assert.deepEqual(await warnings(users(30), '--config', config), []);
    assert.deepEqual(await warnings(users(30), '--exclude', GATEWAY), []);
    assert.deepEqual(await warnings(users(30, GATEWAY, 60), '--grace', '5m'), []);
  });
});
