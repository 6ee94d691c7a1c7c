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

test('the demo for tcpserver has its map, and asks its own program', async () => {
  const { code, stdout, stderr } = await popbsmtp('demo', '--mta', 'tcpserver');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /and writes the map tcprules:/);
  if (findProgram('tcprulescheck') === null)
    assert.match(stdout, /^tcpserver is not installed here/m);
  else assert.equal(stdout.match(/^ {8}set environment variable RELAYCLIENT=$/gm)?.length, 4);
  assert.match(stdout, /The map after: empty\n/);
});

test('the demo for a server that is not here says so, and shows the rest', async () => {
  const { code, stdout, stderr } = await popbsmtp('demo', '--mta', 'opensmtpd');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /The map now: 4 rows\n/);
  if (findProgram('smtpctl') === null) assert.match(stdout, /^OpenSMTPD is not installed here/m);
  assert.match(stdout, /The map after: empty\n/);
});
