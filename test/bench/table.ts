/**
 * The table of a bench: a row a figure, with what it is to its floor, and to the same figure of another revision.
 */
import type { Figure } from './idle.ts';

export interface Row extends Figure {
  /** The least that is possible; null where nothing is known that does it for less. */
  readonly floor: number | null;
  /** Of the other revision; null without one. */
  readonly other: number | null;
}

/**
 * @param figures of this tree, then those of the other revision if there is one; in the same order
 * @param floors of as many of them as have one
 */
export function rowsOf(figures: readonly Figure[][], floors: readonly Figure[]): Row[] {
  const [own = [], others = []] = figures;
  return own.map((figure, index) => ({
    ...figure,
    floor: floors[index]?.value ?? null,
    other: others[index]?.value ?? null,
  }));
}

const NAME = 44;
const VALUE = 12;
const UNIT = 5;
const RATIO = 10;
const DIGITS = 3;

const cell = (value: number | null, digits: number, width: number): string =>
  (value === null ? '' : value.toFixed(digits)).padStart(width);

const ratio = (value: number, to: number | null): string =>
  cell(to === null || to === 0 ? null : value / to, 2, RATIO);

/** @param revision the other one */
export function formatTable(rows: readonly Row[], revision: string | null): string {
  const head =
    'figure'.padEnd(NAME) +
    'this tree'.padStart(VALUE) +
    ''.padEnd(UNIT + 1) +
    'to floor'.padStart(RATIO) +
    (revision === null ? '' : revision.padStart(VALUE) + 'to it'.padStart(RATIO));
  const lines = rows.map(
    ({ name, value, unit, floor, other }) =>
      `${name.padEnd(NAME)}${cell(value, DIGITS, VALUE)} ${unit.padEnd(UNIT)}${ratio(value, floor)}` +
      (revision === null ? '' : cell(other, DIGITS, VALUE) + ratio(value, other)),
  );
  return [head, ...lines].map(line => `${line.trimEnd()}\n`).join('');
}
