/**
 * A Node process that runs a few lines with our modules, for what only another process can show.
 *
 * Promises: `source(file)` in those lines names a module of `src` as built; the process is ended with
 * the test file.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after } from 'node:test';

const SOURCE = new URL('../../src/', import.meta.url);

const PREAMBLE = `const source = file => new URL(file, ${JSON.stringify(SOURCE.href)}).href;\n`;

export interface Child {
  /** The next line of standard output. */
  line(): Promise<string>;
  /** The exit status, and all of standard error. */
  ended(): Promise<{ code: number | null; stderr: string }>;
  kill(signal: NodeJS.Signals): Promise<void>;
}

export interface Limits {
  /** The longest file that the process may write; beyond, a write fails with EFBIG. */
  readonly fileBytes?: number;
}

export function startNode(
  script: string,
  env: Readonly<Record<string, string>> = {},
  { fileBytes }: Limits = {},
): Child {
  // POSIX counts in blocks of 512 bytes here.
  const limit = fileBytes === undefined ? '' : `ulimit -f ${fileBytes / 512} && `;
  const command = `${limit}exec "$0" --input-type=module --eval "$1"`;
  const child = spawn('sh', ['-c', command, process.execPath, PREAMBLE + script], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  after(() => child.kill('SIGKILL'));
  return {
    line: async () => {
      const { value, done } = await lines.next();
      return done === true ? assert.fail(`it ended: ${stderr}`) : value;
    },
    ended: async () => {
      await closed;
      return { code: child.exitCode, stderr };
    },
    kill: async signal => {
      child.kill(signal);
      await closed;
    },
  };
}
