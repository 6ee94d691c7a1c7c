import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { isBinary } from '../../src/source/binary.ts';

const LINE = 'Nov 23 00:53:00 mx imapd: LOGIN, user=änna\n';

for (const [what, head] of [
  ['nothing', Buffer.alloc(0)],
  ['lines', Buffer.from(LINE)],
  ['lines in latin1', Buffer.from(LINE, 'latin1')],
  [
    'lines with colours and a carriage return',
    Buffer.from(`\x1b[36mdovecot-1\x1b[0m | ${LINE}\r\n`),
  ],
  ['lines behind the hole that a truncation left', Buffer.from(`${'\0'.repeat(500)}${LINE}`)],
  ['a hole alone', Buffer.alloc(8192)],
] as const)
  test(`text: ${what}`, () => assert.equal(isBinary(head), false));

for (const [what, head] of [
  ['a file of the journal', Buffer.from('LPKSHHRH\0\0\0\0lots')],
  ['a record of wtmp', Buffer.from('\x02\0\0\0\0\0\0\0~\0\0\0')],
  ['what is packed in an unknown way', randomBytes(8192)],
] as const)
  test(`binary: ${what}`, () => assert.equal(isBinary(head), true));
