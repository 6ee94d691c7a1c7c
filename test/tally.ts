/**
 * What Node's runner says at the end of a test file, and the sum of it over all files.
 */

/** As the reporter `spec` names them, in its order. */
export const COUNTS = ['tests', 'pass', 'fail', 'cancelled', 'skipped', 'todo'] as const;

export type Tally = Readonly<Record<(typeof COUNTS)[number], number>>;

/** The output of one test file. */
export interface Told {
  /** Test by test. */
  readonly body: string;
  /** The failures once more, with their errors; empty when there are none. */
  readonly failures: string;
  /** Null when the file ended before it had counted. */
  readonly tally: Tally | null;
}

const NOTHING: Tally = { tests: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 };

/** `spec` writes the counts below all tests, and the failures below the counts. */
const CLOSING =
  /^ℹ tests (?<tests>\d+)\nℹ suites \d+\nℹ pass (?<pass>\d+)\nℹ fail (?<fail>\d+)\nℹ cancelled (?<cancelled>\d+)\nℹ skipped (?<skipped>\d+)\nℹ todo (?<todo>\d+)\nℹ duration_ms .*\n/gm;

/** @param output of the reporter `spec`, without colours */
export function readOutput(output: string): Told {
  // A test may print anything; the counts are the last that look like them.
  const last = [...output.matchAll(CLOSING)].at(-1);
  if (last === undefined) return { body: output, failures: '', tally: null };
  const counts = COUNTS.map(name => [name, Number(last.groups?.[name])] as const);
  return {
    body: output.slice(0, last.index),
    failures: output.slice(last.index + last[0].length).replace(/^\n+/, ''),
    tally: { ...NOTHING, ...Object.fromEntries(counts) },
  };
}

export function sum(tallies: readonly Tally[]): Tally {
  const total = (name: keyof Tally): number => tallies.reduce((all, tally) => all + tally[name], 0);
  return { ...NOTHING, ...Object.fromEntries(COUNTS.map(name => [name, total(name)])) };
}

/**
 * What a file counts for: one that ended badly although no test of it has failed is a failure of its own.
 *
 * @param wasGood whether it ended with the status 0
 */
export function countFile(tally: Tally | null, wasGood: boolean): Tally {
  if (tally !== null && (wasGood || tally.fail + tally.cancelled > 0)) return tally;
  const counted = tally ?? NOTHING;
  return { ...counted, tests: counted.tests + 1, fail: counted.fail + 1 };
}

/** In the words of the reporter. */
export const formatTally = (tally: Tally): string =>
  COUNTS.map(name => `ℹ ${name} ${tally[name]}\n`).join('');
