/**
 * The doctor on a machine with two Postfix instances, as the real postconf tells of them.
 */
import assert from 'node:assert/strict';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { popbsmtp } from './popbsmtp.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';

const skip = requirePrograms(['postconf'], { root: true });
const rig = new Rig();
after(() => rig.close());

test('the second instance is found and looked at', { skip }, async () => {
  const base = await rig.directory();
  const map = `lmdb:${join(base, 'map')}`;
  const instance = async (name: string, ...lines: string[]): Promise<string> => {
    const directory = join(base, name);
    await mkdir(directory);
    const own = ['compatibility_level = 3.6', 'mynetworks = 127.0.0.0/8', ...lines];
    await writeFile(join(directory, 'main.cf'), own.map(line => `${line}\n`).join(''));
    await writeFile(join(directory, 'master.cf'), 'smtp inet n - n - - smtpd\n');
    // Postfix reads a main.cf of the last seconds again and again.
    for (const file of ['main.cf', 'master.cf']) await utimes(join(directory, file), 1e9, 1e9);
    return directory;
  };
  const named = `smtpd_relay_restrictions = check_client_access ${map}, reject_unauth_destination`;
  const second = await instance('out', named);
  const first = await instance('in', `multi_instance_directories = ${second}`);
  const { stdout, stderr } = await popbsmtp(
    ...['doctor', '--json', '--no-smtp', '--map', map, '--watchlog', join(base, 'none')],
    ...['--postfix-config', first, '--mynetworks', 'none'],
  );
  const found = stdout
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line))
    .filter(({ check }) => check === 'instances');
  assert.deepEqual([found.length, found[0]?.level], [1, 'warning'], stdout + stderr);
  assert.match(found[0].hint, new RegExp(`postfix-config = "${second}"`));
});
