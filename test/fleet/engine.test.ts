import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import {
  formatEngine,
  formatSite,
  parseEngine,
  parseHostName,
  parsePrefix,
} from '../../src/fleet/engine.ts';
import { assertFails } from '../failure.ts';

test('an engine is named by an address', () => {
  const table: [string, string][] = [
    ['redis://127.0.0.1', 'redis://127.0.0.1:6379/0'],
    ['redis://redis.example.org:7000', 'redis://redis.example.org:7000/0'],
    ['rediss://redis.example.org:7000/15', 'rediss://redis.example.org:7000/15'],
    ['REDIS://h/', 'redis://h:6379/0'],
    ['redis://[2001:db8::1]:7000/2', 'redis://[2001:db8::1]:7000/2'],
  ];
  for (const [value, shown] of table) assert.equal(formatEngine(parseEngine(value, '-')), shown);
});

test('a place is named by all that may be asked', () => {
  const engines = ['redis://a', 'rediss://b:1'].map(value => parseEngine(value, '-'));
  // One alone is called as it always was, since what is kept is found by it.
  assert.equal(formatSite({ kind: 'engines', engines: engines.slice(0, 1) }), 'redis://a:6379/0');
  assert.equal(formatSite({ kind: 'engines', engines }), 'redis://a:6379/0, rediss://b:1/0');
  const account = { user: null, passwordFile: null, caFile: null };
  assert.equal(
    formatSite({ kind: 'sentinels', sentinels: engines, primary: 'mail', ...account }),
    'mail of the sentinels redis://a:6379/0, rediss://b:1/0',
  );
});

test('what names none is an error', () => {
  const table = ['', 'host:6379', 'http://host', 'redis://', 'redis://h:0', 'redis://h:65536'];
  const more = [
    'redis://h/0/1',
    'redis://h/x',
    'redis://h?db=1',
    'redis://a b',
    'redis://2001:db8::1',
  ];
  for (const value of [...table, ...more]) {
    assertFails(() => parseEngine(value, '--fleet'), 'FLEET_URL', '--fleet', value);
  }
});

test('a password in the address is refused, and not repeated', () => {
  const parse = () => parseEngine('redis://user:secret@host:6379/0', '--fleet');
  assertFails(parse, 'FLEET_URL', 'redis://…@host:6379/0');
  assert.throws(parse, error => error instanceof Error && !error.message.includes('secret'));
});

test('names are such as every host can log and every engine can keep', () => {
  assert.equal(parseHostName('mx1.example.org', '-'), 'mx1.example.org');
  assert.equal(parseHostName(null, '-'), hostname());
  assert.equal(parsePrefix('mail:popbsmtp', '-'), 'mail:popbsmtp');
  for (const value of ['', 'a b', 'a/b', 'a:b', 'x'.repeat(65), 'ä', 'a\n'])
    assertFails(() => parseHostName(value, '--fleet-name'), 'FLEET_NAME', '--fleet-name');
  for (const value of ['', 'a b', 'a*', 'a?', 'x'.repeat(65)])
    assertFails(() => parsePrefix(value, '--fleet-prefix'), 'FLEET_NAME', '--fleet-prefix');
});
