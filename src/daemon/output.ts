/** Where a daemon tells what it does; how that looks is the business of whoever gives one. */
import type { Report } from '../grant/decision.ts';
import type { Notice } from '../source/source.ts';

export interface Output {
  readonly report: Report;
  notice(notice: Notice): void;
  warn(text: string): void;
  /** Lines are going to be dealt with; for one who wants to show how far it is. */
  lines?(batch: readonly string[]): void;
}
