/**
 * Shows that Postfix itself reads what is in a map: each row looked up with `postmap -q`.
 *
 * Promises: the configuration of the installed Postfix is neither read nor touched; where there is no Postfix,
 * or it has no such maps, that is said instead.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MapSpec, Row } from '../map/map.ts';
import { runPostfixCommand } from '../postfix/command.ts';

const PATIENCE_MS = 10_000;

/** @param directory where a configuration for Postfix's commands may be made */
export async function proveRows(
  directory: string,
  { type, path }: MapSpec,
  rows: readonly Row[],
  say: (text: string) => void,
): Promise<void> {
  writeFileSync(join(directory, 'main.cf'), 'compatibility_level = 3.6\n');
  const types = await runPostfixCommand('postconf', ['-m'], {
    config: directory,
    timeoutMs: PATIENCE_MS,
  });
  if (types.kind !== 'ended') {
    say('\nPostfix is not installed here, so it cannot be asked.');
    return;
  }
  if (!types.stdout.split(/\s+/).includes(type)) {
    say(`\nThis Postfix has no ${type}: maps (Debian: install postfix-lmdb); it cannot be asked.`);
    return;
  }
  say('\nPostfix reads the same rows:');
  for (const { key } of rows) {
    const args = ['-q', key, `${type}:${path}`];
    const answer = await runPostfixCommand('postmap', args, {
      config: directory,
      timeoutMs: PATIENCE_MS,
    });
    const found =
      answer.kind === 'ended' && answer.status === 0 ? answer.stdout.trim() : 'not found';
    say(`    postmap ${args.join(' ')}\n        ${found}`);
  }
}
