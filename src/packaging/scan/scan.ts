/**
 * Makes src/line/scan/code.ts, which is WebAssembly as text, of src/line/scan/scan.ts.
 *
 * It is part of the sources, so that a build needs no compiler for it; a test compares both.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';
import { packageRoot } from '../../base/package.ts';

const directory = join(packageRoot(), 'src/line/scan');
export const CODE_FILE = join(directory, 'code.ts');
const COLUMNS = 92;

/** @throws Error of the compiler */
export async function compiledScan(): Promise<string> {
  const output = mkdtempSync(join(tmpdir(), 'popbsmtp-scan-'));
  try {
    const file = join(output, 'scan.wasm');
    const { error, stderr } = await asc.main([
      join(directory, 'scan.ts'),
      ...['--config', join(directory, 'asconfig.json'), '--outFile', file],
    ]);
    if (error !== null) throw new Error(stderr.toString(), { cause: error });
    return sourceOf(readFileSync(file));
  } finally {
    rmSync(output, { recursive: true });
  }
}

function sourceOf(code: Buffer): string {
  const lines = code.toString('base64').match(new RegExp(`.{1,${COLUMNS}}`, 'g')) ?? [];
  return (
    '/** scan.ts as WebAssembly, in base64; `npm run scan` writes it. */\n' +
    `export const CODE =\n${lines.map(line => `  '${line}'`).join(' +\n')};\n`
  );
}
