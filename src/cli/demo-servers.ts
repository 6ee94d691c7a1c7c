/**
 * The SMTP servers of the demo: the map of each, and how its own programs show that it reads the rows.
 *
 * Promises: no configuration of the machine's is touched; where a server is not installed, that is said instead.
 * Known limits: smtpd of OpenSMTPD cannot be asked for a row unless it runs, as root: it only says that it takes the file for a list;
 * of sendmail, makemap is asked, which reads maps as the server does.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalIp } from '../base/address.ts';
import type { MapSpec, Row } from '../map/map.ts';
import { mapPath } from '../map/map-types.ts';
import { keyOf } from '../map/tcprules.ts';
import { type CommandResult, runSystemCommand } from '../postfix/command.ts';
import { proveRows } from './demo-proof.ts';

type Prove = (
  directory: string,
  map: MapSpec,
  rows: readonly Row[],
  say: (text: string) => void,
) => Promise<void>;

export interface DemoServer {
  /** Of the map. */
  readonly type: string;
  readonly prove: Prove;
}

const PATIENCE_MS = 10_000;

/** A question to a program, as it could be typed. */
interface Question {
  /** Variables of its environment. */
  readonly variables?: readonly string[];
  readonly args: readonly string[];
}

/**
 * Asks a program of the server's, and shows what it answers.
 *
 * @param intro what is shown by the answers
 * @param questions made when the map is there
 */
const asking =
  (
    server: string,
    program: string,
    intro: string,
    questions: (map: MapSpec, rows: readonly Row[], directory: string) => readonly Question[],
  ): Prove =>
  async (directory, map, rows, say) => {
    const lines: string[] = [];
    for (const { variables = [], args } of questions(map, rows, directory)) {
      const command = [...variables, program, ...args];
      const [first = '', ...rest] = variables.length === 0 ? command : ['env', ...command];
      const answer = await runSystemCommand(first, rest, { timeoutMs: PATIENCE_MS });
      if (isMissing(answer)) {
        say(`\n${server} is not installed here (${program}), so it cannot be asked.`);
        return;
      }
      const answered = textOf(answer).trim().split('\n');
      lines.push(
        `    ${command.map(quoted).join(' ')}`,
        ...answered.map(line => `        ${line}`),
      );
    }
    say([`\n${intro}:`, ...lines].join('\n'));
  };

/** What env(1) ends with where there is no such program. */
const NOT_FOUND = 127;

const isMissing = (answer: CommandResult): boolean =>
  answer.kind === 'missing' || (answer.kind === 'ended' && answer.status === NOT_FOUND);

const textOf = (answer: CommandResult): string =>
  answer.kind === 'ended'
    ? `${answer.stdout}${answer.stderr}`
    : answer.kind === 'broken'
      ? answer.reason
      : '';

const quoted = (word: string): string => (/[\s$;{}"]/.test(word) ? `'${word}'` : word);

export const DEMO_SERVERS = {
  postfix: { type: 'lmdb', prove: proveRows },
  exim: {
    type: 'cdb',
    prove: asking('Exim', 'exim4', 'Exim reads the same rows', (map, rows) =>
      rows.map(({ key }) => ({
        args: ['-be', `\${lookup{${key}}cdb{${mapPath(map)}}{$value}{not found}}`],
      })),
    ),
  },
  opensmtpd: {
    type: 'table',
    prove: asking(
      'OpenSMTPD',
      'smtpd',
      'OpenSMTPD takes the map for its list',
      (map, _, directory) => {
        const configuration = join(directory, 'smtpd.conf');
        writeFileSync(
          configuration,
          `table pop_before_smtp file:${map.path}\naction "outbound" relay\nmatch from src <pop_before_smtp> for any action "outbound"\n`,
        );
        return [{ args: ['-n', '-f', configuration] }];
      },
    ),
  },
  sendmail: {
    type: 'makemap:hash',
    prove: asking('sendmail', 'makemap', 'sendmail reads the same rows', ({ path }) => [
      { args: ['-u', 'hash', path] },
    ]),
  },
  tcpserver: {
    type: 'tcprules',
    prove: asking('tcpserver', 'tcprulescheck', 'tcpserver reads the same rows', ({ path }, rows) =>
      rows.flatMap(({ key }): Question[] => {
        const ip = canonicalIp(key);
        return ip === null ? [] : [{ variables: [`TCPREMOTEIP=${keyOf(ip)}`], args: [path] }];
      }),
    ),
  },
} as const satisfies Record<string, DemoServer>;
