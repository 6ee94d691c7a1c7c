/**
 * Tells of what strayOf finds, and what to do about it; each kind, tag and beginning once.
 *
 * Bounded: of more than MOST kinds the later ones are not told.  The line itself is not shown, but for its first
 * characters, in which no user is named where users are not to be.
 */
import { excerpt } from '../base/excerpt.ts';
import { noun } from '../base/quantity.ts';
import type { Stray } from './stray.ts';

const MOST = 20;

export class StrayWatch {
  readonly #report: (warning: string) => void;
  readonly #isQuoted: boolean;
  readonly #told = new Set<string>();

  /**
   * @param report takes a warning of one line
   * @param isQuoted whether it may hold the beginning of a line of which no pattern describes the rest
   */
  constructor(report: (warning: string) => void, isQuoted = true) {
    this.#report = report;
    this.#isQuoted = isQuoted;
  }

  found(stray: Stray): void {
    const key = keyOf(stray);
    if (this.#told.has(key) || this.#told.size >= MOST) return;
    this.#told.add(key);
    const { what, cure } = strayText(stray, this.#isQuoted);
    this.#report(`lines ${what}; ${cure}`);
  }
}

/** What differs between strays that are told apart. */
export function keyOf(stray: Stray): string {
  if (stray.kind === 'tag') return `tag ${stray.tag}`;
  if (stray.kind === 'relayed') return `relayed ${stray.relay}`;
  return stray.kind === 'own file' ? `own file ${stray.server}` : stray.kind;
}

/** What Docker makes the tag of a container's lines, unless told otherwise; the next container has another. */
const CONTAINER_ID = /^[0-9a-f]{12}$/;

const HOW = {
  nginx: 'error_log syslog:server=unix:/dev/log,facility=mail,nohostname info;',
  zimbra: 'zimbraLogToSyslog TRUE',
} as const;

/**
 * @param lines of how many it is said; the grammar is that of their number
 * @returns what is said of the lines, as it stands behind `lines`, and what to do about it, neither with a full stop
 */
export function strayText(
  stray: Stray,
  isQuoted = true,
  lines = Number.POSITIVE_INFINITY,
): { readonly what: string; readonly cure: string } {
  const look = noun(lines, 'looks like a login', 'look like logins');
  switch (stray.kind) {
    case 'tag': {
      const { server } = stray;
      const tag = excerpt(stray.tag);
      const only =
        server === 'nginx' || server === 'zimbra'
          ? `, where ${server} logs through syslog only`
          : '';
      return {
        what: `under the tag ${tag} ${look} of ${server}, but no pattern file names that program`,
        cure:
          `if it is your server${only}, a file ${server}.toml in the patterns directory with extend = true and programs = ["${tag}"] has them read (patterns/README.md)` +
          (CONTAINER_ID.test(tag) ? '; a container in the journal is chosen by journal-match' : ''),
      };
    }
    case 'relayed':
      return {
        what: `behind a second header ${look}, such as after "${excerpt(stray.beginning)}"`,
        cure: `have the relay write the lines as they came, with one header, or, if nobody else can have it log lines without a tag, name it: trusted-relays = ["${excerpt(stray.relay)}"]`,
      };
    case 'own file':
      return {
        what: `${look} in a log that ${stray.server} writes itself, into which strangers can have lines written`,
        cure: `${stray.server} is read through syslog only: ${HOW[stray.server]} (patterns/${stray.server}.toml)`,
      };
    case 'beginning': {
      const { server, beginning } = stray;
      const shown = server !== null || isQuoted ? `: "${excerpt(beginning)}"` : '';
      return {
        what: `${look}${server === null ? '' : ` of ${server}`}, but ${noun(lines, 'its', 'their')} beginning is not understood${shown}`,
        cure: 'have them logged through syslog, or describe that beginning by own-log in a pattern file (patterns/README.md); "popbsmtp explain" shows what was understood',
      };
    }
    case 'dropped':
      return {
        what: `of ${excerpt(stray.by)} ${noun(lines, 'says', 'say')} that it dropped messages, and logins may have been among them`,
        cure:
          stray.by === 'rsyslogd'
            ? 'raise its rate limits (ratelimit.burst of imuxsock or imjournal)'
            : 'raise RateLimitBurst= (journald.conf(5), or LogRateLimitBurst= of the service)',
      };
  }
}
