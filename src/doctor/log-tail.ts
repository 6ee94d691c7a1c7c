/**
 * What the last part of a log tells: logins, lines that should perhaps have been some, and clients that Postfix has refused.
 *
 * Pure: what reads the stamps, by the clock and the zone of the log, is handed in.
 */
import type { EpochSeconds } from '../base/clock.ts';
import { excerpt } from '../base/excerpt.ts';
import { Pieces } from '../line/pieces.ts';
import { type Line, parseLine } from '../line/prefix.ts';
import type { StampReader } from '../line/stamp.ts';
import { RELAY_REFUSED, type Refusal, refusalIn } from '../postfix/refusal.ts';
import type { LoginEvent } from '../recogniser/event.ts';
import { LogMemory } from '../recogniser/log-memory.ts';
import { isLoginLike } from '../recogniser/login-like.ts';
import { Recogniser } from '../recogniser/recogniser.ts';
import type { Registry } from '../recogniser/registry.ts';
import { type Stray, strayOf } from '../recogniser/stray.ts';
import { keyOf } from '../recogniser/stray-watch.ts';

const EXAMPLE_LENGTH = 160;
const MOST_STRAYS = 20;
/** Of logins, and of refusals: more than any judge needs. */
const MOST_KEPT = 5000;

/** A client that was not let relay, and when. */
export interface TimedRefusal extends Pick<Refusal, 'ip' | 'sender'> {
  readonly time: EpochSeconds;
}

/** What the last part of a log has brought. */
export interface Tail {
  readonly lines: number;
  /** In the order of their lines, the last ones of many. */
  readonly logins: readonly LoginEvent[];
  /** Clients that Postfix has not let relay, likewise. */
  readonly refusals: readonly TimedRefusal[];
  /** Lines that look like logins and were not recognised, and the last of them. */
  readonly missed: { readonly lines: number; readonly example: string };
  /** What is worth a word in lines of no known server, one of each kind, with their number. */
  readonly strays: readonly { readonly stray: Stray; readonly lines: number }[];
  /** The stamps of the first and the last line that have one. */
  readonly firstStamp: EpochSeconds | null;
  readonly lastStamp: EpochSeconds | null;
}

/**
 * @param lines the last of a log, in their order, a character a byte
 * @param stamps makes what reads their stamps
 * @param strangers lines that are read for what is worth a word in them only
 */
export function tailOf(
  lines: readonly string[],
  registry: Registry,
  stamps: () => StampReader,
  strangers: readonly string[] = [],
): Tail {
  const logins: LoginEvent[] = [];
  const missed = { lines: 0, example: '' };
  const strays = new Map<string, { readonly stray: Stray; lines: number }>();
  const stranger = (line: Line): void => {
    const stray = strayOf(line, registry);
    if (stray === null) return;
    const known = strays.get(keyOf(stray));
    if (known !== undefined) known.lines++;
    else if (strays.size < MOST_STRAYS) strays.set(keyOf(stray), { stray, lines: 1 });
  };
  const recogniser = new Recogniser(registry, stamps(), new LogMemory(), {
    unrecognised: ({ message }) => {
      if (!isLoginLike(message)) return;
      missed.lines++;
      missed.example = excerpt(message, EXAMPLE_LENGTH);
    },
    stranger,
  });
  const pieces = new Pieces();
  for (const line of lines) {
    const event = recogniser.recognise(pieces.whole(line));
    if (event?.event === 'login') logins.push(event);
  }
  const reader = stamps();
  for (const text of strangers) stranger(parseLine(text, reader, registry));
  return {
    lines: lines.length,
    logins: logins.slice(-MOST_KEPT),
    refusals: refusalsIn(lines, registry, stamps()),
    missed,
    strays: [...strays.values()],
    firstStamp: firstStamp(lines, registry, stamps()),
    lastStamp: firstStamp(lines.toReversed(), registry, stamps()),
  };
}

/** Clients that were not let relay. @param lines as for `tailOf` */
export function refusalsIn(
  lines: readonly string[],
  registry: Registry,
  stamps: StampReader,
): TimedRefusal[] {
  const refused = lines.filter(line => line.includes(RELAY_REFUSED)).slice(-MOST_KEPT);
  return refused.flatMap(line => {
    const { time, program, message } = parseLine(line, stamps, registry);
    const refusal = refusalIn(program, message);
    if (refusal === null || !refusal.isRelay || time === null) return [];
    return [{ ip: refusal.ip, sender: refusal.sender, time }];
  });
}

/** Of the first line that has one. */
function firstStamp(
  lines: readonly string[],
  registry: Registry,
  stamps: StampReader,
): EpochSeconds | null {
  for (const line of lines) {
    const { time } = parseLine(line, stamps, registry);
    if (time !== null) return time;
  }
  return null;
}
