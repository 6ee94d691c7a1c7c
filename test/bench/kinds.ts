/**
 * `npm run bench:match`: how fast `match` reads logs of many kinds, and with `-- --against REVISION` beside another revision of
 * this repository, by turns.
 *
 * A log for each transport in each carrier, in which every server says all that it can say, its failures as well, among
 * twice as many lines of another program.  Arguments besides: the lines of each log (500) and the rounds (5).
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAIN } from '../real/popbsmtp.ts';
import { CARRIERS } from '../recogniser/carriers.ts';
import { type Fields, SERVERS } from '../recogniser/formats.ts';
import { TRANSPORTS } from '../recogniser/transports.ts';
import { argumentsOf, mainOf } from './revision.ts';
import { type Command, interleaved } from './timing.ts';

const FIELDS: Fields = {
  user: 'anna@example.org',
  ip: '198.51.100.7',
  host: 'client.example.net',
  text: 'x',
};
const OTHER = 'postfix/smtpd[4711]';
const OTHER_MESSAGE = 'connect from client.example.net[198.51.100.7]';

/** Tag and message of all that the servers say. */
const SAID: readonly (readonly [string, string])[] = SERVERS.flatMap(
  ({ tags, connect, successes, failures }) =>
    [...(connect === undefined ? [] : [connect]), ...successes, ...failures].flatMap(format =>
      tags.map(tag => [tag, format(FIELDS)] as const),
    ),
);

/** Writes the logs; their paths. */
function makeLogs(directory: string, lines: number): string[] {
  mkdirSync(directory);
  return CARRIERS.flatMap(([, carry], carrier) =>
    TRANSPORTS.map(([, log], transport) => {
      const path = join(directory, `${carrier}-${transport}.log`);
      const other = carry(log(OTHER, OTHER_MESSAGE));
      const kinds = SAID.flatMap(([tag, message]) => [carry(log(tag, message)), other, other]);
      const text = Array.from({ length: lines }, (_, line) => kinds[line % kinds.length]);
      writeFileSync(path, `${text.join('\n')}\n`, 'latin1');
      return path;
    }),
  );
}

const matching = (name: string, main: string, logs: readonly string[]): Command => ({
  name,
  program: process.execPath,
  args: [main, 'match', '--count', ...logs],
});

/** The arguments that match logs of all kinds, made in a directory that is not there yet. */
export const matchKinds = (directory: string, lines: number): string[] => [
  ...['match', '--count'],
  ...makeLogs(directory, lines),
];

async function bench(args: readonly string[]): Promise<void> {
  const { revision, numbers } = argumentsOf(args);
  const [lines = 500, rounds = 5] = numbers;
  const directory = mkdtempSync(join(tmpdir(), 'popbsmtp-bench-'));
  try {
    const logs = makeLogs(join(directory, 'logs'), lines);
    const mains = [
      ['this tree', MAIN] as const,
      ...(revision === null ? [] : [[revision, await mainOf(revision, directory)] as const]),
    ];
    const runs = await interleaved(
      mains.map(([name, main]) => matching(name, main, logs)),
      rounds,
    );
    process.stdout.write(
      `${logs.length} logs of ${lines} lines, medians of ${rounds} runs by turns\n`,
    );
    for (const [name, { seconds, peakMiB }] of runs)
      process.stdout.write(
        `${name.padEnd(20)}${seconds.toFixed(3)} s, ${peakMiB.toFixed(0)} MiB\n`,
      );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

if (process.argv[1] === import.meta.filename) await bench(process.argv.slice(2));
