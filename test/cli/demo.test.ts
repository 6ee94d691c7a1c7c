/**
 * `npm start` ends in the demo: all that it promises to show is on the screen, and it ends by itself.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { popbsmtp } from '../real/popbsmtp.ts';
import { findProgram } from '../real/programs.ts';

test('the demo shows a grant of each server, a refresh, who is ignored, and the end', async () => {
  const { code, stdout, stderr } = await popbsmtp('demo');
  assert.equal(code, 0, stderr);
  assert.equal(stdout.match(/^ {4}written ok$/gm)?.length, 4);
  assert.equal(stdout.match(/^read ts=.* ip=198\.51\.100\.7$/gm)?.length, 2);
  assert.match(stdout, /^ {4}ignored --- in mynetworks$/m);
  assert.equal(stdout.match(/^purging ts=/gm)?.length, 4);
  assert.doesNotMatch(stdout, /^read .*203\.0\.113\.66$/m);
  assert.match(
    stdout,
    /The map before: empty\n[\s\S]*The map now: 4 rows\n[\s\S]*The map after: empty\n/,
  );
  if (findProgram('postmap') !== null) assert.doesNotMatch(stdout, /not found/);
  assert.match(stdout, /popbsmtp match \/var\/log\/mail\.log/);
});

test('the demo shows the same in front of tcpserver', async () => {
  const { code, stdout, stderr } = await popbsmtp('demo', '--mta', 'tcpserver');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /writes the map tcprules:/);
  assert.match(stdout, /The map now: 4 rows\n[\s\S]*The map after: empty\n/);
  if (findProgram('tcprulescheck') === null) {
    assert.match(stdout, /ucspi-tcp is not installed here/);
    return;
  }
  assert.equal(stdout.match(/^ {8}set environment variable RELAYCLIENT=$/gm)?.length, 4);
  assert.match(
    stdout,
    /TCPREMOTEIP=198\.51\.100\.200 tcprulescheck .*\n {8}default:\n {8}allow connection\n\n/,
  );
});

for (const [mta, program, type] of [
  ['exim', 'exim4', 'cdb'],
  ['opensmtpd', 'smtpctl', 'table'],
] as const)
  test(`the demo in front of ${mta} says so where that is not installed, and shows the rest`, async () => {
    const { code, stdout, stderr } = await popbsmtp('demo', '--mta', mta);
    assert.equal(code, 0, stderr);
    assert.match(stdout, new RegExp(`writes the map ${type}:`));
    assert.equal(/ is not installed here/.test(stdout), findProgram(program) === null);
    assert.match(stdout, /The map now: 4 rows\n[\s\S]*The map after: empty\n/);
  });
