/**
 * Asks the real shells what they would complete a command line to.
 *
 * Promises: the answer is what the shell found before it chose or drew anything, without paths in front of file names.
 * The shells read no file of the user's.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun } from './processes.ts';
import type { Rig } from './rig.ts';

export interface Asking {
  /** Where the files made from the tables are, as below /usr/share. */
  readonly share: string;
  /** Up to the cursor. */
  readonly lines: readonly string[];
}

/** For each line what may stand at its end; each once, sorted. */
export type Shell = (rig: Rig, asking: Asking) => Promise<ReadonlyMap<string, readonly string[]>>;

/** Stands before the answers to a line. */
const MARK = '== ';

/** Sets what readline sets (bash(1), "Programmable Completion"), and calls the function as it does. */
const BASH = `
. "$1"
shift
for line; do
    printf '${MARK}%s\\n' "$line"
    COMP_LINE=$line COMP_POINT=\${#line} COMPREPLY=()
    _popbsmtp
    printf '%s\\n' "\${COMPREPLY[@]}"
done
`;

export const bash: Shell = async (_rig, { share, lines }) => {
  const file = join(share, 'bash-completion/completions/popbsmtp');
  return answersIn(await mustRun('bash', ['--norc', '-uc', BASH, 'bash', file, ...lines]));
};

const FISH = `
for file in $argv[1]/*.fish
    source $file
end
for line in $argv[2..]
    echo '${MARK}'$line
    complete -C $line
end
`;

export const fish: Shell = async (rig, { share, lines }) => {
  const home = await rig.directory();
  const files = join(share, 'fish/vendor_completions.d');
  const output = await mustRun('fish', ['--no-config', '-c', FISH, files, ...lines], {
    env: { HOME: home, XDG_CONFIG_HOME: home, XDG_DATA_HOME: home },
  });
  // Behind a tab stands what it means.
  return answersIn(output.replace(/\t.*/g, ''));
};

/**
 * Completion in zsh needs its line editor, hence a terminal.  What the functions find goes through `compadd`; calls
 * of it that only sort (options -O, -A, -D: zshcompwid(1)) find nothing yet.
 */
const ZSH = `
zmodload zsh/zpty
export functions_dir=$1 answers=$2
shift 2
zpty inner zsh -f -i
zpty -w inner 'fpath=($functions_dir $fpath); autoload -Uz compinit; compinit -u -D'
zpty -w inner 'compadd() { local -a hits; if [[ " $* " != *" -"[OAD]" "* ]]; then builtin compadd -O hits "$@"; print -rC1 -- $hits >>$answers; fi; builtin compadd "$@" }'
zpty -w inner 'ask() { print -r -- "${MARK}$BUFFER" >>$answers; zle complete-word; zle kill-whole-line }; zle -N ask; bindkey "^T" ask'
for line in "$@"; do zpty -w -n inner "$line"$'\\x14'; done
zpty -w inner 'exit'
while zpty -r inner text; do :; done
`;

export const zsh: Shell = async (rig, { share, lines }) => {
  const directory = await rig.directory();
  const script = join(directory, 'ask.zsh');
  const answers = join(directory, 'answers');
  await writeFile(script, ZSH);
  await mkdir(join(directory, 'home'));
  const functions = join(share, 'zsh/vendor-completions');
  await mustRun('zsh', ['-f', script, functions, answers, ...lines], {
    env: { HOME: join(directory, 'home') },
  });
  return answersIn(await readFile(answers, 'utf8'));
};

function answersIn(output: string): Map<string, string[]> {
  const blocks = output.split(new RegExp(`^${MARK}`, 'm')).slice(1);
  return new Map(
    blocks.map(block => {
      const [line = '', ...found] = block.split('\n');
      const names = found.map(bareName).filter(name => name !== '');
      return [line, [...new Set(names)].sort()];
    }),
  );
}

/** `alpine` of `--map=lmdb:/tmp/x/alpine/`. */
const bareName = (found: string): string => found.replace(/\/$/, '').replace(/^.*[/=](?=.)/, '');
