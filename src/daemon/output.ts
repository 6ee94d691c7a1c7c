/** Where a daemon tells what it does; how that looks is the business of whoever gives one. */
import type { Counters } from '../control/counters.ts';
import type { Report } from '../grant/decision.ts';
import type { KeptUser } from '../history/history.ts';
import type { Notice } from '../source/source.ts';

export interface Output {
  readonly report: Report;
  notice(notice: Notice): void;
  warn(text: string): void;
  /** How names of users are kept in the history; as they are without. */
  readonly keptUser?: KeptUser;
  /** How they leave this host, in headers; none does without. */
  readonly hashedUser?: KeptUser;
}

/** An output of which all is counted on its way. */
export const counted = (output: Output, counters: Counters): Output => ({
  ...output,
  report: decision => {
    counters.report(decision);
    output.report(decision);
  },
  notice: notice => {
    if (notice.kind === 'failed') {
      counters.problem(`cannot read ${notice.path}: ${notice.reason}`);
    }
    if (notice.kind === 'lost') {
      counters.problem(`no connection to ${notice.path}: ${notice.reason}`);
    }
    output.notice(notice);
  },
  warn: text => {
    counters.problem(text);
    output.warn(text);
  },
});
