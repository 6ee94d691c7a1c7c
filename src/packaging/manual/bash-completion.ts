/**
 * Completion for bash, with or without the package bash-completion.
 *
 * Readline splits words at the `=` of `--map=lmdb:/path` and at its `:`, unless COMP_WORDBREAKS was changed; so the
 * script splits the line itself, at blanks, and hands back what follows the last break.
 * Known limit: a value with blanks in quotes is taken for several words.
 */
import { COMMAND_NAMES, operandsOf } from '../../options/commands.ts';
import { optionsOf } from '../../options/options.ts';
import {
  COMPLETIONS,
  type Completion,
  completionOf,
  GENERAL_FLAGS,
  MADE_BY,
  type ValueCompletion,
} from './completion.ts';

const HEAD = `_popbsmtp() {
    local line=\${COMP_LINE:0:COMP_POINT} command='' word flags='' paths='' words='' leads='' lead=''
    local option='' value current rest breaks='' reply
    local -a typed replies=()
    read -ra typed <<<"$line"
    [[ $line == *[[:space:]] ]] && typed+=('')
    local last=$((\${#typed[@]} - 1))
    current=\${typed[last]} value=$current

    for word in "\${typed[@]:1:last-1}"; do
        case $word in
            ${COMMAND_NAMES.join(' | ')}) command=$word && break ;;
        esac
    done
`;

const TAIL = `
    if [[ $current == --*=* ]]; then
        option=\${current%%=*} value=\${current#*=}
    elif ((last > 1)); then
        option=\${typed[last - 1]}
    fi
    rest=\${current%"$value"}
    _popbsmtp_value "$option" || {
        [[ $current == --*=* ]] && return
        value=$current rest=''
        words=$flags leads=''
        if [[ $current != -* ]]; then
            words='' paths=$operands
            [[ -z $command ]] && words='${COMMAND_NAMES.join(' ')}'
        else
            paths=''
        fi
    }

    for lead in $leads; do
        if [[ $value == "$lead"* ]]; then
            rest+=$lead value=\${value#"$lead"} words='' leads=''
            break
        fi
    done
    [[ -n $leads ]] && paths=''
    while IFS= read -r reply; do
        [[ -n $reply ]] && replies+=("$rest$reply")
    done < <(
        compgen -W "$words $leads" -- "$value"
        [[ $paths == file ]] && compgen -f -- "$value"
        [[ $paths == directory ]] && compgen -d -- "$value"
    )
    # Outside of a completion, as in a test, there are no options to set.
    [[ -n $paths ]] && compopt -o filenames 2>/dev/null
    [[ -n $leads ]] && compopt -o nospace 2>/dev/null

    [[ $COMP_WORDBREAKS == *=* ]] && breaks+='='
    [[ $COMP_WORDBREAKS == *:* ]] && breaks+=':'
    word=''
    [[ -n $breaks ]] && word=\${current%"\${current##*[$breaks]}"}
    COMPREPLY=("\${replies[@]#"$word"}")
}

complete -F _popbsmtp popbsmtp pop-before-smtp
`;

export function bashCompletion(): string {
  return [
    `# bash completion of popbsmtp(8).\n${MADE_BY}\n`,
    valueFunction(),
    HEAD,
    "    local operands=''",
    `    case \${command:-run} in`,
    ...COMMAND_NAMES.map(
      name =>
        `        ${name}) flags='${flagsOf(name)}' operands='${operandsOf(name)?.path ?? ''}' ;;`,
    ),
    '    esac',
    TAIL,
  ].join('\n');
}

const flagsOf = (command: (typeof COMMAND_NAMES)[number]): string =>
  [
    ...optionsOf(command).flatMap(name => completionOf(name).names.map(flag)),
    ...GENERAL_FLAGS,
  ].join(' ');

const flag = (name: string): string => `--${name}`;

/** Tells how the value of an option is completed, in variables of the caller; fails for what takes no value. */
function valueFunction(): string {
  return [
    '_popbsmtp_value() {',
    '    case $1 in',
    ...COMPLETIONS.flatMap(valueCase),
    '        *) return 1 ;;',
    '    esac',
    '}',
    '',
  ].join('\n');
}

function valueCase({ names, value }: Completion): string[] {
  return value === null ? [] : [`        ${names.map(flag).join(' | ')}) ${assignments(value)} ;;`];
}

const assignments = ({ words, leads, path }: ValueCompletion): string =>
  `words='${words.join(' ')}' leads='${leads.join(' ')}' paths='${path ?? ''}'`;
