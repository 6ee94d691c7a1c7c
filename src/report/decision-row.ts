/**
 * What there is to say of one kind of decision, in every form in which decisions are shown.
 *
 * Promises: a row answers for each form, if only with nothing; one that leaves a form out does not compile.
 * All of it is a contract, since programs read it: more facts may come, these stay.
 */
import type { Decision } from '../grant/decision.ts';
import type { LogLine } from './log-line.ts';
import type { ShowUser } from './user-names.ts';

export type Kind = Decision['kind'];

/** The decision of a kind; its `kind` is named anew so that the compiler finds the row by it. */
export type DecisionOf<K extends Kind> = {
  [P in K]: { readonly kind: P } & Extract<Decision, { kind: P }>;
}[K];

export interface Row<K extends Kind> {
  /** For the daemon's own log; null for what happens too often to be told, or is about nobody. */
  line(decision: DecisionOf<K>): LogLine | null;
  /**
   * What `--debug` prints, without line ends, in the wording that administrators know from the historical daemon.
   *
   * @param dryRun nothing is written, and so nothing may claim to be
   */
  debug(decision: DecisionOf<K>, dryRun: boolean): string[];
  /** What `replay --json` prints; null for what cannot happen in a log, or is no event of one. */
  json(decision: DecisionOf<K>): object | null;
  /** The same decision with the names of users as they are shown; `asIs` for one that has none. */
  withUsers(decision: DecisionOf<K>, show: ShowUser): DecisionOf<K>;
  /** What somebody has ordered is in the log, whatever else is printed. */
  readonly audited: boolean;
}

export type Rows = { readonly [K in Kind]: Row<K> };

export const asIs = <D>(decision: D): D => decision;

export const none = (): null => null;

export const noLines = (): string[] => [];
