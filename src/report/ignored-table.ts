/**
 * The logins that came to nothing, as a table: a row for each user, a column for each reason, those with most first.
 *
 * Promises: memory does not grow with the log: beyond so many names the rest is counted together, and is told as that.
 */
import { shown } from './shown.ts';

const MOST_USERS = 10_000;
/** More rows are no answer any more. */
const MOST_ROWS = 40;
const MOST_OF_NAME = 40;

const UNNAMED = '(no name in the log)';
const OTHERS = '(others)';
const TOTAL = 'TOTAL';

type Counts = Map<string, number>;

export class IgnoredTable {
  readonly #users = new Map<string, Counts>();
  readonly #reasons: Counts = new Map();

  /** @param user null where the log does not name him */
  count(reason: string, user: string | null): void {
    add(this.#reasons, reason);
    const name = user ?? UNNAMED;
    const key = this.#users.has(name) || this.#users.size < MOST_USERS ? name : OTHERS;
    let counts = this.#users.get(key);
    if (counts === undefined) {
      counts = new Map();
      this.#users.set(key, counts);
    }
    add(counts, reason);
  }

  /** In whole lines; empty when nothing was ignored. */
  text(): string {
    if (this.#reasons.size === 0) return '';
    const reasons = [...this.#reasons].sort(([, a], [, b]) => b - a).map(([reason]) => reason);
    const users = [...this.#users].sort(([, a], [, b]) => sum(b) - sum(a));
    const rows = users
      .slice(0, MOST_ROWS)
      .map(([name, counts]) => [
        shown(name, MOST_OF_NAME),
        ...reasons.map(reason => cell(counts.get(reason))),
      ]);
    const rest = users.length - rows.length;
    const more = rest === 0 ? [] : [[`(and ${rest} more)`, ...reasons.map(() => '')]];
    const total = [TOTAL, ...reasons.map(reason => cell(this.#reasons.get(reason)))];
    return columns([['ignored', ...reasons], ...rows, ...more, total]);
  }
}

const add = (counts: Counts, key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);

const sum = (counts: Counts): number => [...counts.values()].reduce((all, one) => all + one, 0);

const cell = (count: number | undefined): string => (count === undefined ? '-' : String(count));

/** The first column to the left, the others to the right. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map(row => row[at]?.length ?? 0)));
  return rows
    .map(row => {
      const cells = row.map((text, at) =>
        at === 0 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0),
      );
      return `${cells.join('  ').trimEnd()}\n`;
    })
    .join('');
}
