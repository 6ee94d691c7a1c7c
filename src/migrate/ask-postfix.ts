/** Asks Postfix for what main-cf.ts has to know, and tells it the changes, by `postconf` in both directions. */
import { join } from 'node:path';
import { failure, reasonOf } from '../base/errors.ts';
import { type CommandResult, complaint, runPostfixCommand } from '../postfix/command.ts';
import { argumentsOf, type Edit } from '../postfix/edit.ts';
import { parseParameters } from '../postfix/parameters.ts';
import { words } from '../postfix/words.ts';
import { keepCopy } from './kept-copy.ts';
import type { PostfixFacts } from './main-cf.ts';

/** Postfix reads a main.cf of the last seconds again and again until it is older (src/util/dict.c). */
const TIMEOUT_MS = 15_000;

/** @returns why it could not be asked, where it could not */
export async function askPostfix(config: string | null): Promise<PostfixFacts | string> {
  const answers = await Promise.all(
    [
      ['-n'],
      ['-P'],
      ['-x', '-n'],
      ['-x', '-P'],
      ['-x', 'smtpd_relay_restrictions'],
      ['-h', 'config_directory'],
      ['-m'],
    ].map(args => runPostfixCommand('postconf', args, { config, timeoutMs: TIMEOUT_MS })),
  );
  const failed = answers.map(reasonIn).find(reason => reason !== null);
  if (failed !== undefined) return failed;
  const [main = '', master = '', mainX = '', masterX = '', relay = '', directory = '', types = ''] =
    answers.map(answer => (answer.kind === 'ended' ? answer.stdout : ''));
  return {
    main: parseParameters(main),
    master: parseParameters(master),
    expanded: new Map([mainX, masterX, relay].flatMap(text => [...parseParameters(text)])),
    directory: directory.trim(),
    types: words(types),
  };
}

function reasonIn(result: CommandResult): string | null {
  switch (result.kind) {
    case 'missing':
      return 'postconf was not found';
    case 'broken':
      return result.reason;
    case 'ended':
      return result.status === 0 ? null : complaint(result.stderr) || `status ${result.status}`;
  }
}

/**
 * Changes main.cf and master.cf as `postconf` does, each at once, after a copy of it was kept beside it.
 *
 * @returns the copies
 * @throws Failure POSTCONF_EDIT, with the files as they were but for those that were changed before
 */
export async function tellPostfix(
  edits: readonly Edit[],
  directory: string,
  config: string | null,
): Promise<string[]> {
  const copies: string[] = [];
  for (const file of ['main.cf', 'master.cf'] as const) {
    if (!edits.some(edit => edit.file === file)) continue;
    const path = join(directory, file);
    copies.push(kept(path));
    const result = await runPostfixCommand('postconf', argumentsOf(file, edits), {
      config,
      timeoutMs: TIMEOUT_MS,
    });
    const reason = reasonIn(result);
    if (reason !== null) throw failure('POSTCONF_EDIT', { path, reason });
  }
  return copies;
}

/** @throws Failure POSTCONF_EDIT */
function kept(path: string): string {
  try {
    return keepCopy(path);
  } catch (error) {
    throw failure('POSTCONF_EDIT', { path, reason: reasonOf(error) }, error);
  }
}
