/**
 * That popbsmtp-log(5) has every event that is logged.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../../src/base/package.ts';

const REPORT = join(packageRoot(), 'src/report');
const PAGE = join(packageRoot(), 'src/packaging/manual/pages/popbsmtp-log.5.md');

test('every event of the log is in a table of the page', () => {
  const sources = readdirSync(REPORT).map(name => readFileSync(join(REPORT, name), 'utf8'));
  const events = sources.flatMap(text =>
    [...text.matchAll(/\bevent: '([a-z ]+)'/g)].map(([, event = '']) => event),
  );
  assert.ok(new Set(events).size >= 15, events.join(', '));
  const first = readFileSync(PAGE, 'utf8')
    .split('\n')
    .filter(line => line.startsWith('|'))
    .map(row => row.split('|')[1] ?? '');
  const missing = events.filter(event => !first.some(cell => cell.includes(`\`${event}\``)));
  assert.deepEqual(missing, []);
});
