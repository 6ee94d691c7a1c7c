/**
 * Entry point: parse, dispatch, and turn what went wrong into one line and an exit status.
 *
 * Each command is loaded only when it is the one, so that `list` does not pay for the daemon, and `--version` for none.  A reader of our
 * output that goes away (`popbsmtp match … | head`) ends us quietly, a daemon by its orderly stop; an output that is full, with a line
 * (base/output.ts).
 */
import { EXIT, Failure } from './base/errors.ts';
import { guardOutput, statusOfOutput } from './base/output.ts';
import { version } from './base/package.ts';
import { nameSources } from './base/stack.ts';
import { keepPoolAwake } from './base/thread-pool.ts';
import type { CommandName } from './options/commands.ts';
import type { Values } from './options/values.ts';

type Command = (values: Values, operands: readonly string[]) => Promise<number>;

const COMMANDS: Readonly<Record<CommandName, () => Promise<Command>>> = {
  run: async () => (await import('./cli/run.ts')).run,
  match: async () => (await import('./cli/match.ts')).match,
  replay: async () => (await import('./cli/replay.ts')).replay,
  list: async () => (await import('./cli/list.ts')).list,
  status: async () => (await import('./cli/status.ts')).status,
  allow: async () => (await import('./cli/allow.ts')).allow,
  revoke: async () => (await import('./cli/revoke.ts')).revoke,
  lift: async () => (await import('./cli/lift.ts')).lift,
  login: async () => (await import('./cli/login.ts')).login,
  logout: async () => (await import('./cli/login.ts')).logout,
  purge: async () => (await import('./cli/purge.ts')).purge,
  patterns: async () => (await import('./cli/patterns.ts')).patterns,
  config: async () => (await import('./cli/config.ts')).config,
  help: async () => (await import('./cli/help.ts')).help,
  explain: async () => (await import('./cli/explain.ts')).explain,
  doctor: async () => (await import('./cli/doctor.ts')).doctor,
  history: async () => (await import('./cli/history.ts')).history,
  why: async () => (await import('./cli/why.ts')).why,
  report: async () => (await import('./cli/report.ts')).report,
  migrate: async () => (await import('./cli/migrate.ts')).migrate,
  demo: async () => (await import('./cli/demo.ts')).demo,
};

async function main(args: readonly string[]): Promise<number> {
  if (args.length === 1 && args[0] === '--version') return sayVersion();
  const { parseCommandLine } = await import('./options/command-line.ts');
  const { command, operands, values } = parseCommandLine(args, version());
  if (command === null) return EXIT.ok;
  const start = await COMMANDS[command]();
  return start(values, operands);
}

/** Asked by scripts, and not worth loading the command line's parser for. */
function sayVersion(): number {
  process.stdout.write(`${version()}\n`);
  return EXIT.ok;
}

async function fail(error: unknown): Promise<number> {
  const told = statusOfOutput(error);
  if (told !== null) return told;
  const known = error instanceof Failure;
  const text = known
    ? error.line
    : `a bug: ${error instanceof Error ? error.stack : String(error)}`;
  const complaint = `popbsmtp: ${text}\n`;
  process.stderr.write(complaint);
  const { answerForeground } = await import('./cli/background.ts');
  await answerForeground(complaint);
  return known ? error.exit : EXIT.software;
}

nameSources();
guardOutput();
keepPoolAwake();

main(process.argv.slice(2))
  .catch(fail)
  .then(status => {
    process.exitCode = status;
  });
