/**
 * What a log line tells about a session: who logged in from where, or who left.
 *
 * The user is for people to read (log lines, lists); no decision rests on it, since most servers print
 * it as the client spelled it.
 */
import type { IpText } from '../base/address.ts';
import type { EpochSeconds } from '../base/clock.ts';

interface SessionEvent {
  /** The pattern file's name: `dovecot`, `courier`, `qpopper`, `uw-imap`, … */
  readonly server: string;
  readonly user: string | null;
  /** What the line's stamp says; null when it has none that names a moment. */
  readonly time: EpochSeconds | null;
  /**
   * The same text in the login and in the logout of one session, and in no other session of that log; null
   * where the server's lines do not tell which logout ends which session.
   */
  readonly session: string | null;
}

export interface LoginEvent extends SessionEvent {
  readonly event: 'login';
  readonly ip: IpText;
  /**
   * Whether the line says that the connection was encrypted; null where the server's lines never tell.  `false` is
   * a line that would say so if it was, as its pattern has it.
   */
  readonly tls: boolean | null;
}

export interface LogoutEvent extends SessionEvent {
  readonly event: 'logout';
  /** Null where the server does not say it (Dovecot). */
  readonly ip: IpText | null;
}

export type ServerEvent = LoginEvent | LogoutEvent;
