/**
 * Which protocol a session speaks, as a line or its program tells it: what a session may hold open for how long, and
 * whose logouts it can expect, depends on it (grant/session-table.ts).
 *
 * Leaves to others: what is made of it.  Knows nothing of lines that tell neither.
 */

import { lowest, single } from './byte-set.ts';
import type { Choice, Sequence } from './expression.ts';
import { ExpressionError } from './scanner.ts';
import type { TomlTable } from './toml-table.ts';

export type Protocol = 'imap' | 'pop3';

/** How servers spell it; the ports are those of RFC 8314. */
const SPELLINGS: ReadonlyMap<string, Protocol> = new Map([
  ['imap', 'imap'],
  ['IMAP', 'imap'],
  ['IMAP4', 'imap'],
  ['imap-hibernate', 'imap'], // of Dovecot
  ['143', 'imap'],
  ['993', 'imap'],
  ['pop3', 'pop3'],
  ['POP3', 'pop3'],
  ['110', 'pop3'],
  ['995', 'pop3'],
]);

/** @param text what stands in the place of `(?<protocol>…)` */
export const protocolOf = (text: string): Protocol | null => SPELLINGS.get(text) ?? null;

/** `(?<protocol>…)` is one of the spellings. @throws ExpressionError */
export function checkProtocol(group: Choice): void {
  for (const text of textsOf(group.branches)) {
    if (text === null || !SPELLINGS.has(text))
      throw new ExpressionError(
        `(?<protocol>…) holds ${text === null ? 'more than a text' : `"${text}"`}`,
        `write one or several of ${[...SPELLINGS.keys()].join(', ')}`,
      );
  }
}

/** All texts that alternatives describe; null for what is no fixed text. */
function textsOf(branches: readonly Sequence[]): (string | null)[] {
  return branches.flatMap(branch =>
    branch.reduce<(string | null)[]>(
      (texts, part) => {
        const more =
          part.kind === 'choice'
            ? textsOf(part.branches)
            : [part.kind === 'run' && part.max === 1 && part.min === 1 ? only(part.set) : null];
        return texts.flatMap(text =>
          more.map(next => (text === null || next === null ? null : text + next)),
        );
      },
      [''],
    ),
  );
}

const only = (set: bigint): string | null =>
  set === single(lowest(set)) ? String.fromCharCode(lowest(set)) : null;

/** The programs under `imap-programs` and `pop3-programs`. @throws Failure PATTERN_SYNTAX if one is not among all programs */
export function protocolsOf(
  top: TomlTable,
  programs: readonly string[],
): ReadonlyMap<string, Protocol> {
  return new Map(
    (['imap', 'pop3'] as const).flatMap(protocol =>
      someOf(top, `${protocol}-programs`, programs).map(program => [program, protocol] as const),
    ),
  );
}

/** The programs under a key, which are among the others; none without the key. @throws Failure PATTERN_SYNTAX */
export function someOf(top: TomlTable, key: string, programs: readonly string[]): string[] {
  if (!top.has(key)) return [];
  const some = top.strings(key);
  const odd = some.find(program => !programs.includes(program));
  if (odd !== undefined) throw top.error(key, `"${odd}" is not among programs`, 'add it there');
  return some;
}
