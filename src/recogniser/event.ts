/**
 * What a log line tells about a session: who logged in from where, or who left.
 *
 * The user is for people to read (log lines, lists); no decision rests on it, since most servers print
 * it as the client spelled it.
 */
import type { IpText } from '../base/address.ts';
import type { EpochSeconds } from '../base/clock.ts';
import type { Protocol } from './protocol.ts';

/** Which session an event is of. */
export interface SessionId {
  /** The same text in the login and in the logout of one session, and in no other session of that log. */
  readonly key: string;
  /**
   * The same for all sessions whose logouts the same program of the same host writes; where the server's logouts name
   * the protocol, for all of that protocol.
   */
  readonly service: string;
  /** Null where neither the line nor its program tells it. */
  readonly protocol: Protocol | null;
}

interface SessionEvent {
  /** The pattern file's name: `dovecot`, `courier`, `qpopper`, `uw-imap`, … */
  readonly server: string;
  readonly user: string | null;
  /** What the line's stamp says; null when it has none that names a moment. */
  readonly time: EpochSeconds | null;
  /** Null where the server's lines do not tell which logout ends which session. */
  readonly session: SessionId | null;
}

export interface LoginEvent extends SessionEvent {
  readonly event: 'login';
  readonly ip: IpText;
  /**
   * Whether the line says that the connection was encrypted; null where the server's lines never tell, or speak of TLS in a place
   * that the pattern does not know.  `false` is a line that would say so if it was, as its pattern has it.
   */
  readonly tls: boolean | null;
}

export interface LogoutEvent extends SessionEvent {
  readonly event: 'logout';
  /** Null where the server does not say it (Dovecot). */
  readonly ip: IpText | null;
  /**
   * There if the line may be a piece of a longer one, and so a stranger's: it may end a session, and proves nothing
   * and prolongs nothing.
   */
  readonly torn?: true;
}

export type ServerEvent = LoginEvent | LogoutEvent;
