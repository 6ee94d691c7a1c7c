/**
 * Lines that may be the rest of a longer one, torn apart by the server's own logger, and so may say
 * whatever a stranger wishes.
 *
 * courierlogger (courier-libs, liblog/logger.c, do_logger) reads 511 bytes at a time, takes a priority
 * word and then all leading blanks off each piece, and logs it under the server's tag.  Whoever
 * sends a user name of the right length decides where the second piece begins, and blanks before his text
 * make the piece as short as a genuine line: seen with the real Courier 5.0.13, POP3 and IMAP, without an account.
 * The first piece gives it away: nothing can shorten that, since it begins with the server's own words.
 *
 * Promises: a piece, and what may be the rest of its line, are told from whole lines: the next lines of the
 * same program on the same host, for as long as bytes of the same flood may be in the logger's buffers, and
 * then the few that it may have held back until something else was logged.  The price: a genuine login
 * among those is not seen.
 * Known limits: a syslog daemon that takes trailing blanks off (systemd-journald, which then keeps the original
 * as SYSLOG_RAW, systemd.journal-fields(7)) can hide a first piece that ends in blanks; so does one that drops
 * lines of a flood.  One entry is kept for each host and program under attack.
 */
import type { Line } from '../line/prefix.ts';

/** The longest priority word that is taken off, `DEBUG: ` or `ALERT: `, with room for a second blank. */
const PRIORITY_WORD = 8;
/** The logger is held up for milliseconds only; a stamp has whole seconds. */
const FLOOD_SECONDS = 10;
/** Courier cuts the message of a failed login at 1023 bytes (courier-authlib, courierauthdebug.c): two pieces more. */
const HELD_BACK = 2;

interface Suspicion {
  /** In the log's own time. */
  readonly until: number;
  lines: number;
}

/** Host and program, `until` and `lines` of a suspicion, for a checkpoint. */
export type SavedSuspicion = readonly [key: string, until: number, lines: number];

export class TornLines {
  readonly #suspicions = new Map<string, Suspicion>();

  /**
   * Takes each line of a program once, in the order of the log.
   *
   * @param splitsAt the length of a piece with its priority word, in bytes
   * @returns whether the line may be a piece of a longer one
   */
  isPiece(line: Line, splitsAt: number): boolean {
    const { length } = line.message;
    const isFirst = length <= splitsAt && length >= splitsAt - PRIORITY_WORD;
    if (!isFirst && this.#suspicions.size === 0) return false;
    const key = `${line.host ?? ''} ${line.program ?? ''}`;
    if (isFirst) {
      const until = (line.time ?? 0) + FLOOD_SECONDS;
      this.#suspicions.set(key, { until, lines: HELD_BACK });
      return true;
    }
    const suspicion = this.#suspicions.get(key);
    if (suspicion === undefined) return false;
    if ((line.time ?? 0) > suspicion.until && --suspicion.lines === 0) this.#suspicions.delete(key);
    return true;
  }

  save(): SavedSuspicion[] {
    return [...this.#suspicions].map(([key, { until, lines }]) => [key, until, lines]);
  }

  restore(saved: readonly SavedSuspicion[]): void {
    for (const [key, until, lines] of saved) this.#suspicions.set(key, { until, lines });
  }
}
