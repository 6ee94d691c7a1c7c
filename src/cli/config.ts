/**
 * `popbsmtp config`: every setting that a daemon with this command line would have, and where each comes from; or what is wrong with a file.
 *
 * Promises: nothing is started, asked or changed; an error of what is shown is told as the daemon would, after the settings.
 */
import { EXIT, type Failure, failure } from '../base/errors.ts';
import { problemsOf } from '../daemon/problems.ts';
import { checkConfig, withConfig } from '../options/config.ts';
import { optionsOf, specOf } from '../options/options.ts';
import { someOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import { configJson, configText } from '../report/config-lines.ts';
import { print, say, warn } from '../report/print.ts';

/**
 * @param operands with `--check` the file, and else nothing
 * @throws Failure USAGE, CONFIG_UNREADABLE, CONFIG_SYNTAX, CONFIG_KEY, CONFIG_VALUE, or the first of a setting
 */
export async function config(typed: Values, [file]: readonly string[]): Promise<number> {
  const { json, check } = someOf(typed, 'json', 'check');
  if (check && file !== undefined) return checkFile(file, json);
  if (check) throw usage('the file is missing');
  if (file !== undefined) throw usage(`unknown argument "${file}" (a file is checked by --check)`);
  const values = withConfig(typed);
  const names = optionsOf('run').filter(name => specOf(name).inFile);
  await print(json ? configJson(values, names) : configText(values, names));
  const [problem] = await problemsOf(values);
  if (problem !== undefined) throw problem;
  return EXIT.ok;
}

const usage = (problem: string): Failure => failure('USAGE', { problem, verb: 'config ' });

async function checkFile(file: string, json: boolean): Promise<number> {
  const { values, failures } = checkConfig(file);
  const all = [...failures, ...(await problemsOf(values))];
  const errors = all.toSorted((a, b) => lineIn(a, file) - lineIn(b, file));
  if (json) {
    const objects = errors.map(one => ({
      line: lineIn(one, file) || null,
      code: one.code,
      text: one.message,
      hint: one.hint,
    }));
    say(JSON.stringify({ file, errors: objects }));
  } else if (errors.length === 0) say(`${file}: no error found`);
  else for (const { line } of errors) warn(line);
  return errors.length === 0 ? EXIT.ok : EXIT.config;
}

/** The line that an error is about; 0 when it is about the whole, or about a file that the file names. */
function lineIn({ message }: Failure, file: string): number {
  if (!message.startsWith(`${file}:`)) return 0;
  return Number(/^\d+/.exec(message.slice(file.length + 1))?.[0] ?? 0);
}
