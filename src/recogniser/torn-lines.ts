/**
 * Lines that may be the rest of a longer one, torn apart by the server's own logger, and so may say
 * whatever a stranger wishes.
 *
 * What the pieces of a line look like is told in the head of patterns/courier.toml.  None can be told from a whole
 * line for certain, so after a sign of one (splitting.ts) no line of the same program on the same host
 * counts as a login, for as long as another piece may still come.
 *
 * How long that is: a logger may hold pieces back until somebody has something to log (seen: for hours).  So the
 * suspicion ends at a line that comes HOLD_SECONDS after the last sign, or after the last line that took one of
 * HELD_BACK chances: each line that comes later than that takes one, and is a sign that the rest is only leaving now.
 * That gives, counted from the last sign:
 * - while one logger alone writes under the tag, HELD_BACK pieces (or bunches of them), however late each is;
 * - whatever other loggers write under the tag in between, HELD_BACK + 1 pieces, each up to HOLD_SECONDS behind the one before.
 *
 * Promises: both; a clock that is set back makes no suspicion last longer than a minute more.  The price: genuine
 * logins of that time are not seen, for four minutes behind one torn line on a busy host.
 * Known limits: a syslog daemon that drops lines of a flood may drop the signs; who begins to read between a sign
 * and its rest, with no checkpoint, does not know of it.  One entry is kept for each host and program under attack.
 */
import type { EpochSeconds } from '../base/clock.ts';
import type { Line } from '../line/prefix.ts';
import { isSign, type Splitting } from './splitting.ts';

/** How far apart the pieces may be while others write under the same tag. */
export const HOLD_SECONDS = 60;
/**
 * How many pieces may follow a sign without being one.  Courier cuts a message at 1023 bytes (courier-authlib,
 * courierauthdebug.c), so that its second piece is one; and where a buffer of the logger ended (courier-libs,
 * liblog/logger.c), the rest of another message may come in two.
 */
export const HELD_BACK = 3;

interface Suspicion {
  /** In the log's own time. */
  until: number;
  lines: number;
}

/** Host and program, `until` and `lines` of a suspicion, for a checkpoint. */
export type SavedSuspicion = readonly [key: string, until: number, lines: number];

export class TornLines {
  readonly #suspicions = new Map<string, Suspicion>();

  /** Whether no line is under suspicion, so that only a sign can begin one. */
  get isCalm(): boolean {
    return this.#suspicions.size === 0;
  }

  /**
   * Takes each line of a program once, in the order of the log.
   *
   * @returns whether the line may be a piece of a longer one
   */
  isPiece(line: Line, splitting: Splitting): boolean {
    const sign = isSign(line.message, splitting);
    if (!sign && this.#suspicions.size === 0) return false;
    const key = `${line.host ?? ''} ${line.program ?? ''}`;
    const suspicion = this.#suspicions.get(key);
    if (suspicion !== undefined) setBack(suspicion, line.time);
    if (sign) {
      const until = Math.max(suspicion?.until ?? 0, (line.time ?? 0) + HOLD_SECONDS);
      this.#suspicions.set(key, { until, lines: HELD_BACK });
      return true;
    }
    if (suspicion === undefined) return false;
    if (line.time === null || line.time <= suspicion.until) return true;
    if (suspicion.lines === 0) {
      this.#suspicions.delete(key);
      return false;
    }
    suspicion.lines--;
    suspicion.until = line.time + HOLD_SECONDS;
    return true;
  }

  save(): SavedSuspicion[] {
    return [...this.#suspicions].map(([key, { until, lines }]) => [key, until, lines]);
  }

  restore(saved: readonly SavedSuspicion[]): void {
    for (const [key, until, lines] of saved) this.#suspicions.set(key, { until, lines });
  }
}

/** Where the clock was set back, and not just two lines exchanged, what it was before may be years away. */
function setBack(suspicion: Suspicion, time: EpochSeconds | null): void {
  if (time !== null) suspicion.until = Math.min(suspicion.until, time + 2 * HOLD_SECONDS);
}
