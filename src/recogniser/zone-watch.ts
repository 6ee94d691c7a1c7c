/**
 * Notices a log whose stamps are of another time zone than they are read in: its logins are all early, or all late, by
 * whole quarters of an hour.
 *
 * Promises: told after several logins in a row of one log, fresh ones, that are off by the same quarters, to two minutes;
 * once for each difference.  A login that is not off begins the row anew.  Pure: times are passed in.
 * Bounded: one entry for each log.
 * Known limits: what a syslog daemon lets go after holding it back for just so long is taken for it; where several hosts of
 * different zones write one log, only many logins of one of them in a row are told.
 */
import type { EpochSeconds } from '../base/clock.ts';
import { formatOffset, type Zone } from '../line/zone.ts';

export const LOGINS_BEFORE_WARNING = 5;

const QUARTER = 900;
/** Seconds by which syslog may be late, and clocks apart. */
const SLACK = 60;
const SPREAD = 120;
/** Zones are no further apart than this, in seconds (tz database). */
const MOST = 26 * 3600;

/** Whether so many seconds are the difference of two zones: whole quarters of an hour, and not none. */
export function isZoneApart(off: number): boolean {
  return Math.abs(off) <= MOST + SLACK && Math.abs(off) > QUARTER / 2 && restOf(off) <= SLACK;
}

const quartersOf = (off: number): number => Math.round(off / QUARTER);
const restOf = (off: number): number => Math.abs(off - quartersOf(off) * QUARTER);

/**
 * @param off by how many seconds the stamps are ahead of the lines
 * @param zone in which they were read
 * @returns which offset from UTC the log's own clock has now: `+02:00`
 */
export const offsetOfLog = (off: number, zone: Zone, now: EpochSeconds): string =>
  formatOffset(zone.offsetAt(now) + quartersOf(off) * QUARTER);

interface Row {
  logins: number;
  least: number;
  most: number;
}

export class ZoneWatch {
  readonly #zone: Zone;
  readonly #report: (warning: string) => void;
  readonly #rows = new Map<string, Row>();
  /** In quarters of an hour. */
  readonly #told = new Set<number>();

  /**
   * @param zone in which stamps are read that do not tell theirs
   * @param report takes a warning of one line
   */
  constructor(zone: Zone, report: (warning: string) => void) {
    this.#zone = zone;
    this.#report = report;
  }

  /**
   * A login has just been written.
   *
   * @param stamped what its stamp says
   */
  login(log: string, stamped: EpochSeconds, now: EpochSeconds): void {
    const off = stamped - now;
    const row = isZoneApart(off) ? this.#added(log, off) : null;
    if (row === null) {
      this.#rows.delete(log);
      return;
    }
    const quarters = quartersOf(off);
    if (row.logins < LOGINS_BEFORE_WARNING || this.#told.has(quarters)) return;
    this.#told.add(quarters);
    this.#report(
      `the last ${LOGINS_BEFORE_WARNING} logins in ${log} are stamped ${lengthOf(quarters)} ${off < 0 ? 'before' : 'after'} they were written, ` +
        `as in another time zone: set watchlog-zone to that of the log (its clock is at ${offsetOfLog(off, this.#zone, now)} now)`,
    );
  }

  #added(log: string, off: number): Row {
    const before = this.#rows.get(log);
    const least = Math.min(off, before?.least ?? off);
    const most = Math.max(off, before?.most ?? off);
    const row =
      before === undefined || most - least > SPREAD
        ? { logins: 1, least: off, most: off }
        : { logins: before.logins + 1, least, most };
    this.#rows.set(log, row);
    return row;
  }
}

/** `2 h`, `5 h 45 min`. */
function lengthOf(quarters: number): string {
  const minutes = Math.abs(quarters) * 15;
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [hours > 0 ? `${hours} h` : '', rest > 0 ? `${rest} min` : ''].filter(Boolean).join(' ');
}
