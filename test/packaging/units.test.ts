/** The units of init/ that decide about grants: what one must see, the other must as well. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/base/package.ts';
import { SHOWN } from '../../src/classifier/own-addresses.ts';

const linesOf = async (unit: string): Promise<string[]> =>
  (await readFile(join(packageRoot(), 'init', unit), 'utf8')).split('\n');

test("the purge between two daemons sees the machine's own addresses and gateways, as the daemon does", async () => {
  const shown = (lines: readonly string[]): string[] =>
    lines.filter(line => line.startsWith('BindReadOnlyPaths=') && line.includes(SHOWN));
  const daemon = shown(await linesOf('popbsmtp.service'));
  assert.equal(daemon.length, 2);
  assert.deepEqual(shown(await linesOf('popbsmtp-purge.service')), daemon);
});
