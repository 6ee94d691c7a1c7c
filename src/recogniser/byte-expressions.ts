/**
 * The patterns of a registry as what looks at the bytes of a log has them (line/message-matcher.ts).
 *
 * Promises: of each program all patterns in their order, or none, where a login may be told in two lines or where one of
 * its patterns is of another sort than login and logout.
 */
import type { Expressions } from '../line/message-matcher.ts';
import { type ByteClass, classOf, type Step, type Steps, text } from '../line/steps.ts';
import { type ByteSet, DIGITS, single } from './byte-set.ts';
import type { Part, Run, Sequence } from './expression.ts';
import type { Pattern } from './pattern.ts';
import type { Program, Registry } from './registry.ts';
import { tornLengths } from './splitting.ts';

/** By the order of the registry's tags. */
export const expressionsOf = (registry: Registry): (Expressions | null)[] =>
  registry.tags.map(tag => {
    const program = registry.program(tag);
    return program === null ? null : ofProgram(program);
  });

function ofProgram({ patterns, own, splitting }: Program): Expressions | null {
  const isOneLine = ({ event, connects }: Pattern): boolean =>
    !connects && (event === 'login' || event === 'logout');
  if (!patterns.every(isOneLine)) return null;
  return {
    alternatives: patterns.map(({ sequence, event }) => ({
      steps: stepsOf(sequence),
      mayLackAddress: event === 'logout',
    })),
    maxLength: Math.min(...patterns.map(({ maxLength }) => maxLength)),
    hasOwnLog: own !== null,
    tornLengths: splitting && tornLengths(splitting),
    tornBeginnings: splitting?.wholes.map(({ begins }) => Buffer.from(begins, 'latin1')) ?? [],
  };
}

export const stepsOf = (sequence: Sequence): Steps => sequence.flatMap(stepsOfPart);

function stepsOfPart(part: Part): Steps {
  switch (part.kind) {
    case 'run':
      return part.group === undefined ? [runStep(part)] : addressSteps(part);
    case 'refusal':
      return [{ kind: 'refusal', places: part.places.map(bytesOf) }];
    case 'choice':
      return [{ kind: 'choice', branches: part.branches.map(stepsOf) }];
  }
}

const runStep = ({ set, min, max }: Run): Step => ({ kind: 'run', set: bytesOf(set), min, max });

/** The port is what follows the last colon. */
function addressSteps({ set, text: written }: Run): Steps {
  const address: Step = { kind: 'address', set: bytesOf(set) };
  if (written !== '{ip:port}') return [address];
  return [address, text(':'), { kind: 'run', set: bytesOf(DIGITS), min: 1, max: 5 }];
}

/** The same few come again and again. */
const KNOWN = new Map<ByteSet, ByteClass>();

function bytesOf(set: ByteSet): ByteClass {
  const known = KNOWN.get(set) ?? classOf(byte => (set & single(byte)) !== 0n);
  KNOWN.set(set, known);
  return known;
}
