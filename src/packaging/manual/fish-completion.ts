/**
 * Completion for fish.
 */

import { COMMAND_NAMES, type CommandName, commandOf, operandsOf } from '../../options/commands.ts';
import { GENERAL_OPTIONS } from '../../options/help.ts';
import { optionsOf } from '../../options/options.ts';
import { COMPLETIONS, type Completion, MADE_BY, type ValueCompletion } from './completion.ts';

/** The paths behind a word such as `lmdb:`, in the token that is being completed. */
const PATHS_FUNCTION = `function __popbsmtp_leads
    set -l token (commandline -ct | string replace -r '^--[^=]*=' '')
    for lead in $argv
        if string match -q -- "$lead*" $token
            for path in (__fish_complete_path (string sub -s (math (string length $lead) + 1) -- $token))
                echo $lead$path
            end
            return
        end
    end
    printf '%s\\n' $argv
end`;

export function fishCompletion(): string {
  const takingPaths = COMMAND_NAMES.filter(name => operandsOf(name)?.path !== undefined);
  return `${[
    '# fish completion of popbsmtp(8).',
    MADE_BY,
    '',
    PATHS_FUNCTION,
    '',
    'complete -c popbsmtp -f',
    ...COMMAND_NAMES.map(
      name =>
        `complete -c popbsmtp -n ${quoted(`not ${seen(COMMAND_NAMES)}`)} -a ${name} -d ${quoted(commandOf(name).about)}`,
    ),
    ...(takingPaths.length === 0
      ? []
      : [`complete -c popbsmtp -n ${quoted(seen(takingPaths))} -F`]),
    ...COMPLETIONS.map(optionLine),
    ...GENERAL_OPTIONS.map(
      ({ name, short, about }) =>
        `complete -c popbsmtp -l ${name}${short === null ? '' : ` -s ${short}`} -d ${quoted(about)}`,
    ),
  ].join('\n')}\n`;
}

const seen = (commands: readonly CommandName[]): string =>
  `__fish_seen_subcommand_from ${commands.join(' ')}`;

function optionLine({ name, names, about, value }: Completion): string {
  const flags = names.map(known => `-l ${known}`).join(' ');
  const condition = quoted(
    conditionOf(COMMAND_NAMES.filter(each => optionsOf(each).includes(name))),
  );
  return `complete -c popbsmtp -n ${condition} ${flags}${value === null ? '' : valueFlags(value)} -d ${quoted(about)}`;
}

/** Without a command, it is `run`. */
function conditionOf(commands: readonly CommandName[]): string {
  if (!commands.includes('run')) return seen(commands);
  const others = COMMAND_NAMES.filter(name => !commands.includes(name));
  return others.length === 0 ? 'true' : `not ${seen(others)}`;
}

function valueFlags({ words, leads, path }: ValueCompletion): string {
  if (leads.length > 0) return ` -x -a ${quoted(`(__popbsmtp_leads ${leads.join(' ')})`)}`;
  const places = path === 'directory' ? ['(__fish_complete_directories)'] : [];
  const candidates = [...words, ...places];
  const list = candidates.length === 0 ? '' : ` -a ${quoted(candidates.join(' '))}`;
  return `${path === 'file' ? ' -r -F' : ' -x'}${list}`;
}

/** In single quotes fish knows \\ and \' (fish-language, "Quotes"). */
const quoted = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
