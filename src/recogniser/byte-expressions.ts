/**
 * The patterns of a registry as what looks at the bytes of a log has them (line/message-matcher.ts).
 *
 * Promises: of each program all patterns in their order, or none, where a login may be told in two lines or where one of
 * its patterns is of another sort than login and logout.
 */
import type { Alternative } from '../line/automaton.ts';
import type { Expressions } from '../line/message-matcher.ts';
import { type ByteClass, classOf, type Step, type Steps, text } from '../line/steps.ts';
import { type ByteSet, DIGITS, single } from './byte-set.ts';
import type { Part, Run, Sequence } from './expression.ts';
import type { Pattern } from './pattern.ts';
import type { Program, Registry } from './registry.ts';
import { tornLengths } from './splitting.ts';

/** By the order of the registry's tags. */
export function expressionsOf(registry: Registry): (Expressions | null)[] {
  // Programs of one server share its patterns.
  const known = new Map<Pattern, Alternative>();
  const alternativeOf = (pattern: Pattern): Alternative => {
    const { sequence, event } = pattern;
    const alternative = known.get(pattern) ?? {
      steps: stepsOf(sequence),
      mayLackAddress: event === 'logout',
    };
    known.set(pattern, alternative);
    return alternative;
  };
  return registry.tags.map(tag => {
    const program = registry.program(tag);
    return program === null ? null : ofProgram(program, alternativeOf);
  });
}

function ofProgram(
  { patterns, own, splitting }: Program,
  alternativeOf: (pattern: Pattern) => Alternative,
): Expressions | null {
  const isOneLine = ({ event, connects }: Pattern): boolean =>
    !connects && (event === 'login' || event === 'logout');
  if (!patterns.every(isOneLine)) return null;
  return {
    alternatives: patterns.map(alternativeOf),
    maxLength: Math.min(...patterns.map(({ maxLength }) => maxLength)),
    hasOwnLog: own !== null,
    tornLengths: splitting && tornLengths(splitting),
    tornBeginnings: splitting?.wholes.map(({ begins }) => Buffer.from(begins, 'latin1')) ?? [],
  };
}

/** With one step for the bytes of a text. */
export function stepsOf(sequence: Sequence): Steps {
  const steps: Step[] = [];
  let bytes: number[] = [];
  const endText = (): void => {
    if (bytes.length > 0) steps.push({ kind: 'text', text: Uint8Array.from(bytes) });
    bytes = [];
  };
  for (const part of sequence) {
    const byte = onlyByte(part);
    if (byte === null) {
      endText();
      steps.push(...stepsOfPart(part));
    } else bytes.push(byte);
  }
  endText();
  return steps;
}

/** The byte that alone may stand in a place; null for any other part. */
function onlyByte(part: Part): number | null {
  if (part.kind !== 'run' || part.min !== 1 || part.max !== 1) return null;
  return ONLY.get(part.set) ?? null;
}

const ONLY: ReadonlyMap<ByteSet, number> = new Map(
  Array.from({ length: 256 }, (_, byte) => [single(byte), byte]),
);

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
  const known = KNOWN.get(set);
  if (known !== undefined) return known;
  const bits = set.toString(2).padStart(256, '0');
  const made = classOf(byte => bits[255 - byte] === '1');
  KNOWN.set(set, made);
  return made;
}
