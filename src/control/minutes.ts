/**
 * What each of the last sixty minutes has brought: logins, and how many grants there were.
 *
 * Minutes pass on the steady clock; in what is saved they are those of wall time, so that a start knows how many have gone by.
 * Pure, with the time passed in.
 */
import type { Moment } from '../base/clock.ts';

/** The present one included. */
export const MINUTES = 60;

/** Plain JSON: the values of each minute up to this one of wall time, the latest last. */
export interface SavedMinutes {
  readonly minute: number;
  readonly logins: readonly number[];
  readonly grants: readonly number[];
}

const empty = (): number[] => Array.from({ length: MINUTES }, () => 0);

export class Minutes {
  /** At the minute's number modulo their number. */
  #logins = empty();
  #grants = empty();
  #minute: number;

  constructor(now: Moment) {
    this.#minute = minuteOf(now.steady);
  }

  /** Empties the minutes that have begun since. */
  moveOn({ steady }: Moment): void {
    const minute = minuteOf(steady);
    const passed = Math.min(minute - this.#minute, MINUTES);
    for (let back = 0; back < passed; back++) {
      this.#logins[slotOf(minute - back)] = 0;
      this.#grants[slotOf(minute - back)] = 0;
    }
    this.#minute = Math.max(this.#minute, minute);
  }

  /** In the present minute. */
  login(): void {
    const slot = slotOf(this.#minute);
    this.#logins[slot] = (this.#logins[slot] ?? 0) + 1;
  }

  /** How many grants there are in the present minute. */
  grants(count: number): void {
    this.#grants[slotOf(this.#minute)] = count;
  }

  get loginsByMinute(): number[] {
    return this.#ordered(this.#logins);
  }

  get grantsByMinute(): number[] {
    return this.#ordered(this.#grants);
  }

  save({ wall }: Moment): SavedMinutes {
    const { loginsByMinute: logins, grantsByMinute: grants } = this;
    return { minute: minuteOf(wall), logins, grants };
  }

  /** Puts what was saved into the minutes before; what is of another sort, or of the future, is left out. */
  restore(saved: unknown, { wall }: Moment): void {
    const found = savedIn(saved);
    if (found === null) return;
    const passed = minuteOf(wall) - found.minute;
    if (passed < 0) return;
    for (let age = passed; age < MINUTES; age++) {
      const at = MINUTES - 1 - age + passed;
      const slot = slotOf(this.#minute - age);
      this.#logins[slot] = (this.#logins[slot] ?? 0) + (found.logins[at] ?? 0);
      this.#grants[slot] = Math.max(this.#grants[slot] ?? 0, found.grants[at] ?? 0);
    }
  }

  #ordered(values: readonly number[]): number[] {
    return values.map((_, index) => values[slotOf(this.#minute + 1 + index)] ?? 0);
  }
}

const minuteOf = (seconds: number): number => Math.floor(seconds / 60);

/** Also of a minute before the machine was started. */
const slotOf = (minute: number): number => ((minute % MINUTES) + MINUTES) % MINUTES;

function savedIn(saved: unknown): SavedMinutes | null {
  if (typeof saved !== 'object' || saved === null) return null;
  const { minute, logins, grants }: Partial<Record<keyof SavedMinutes, unknown>> = saved;
  if (typeof minute !== 'number' || !areCounts(logins) || !areCounts(grants)) return null;
  return { minute, logins, grants };
}

const areCounts = (value: unknown): value is readonly number[] =>
  Array.isArray(value) &&
  value.length === MINUTES &&
  value.every(one => Number.isInteger(one) && one >= 0);
