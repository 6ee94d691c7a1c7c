/**
 * Why a log line is, or is not, a login or a logout: what each pattern of its program makes of it.
 *
 * Promises: the event is the daemon's own, from the recogniser that daemon and `match` have, which has read the
 * lines before this one as well; how far a pattern got is read off its own expression.
 * Leaves to others: what comes of an event (classifier, grant table), how it is told (cli/explain.ts).
 */
import type { EpochSeconds } from '../base/clock.ts';
import { Pieces } from '../line/pieces.ts';
import { type Line, parseLine } from '../line/prefix.ts';
import { StampReader } from '../line/stamp.ts';
import { LOCAL, type Zone } from '../line/zone.ts';
import type { ServerEvent } from './event.ts';
import type { Pattern, PatternFile } from './pattern.ts';
import { type Progress, progress } from './progress.ts';
import { describe, Recogniser, saidIn } from './recogniser.ts';
import type { Registry } from './registry.ts';
import { type Stray, strayOf } from './stray.ts';
import { TornLines } from './torn-lines.ts';

/** Why a pattern makes no event of a message that its expression describes. */
export type Obstacle = 'too long' | 'no address' | 'no connection';

/** What one pattern makes of a message. */
export interface Attempt extends Progress {
  readonly file: PatternFile;
  readonly pattern: Pattern;
}

export type Outcome =
  | { readonly kind: 'event'; readonly event: ServerEvent; readonly by: Attempt }
  /** The prefix tells no program, or one that no pattern file names; or the line may be a piece of a longer one. */
  | { readonly kind: 'no program' | 'unknown program'; readonly stray: Stray | null }
  | { readonly kind: 'torn' }
  /** A line that is no event, but says whose address a later login of the same process has, or that none will come. */
  | { readonly kind: 'connect' | 'failure'; readonly by: Attempt }
  | { readonly kind: 'obstacle'; readonly obstacle: Obstacle; readonly by: Attempt }
  /** `nearest` got furthest; null when none got past the first byte. */
  | { readonly kind: 'not described'; readonly nearest: Attempt | null };

export interface Explanation {
  readonly line: Line;
  /** In the order in which they are tried; none where the program is not known, or the line is torn. */
  readonly attempts: readonly Attempt[];
  readonly outcome: Outcome;
}

/** Explains the lines of one log, in their order. */
export class Explainer {
  readonly #registry: Registry;
  readonly #recogniser: Recogniser;
  readonly #stamps: StampReader;
  readonly #torn = new TornLines();
  readonly #pieces = new Pieces();

  /**
   * @param reference no line is later than this, give or take a day (StampReader)
   * @param zone of stamps that do not tell theirs
   */
  constructor(registry: Registry, reference: () => EpochSeconds, zone: Zone = LOCAL) {
    this.#registry = registry;
    this.#recogniser = new Recogniser(registry, new StampReader(reference, zone));
    this.#stamps = new StampReader(reference, zone);
  }

  /** @param text a whole line without its end, a character a byte (latin1) */
  explain(text: string): Explanation {
    const whole = this.#pieces.whole(text);
    const event = this.#recogniser.recognise(whole);
    const tagged = parseLine(whole === '' ? text : whole, this.#stamps, this.#registry);
    if (tagged.program === null)
      return { line: tagged, attempts: [], outcome: this.#strange('no program', tagged) };
    const program = this.#registry.program(tagged.program);
    if (program === null)
      return { line: tagged, attempts: [], outcome: this.#strange('unknown program', tagged) };
    const { line } = saidIn(tagged, program, this.#stamps);
    const { patterns, splitting } = program;
    const isPiece = splitting !== null && this.#torn.isPiece(line, splitting);
    if (isPiece && event === null) return { line, attempts: [], outcome: { kind: 'torn' } };
    const attempts = patterns.map(pattern => this.#attempt(pattern, line));
    return { line, attempts, outcome: outcomeOf(line, event, attempts) };
  }

  #strange(kind: 'no program' | 'unknown program', line: Line): Outcome {
    return { kind, stray: strayOf(line, this.#registry) };
  }

  #attempt(pattern: Pattern, { message }: Line): Attempt {
    const file = this.#registry.files.find(({ patterns }) => patterns.includes(pattern));
    if (file === undefined) throw new TypeError('a pattern that is in no file');
    return { file, pattern, ...progress(pattern.sequence, message) };
  }
}

function outcomeOf(line: Line, event: ServerEvent | null, attempts: readonly Attempt[]): Outcome {
  const by = attempts.find(({ pattern }) => describe(pattern, line) !== null);
  if (by !== undefined) {
    if (event !== null) return { kind: 'event', event, by };
    const told = by.pattern.event;
    if (told === 'connect' || told === 'failure') return { kind: told, by };
    return { kind: 'obstacle', obstacle: 'no connection', by };
  }
  const whole = attempts.find(({ expected }) => expected.length === 0);
  if (whole === undefined) return { kind: 'not described', nearest: nearestOf(attempts) };
  const tooLong = line.message.length > whole.pattern.maxLength;
  return { kind: 'obstacle', obstacle: tooLong ? 'too long' : 'no address', by: whole };
}

function nearestOf(attempts: readonly Attempt[]): Attempt | null {
  const furthest = Math.max(0, ...attempts.map(({ reached }) => reached));
  if (furthest === 0) return null;
  return attempts.find(({ reached }) => reached === furthest) ?? null;
}
