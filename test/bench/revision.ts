/**
 * Another revision of this repository, for a bench that measures it by turns with this tree: checked out and built in a directory of
 * its own, with the packages of this tree.
 */
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../src/base/package.ts';
import { mustRun } from '../real/processes.ts';

/** The program as another revision has it. */
export async function mainOf(revision: string, directory: string): Promise<string> {
  const root = packageRoot();
  const archive = join(directory, 'tree.tar');
  const tree = join(directory, 'tree');
  mkdirSync(tree);
  await mustRun('git', ['-C', root, 'archive', '--output', archive, revision]);
  await mustRun('tar', ['-xf', archive, '-C', tree]);
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
  // Its own addons, which an older one has otherwise.
  await mustRun('npm', ['run', '--silent', '--prefix', tree, 'postinstall']);
  await mustRun('npm', ['run', '--silent', '--prefix', tree, 'build']);
  const { bin }: { bin: { popbsmtp: string } } = JSON.parse(
    readFileSync(join(tree, 'package.json'), 'utf8'),
  );
  return join(tree, bin.popbsmtp);
}

/** What is behind `--against` and `--only`, null for one that is not given, and the other arguments, as numbers. */
export function argumentsOf(args: readonly string[]): {
  readonly revision: string | null;
  readonly only: string | null;
  readonly numbers: readonly number[];
} {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { against: { type: 'string' }, only: { type: 'string' } },
    allowPositionals: true,
  });
  const { against = null, only = null } = values;
  return { revision: against, only, numbers: positionals.map(Number) };
}
