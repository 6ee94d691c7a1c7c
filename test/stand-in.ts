/**
 * Programs of a test's own, found before those of the machine.
 *
 * Promises: after each test the PATH is what it was, and after the last one the programs are gone.
 */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, afterEach, before } from 'node:test';

export interface StandIns {
  /** Where they are, and what their scripts may write. */
  path(name: string): string;
  /** @param script of sh */
  put(program: string, script: string): Promise<void>;
}

/** For the tests of a file; to be called once, outside of them. */
export function standIns(): StandIns {
  const { PATH = '' } = process.env;
  let directory = '';
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'popbsmtp-test-'));
  });
  after(() => rm(directory, { recursive: true }));
  afterEach(() => {
    process.env['PATH'] = PATH;
  });
  return {
    path: name => join(directory, name),
    put: async (program, script) => {
      await writeFile(join(directory, program), `#!/bin/sh\n${script}\n`);
      await chmod(join(directory, program), 0o755);
      process.env['PATH'] = [directory, PATH].join(delimiter);
    },
  };
}
