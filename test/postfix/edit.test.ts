/** That what is pasted is what a shell and postconf take. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { argumentsOf, canBeTold, commandLine, commandOf } from '../../src/postfix/edit.ts';

const MAIN = { file: 'main.cf', name: 'a', value: "it's $b" } as const;
const MASTER = {
  file: 'master.cf',
  name: 'smtp/inet/a',
  value: 'permit_mynetworks, check_client_access lmdb:/m, reject',
} as const;
const COMMAS = 'smtp/inet/a=permit_mynetworks,check_client_access,lmdb:/m,reject';

test('commands can be pasted', () => {
  assert.equal(commandOf(MAIN, null), "postconf -e 'a = it'\\''s $b'");
  assert.equal(commandOf(MASTER, '/etc/out'), `postconf -c '/etc/out' -P '${COMMAS}'`);
  assert.equal(
    commandLine([MAIN, MASTER], null),
    `postconf -e 'a = it'\\''s $b' && postconf -P '${COMMAS}' && postfix reload`,
  );
});

test('programs are given the same', () => {
  assert.deepEqual(argumentsOf('main.cf', [MAIN, MASTER]), ['-e', "a=it's $b"]);
  assert.deepEqual(argumentsOf('master.cf', [MAIN, MASTER]), ['-P', COMMAS]);
});

test('what postconf does not take for master.cf is known', () => {
  const value = 'check_client_access pipemap:{regexp:{{/^(.*)$/ $1}}, lmdb:/m}, reject';
  assert.ok(canBeTold(MASTER) && canBeTold({ ...MAIN, value }));
  assert.ok(!canBeTold({ ...MASTER, value }));
});
