import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { groupNumber } from '../../src/daemon/group.ts';
import { assertRejects } from '../failure.ts';
import { standIns } from '../stand-in.ts';

const SOCKET = '/run/popbsmtp.login';
const programs = standIns();
/** One that knows groups which /etc/group does not. */
const getent = (script: string): Promise<void> => programs.put('getent', script);

describe('the number of a group', () => {
  test('is what /etc/group says', async () => {
    const [entry = ''] = (await readFile('/etc/group', 'utf8')).split('\n').slice(-2);
    const [name = '', , number] = entry.split(':');
    await getent('exit 1');
    assert.equal(await groupNumber(name, SOCKET), Number(number));
    assert.equal(await groupNumber('root', SOCKET), 0);
  });

  test('is a number that is given as such, whether or not there is a group', async () => {
    await getent('exit 1');
    assert.equal(await groupNumber('4711', SOCKET), 4711);
  });

  test('is what getent says of others; of the name as it is, no option', async () => {
    await getent('[ "$1 $2" = "group --" ] && echo "$3:*:70001:anna"');
    assert.equal(await groupNumber('staff-of-ldap', SOCKET), 70_001);
    assert.equal(await groupNumber('--help', SOCKET), 70_001);
  });

  const wrong: readonly (readonly [string, string])[] = [
    ['does not know it', 'exit 2'],
    ['says another one', 'echo "popbsmtp-none-2:x:7:"'],
    ['says no number', 'echo "popbsmtp-none:x::"'],
    ['says too long a number', 'echo "popbsmtp-none:x:12345678901:"'],
    ['fails after an answer', 'echo "popbsmtp-none:x:7:"; exit 1'],
  ];
  for (const [what, script] of wrong)
    test(`is an error that names group and socket where getent ${what}`, async () => {
      await getent(script);
      await assertRejects(
        groupNumber('popbsmtp-none', SOCKET),
        'CONTROL_LISTEN',
        'there is no group "popbsmtp-none"',
        SOCKET,
      );
    });
});
