/**
 * A line of the daemon's own log: a text for people, facts for programs; and what sources have noticed as one.
 *
 * A contract: programs read both.  More events and more facts may come, these stay.
 */
import { noun, quantity } from '../base/quantity.ts';
import { formatCtime } from '../line/stamp.ts';
import type { Notice } from '../source/source.ts';

/** What a line tells, by names that stay the same; `event` says what has happened. */
export interface Facts {
  readonly event: string;
  readonly [name: string]: string | number | null;
}

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly text: string;
  /** Left out where there is nothing but the text. */
  readonly facts?: Facts;
}

type Line = Pick<LogLine, 'level' | 'text'>;

export const info = (text: string): Line => ({ level: 'info', text });
export const warn = (text: string): Line => ({ level: 'warn', text });

export function noticeLine(notice: Notice): LogLine {
  const facts = { event: 'source', source: notice.path, state: notice.kind };
  return { ...noticeText(notice), facts };
}

function noticeText(notice: Notice): Line {
  const { path } = notice;
  switch (notice.kind) {
    case 'opened':
      return info(`watching ${path}${path.startsWith('/') ? ` from byte ${notice.position}` : ''}`);
    case 'preferred': {
      const { over, isEmpty, modified, server, login } = notice;
      const state = isEmpty ? 'is empty' : `has not been written to since ${formatCtime(modified)}`;
      return warn(
        `watching the ${path}, since ${over} ${state} and the journal has a login by ${server} of ` +
          `${formatCtime(login)}; name a log with --watchlog to choose`,
      );
    }
    case 'ended':
      return info(`${path} has ended`);
    case 'connected':
      return info(`fleet: connected to ${path}`);
    case 'lost':
      return warn(
        `fleet: no connection to ${path}: ${notice.reason}; going on without it, trying again`,
      );
    case 'passed over':
      return info(`fleet: ${path} is not used, another engine is: ${notice.reason}`);
    case 'missing':
      return warn(`${path} does not exist yet; waiting for it`);
    case 'matched':
      return notice.count === 0
        ? warn(`no file matches ${path} yet; waiting for one`)
        : info(
            `watching ${notice.count === 1 ? 'the file that matches' : `the ${notice.count} files that match`} ${path}`,
          );
    case 'too many':
      return warn(
        `more than ${notice.most} files match ${path}: the others are not watched; name fewer of them`,
      );
    case 'let go':
      return info(`${path} is gone; no longer watching it`);
    case 'rotated':
      return info(`${path} was rotated; going on with the new file`);
    case 'truncated':
      return notice.copy === null
        ? warn(`${path} was truncated; reading it from its beginning (no copy of it is there)`)
        : info(`${path} was truncated; going on with its copy ${notice.copy}, then with it`);
    case 'place lost':
      return warn(
        `where reading ${path} has to go on is in no file any more; starting at the grace period (if it is rotated to another directory, name that with watchlog-olddir)`,
      );
    case 'failed':
      return warn(`cannot read ${path}: ${notice.reason}; trying again`);
    case 'mounted':
      return warn(
        `${path} is mounted by itself (a bind mount), so what it is rotated to by renaming is never seen here: mount its directory instead`,
      );
    case 'polling':
      return warn(
        `the kernel does not report changes of ${path}: ${notice.reason}; polling instead`,
      );
    case 'untrusted':
      return warn(
        `${quantity(notice.count, 'entry', 'entries')} of ${path} under the tag ${notice.tag} ${noun(notice.count, 'was', 'were')} not taken, the latest from uid ` +
          `${notice.uid ?? 'unknown'} by ${notice.transport ?? 'an unknown way'}: they are not the server's own words (patterns/README.md, [journal])`,
      );
    case 'raw log':
      return warn(
        `${path}: what ${notice.tag} prints has lines that ${notice.server} writes itself, into which strangers can have others written, so ` +
          `nothing from there counts; have ${notice.server} log through syslog, or choose another container (patterns/${notice.server}.toml)`,
      );
    case 'unreadable':
      return warn(
        `${quantity(notice.count, 'entry', 'entries')} of ${path} could not be read as a line`,
      );
    case 'warned':
      return warn(`${path}: ${notice.text}`);
    case 'too long':
      return warn(
        `${path}: ${quantity(notice.count, 'line')} of more than 8 KiB ${noun(notice.count, 'was', 'were')} skipped so far`,
      );
  }
}
