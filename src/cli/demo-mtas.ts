/**
 * Shows that Exim, OpenSMTPD and sendmail read what is in a map: what programs of theirs make of it.
 *
 * Promises: no configuration of the machine's is touched; where a server is not installed, that is said instead.
 * Known limits: smtpd of OpenSMTPD cannot be asked for a row unless it runs, as root: it only says that it takes the file for a list;
 * of sendmail, makemap is asked, which reads maps as the server does.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MapSpec, Row } from '../map/map.ts';
import { mapPath } from '../map/map-types.ts';
import { type CommandResult, runSystemCommand } from '../postfix/command.ts';

type Prove = (
  directory: string,
  map: MapSpec,
  rows: readonly Row[],
  say: (text: string) => void,
) => Promise<void>;

const PATIENCE_MS = 10_000;

/**
 * Asks a program of the server's, and shows what it answers.
 *
 * @param intro what is shown by the answers
 * @param questions arguments of the program, for each time that it is asked; made when the map is there
 */
const asking =
  (
    server: string,
    program: string,
    intro: string,
    questions: (
      map: MapSpec,
      rows: readonly Row[],
      directory: string,
    ) => readonly (readonly string[])[],
  ): Prove =>
  async (directory, map, rows, say) => {
    const lines: string[] = [];
    for (const args of questions(map, rows, directory)) {
      const answer = await runSystemCommand(program, args, { timeoutMs: PATIENCE_MS });
      if (answer.kind === 'missing') {
        say(`\n${server} is not installed here (${program}), so it cannot be asked.`);
        return;
      }
      const command = [program, ...args];
      const answered = textOf(answer).trim().split('\n');
      lines.push(
        `    ${command.map(quoted).join(' ')}`,
        ...answered.map(line => `        ${line}`),
      );
    }
    say([`\n${intro}:`, ...lines].join('\n'));
  };

const textOf = (answer: Exclude<CommandResult, { kind: 'missing' }>): string =>
  answer.kind === 'ended' ? `${answer.stdout}${answer.stderr}` : answer.reason;

const quoted = (word: string): string => (/[\s$;{}"]/.test(word) ? `'${word}'` : word);

export const proveWithExim = asking('Exim', 'exim4', 'Exim reads the same rows', (map, rows) =>
  rows.map(({ key }) => ['-be', `\${lookup{${key}}cdb{${mapPath(map)}}{$value}{not found}}`]),
);

export const proveWithOpenSmtpd = asking(
  'OpenSMTPD',
  'smtpd',
  'OpenSMTPD takes the map for its list',
  ({ path }, _, directory) => {
    const configuration = join(directory, 'smtpd.conf');
    writeFileSync(
      configuration,
      `table pop_before_smtp file:${path}\naction "outbound" relay\nmatch from src <pop_before_smtp> for any action "outbound"\n`,
    );
    return [['-n', '-f', configuration]];
  },
);

export const proveWithSendmail = asking(
  'sendmail',
  'makemap',
  'sendmail reads the same rows',
  ({ path }) => [['-C', '/dev/null', '-u', 'hash', path]],
);
