/**
 * `popbsmtp help [COMMAND]`: what `--help` says.
 */
import { EXIT, failure } from '../base/errors.ts';
import { COMMAND_NAMES, isCommandName } from '../options/commands.ts';
import { helpText } from '../options/help.ts';
import { nearest } from '../options/nearest.ts';
import type { Values } from '../options/values.ts';
import { print } from '../report/print.ts';

/** @throws Failure USAGE */
export async function help(_values: Values, [name]: readonly string[]): Promise<number> {
  if (name !== undefined && !isCommandName(name)) {
    const near = nearest(name, COMMAND_NAMES);
    const hint = near === null ? '' : ` (the nearest is ${near})`;
    throw failure('USAGE', { problem: `unknown command "${name}"${hint}`, verb: '' });
  }
  await print(helpText(name ?? null, process.stdout.columns));
  return EXIT.ok;
}
