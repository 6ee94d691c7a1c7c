import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CODE_FILE, compiledScan } from '../../src/packaging/scan/scan.ts';

test('the WebAssembly is that of its source', async () => {
  assert.equal(readFileSync(CODE_FILE, 'utf8'), await compiledScan());
});
