/**
 * How decisions are shown: one table, a row for each kind, and the forms that are read off it.
 *
 * Promises: a kind without a row does not compile.  A new kind takes the kind itself (grant/decision.ts), its row in one of
 * the files whose rows are put together here, and what makes it happen; the compiler asks three more for their
 * answer: who counts (control/counters.ts), who knows the holders (grant/roster.ts), and what other hosts hear
 * (fleet/publication.ts).
 */
import type { Decision } from '../grant/decision.ts';
import type { DecisionOf, Kind, Rows } from './decision-row.ts';
import { GRANT_ROWS } from './grant-rows.ts';
import type { LogLine } from './log-line.ts';
import { LOGIN_ROWS } from './login-rows.ts';
import { ORDER_ROWS } from './order-rows.ts';
import { plain, type ShowUser } from './user-names.ts';

const ROWS: Rows = { ...LOGIN_ROWS, ...GRANT_ROWS, ...ORDER_ROWS };

/** A line for the daemon's own log; null for what is not told there. */
export function decisionLine<K extends Kind>(decision: DecisionOf<K>): LogLine | null {
  return ROWS[decision.kind].line(decision);
}

/**
 * The lines that `--debug` prints, without line ends; none for what is told elsewhere.
 *
 * @param dryRun nothing is written, and so nothing may claim to be
 */
export function debugLines<K extends Kind>(decision: DecisionOf<K>, dryRun: boolean): string[] {
  return ROWS[decision.kind].debug(decision, dryRun);
}

/** What `replay --json` prints; null for nothing. */
export function decisionJson<K extends Kind>(decision: DecisionOf<K>): object | null {
  return ROWS[decision.kind].json(decision);
}

/** A decision with the names of users as they are shown. */
export function withShownUser<K extends Kind>(
  decision: DecisionOf<K>,
  show: ShowUser,
): DecisionOf<K> {
  return show === plain ? decision : ROWS[decision.kind].withUsers(decision, show);
}

/** Whether it is in the log, whatever else is printed. */
export const isAudited = ({ kind }: Decision): boolean => ROWS[kind].audited;
