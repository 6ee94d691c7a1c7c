/**
 * A source of log lines, as the daemon uses it: one interface, one file for each kind behind it.
 *
 * Promises, for every kind: lines arrive in the order in which they were written, complete, without
 * their end, as latin1 strings (a character a byte, since no syslog daemon promises valid UTF-8); all
 * that one read found is delivered at once, and no more is read until that has been dealt with, so that
 * a slow map cannot fill the memory; trouble is told as a notice and recovered from, never thrown.
 */
import type { EpochSeconds } from '../base/clock.ts';

/** What a source has to say that is not a line. */
export type Notice =
  | { readonly kind: 'opened'; readonly path: string; readonly position: number }
  /** Chosen in place of a usual file that is empty, or older than a login by this server; all in seconds since 1970. */
  | {
      readonly kind: 'preferred';
      readonly path: string;
      readonly over: string;
      readonly isEmpty: boolean;
      readonly modified: EpochSeconds;
      readonly server: string;
      readonly login: EpochSeconds;
    }
  | { readonly kind: 'ended'; readonly path: string }
  | { readonly kind: 'missing'; readonly path: string }
  /** The files that match a wildcard, as many, are followed; none yet when it is 0. */
  | { readonly kind: 'matched'; readonly path: string; readonly count: number }
  /** More files match a wildcard than are followed. */
  | { readonly kind: 'too many'; readonly path: string; readonly most: number }
  /** A file that matched a wildcard is gone. */
  | { readonly kind: 'let go'; readonly path: string }
  | { readonly kind: 'rotated'; readonly path: string }
  /** With the copy in which what was cut away is read; null when there is none, and lines may be lost. */
  | { readonly kind: 'truncated'; readonly path: string; readonly copy: string | null }
  /** The place to go on from is in no file any more, so lines may be lost or read again. */
  | { readonly kind: 'place lost'; readonly path: string }
  | { readonly kind: 'failed'; readonly path: string; readonly reason: string }
  /** The file is mounted by itself, so that a rotation by renaming is never seen there. */
  | { readonly kind: 'mounted'; readonly path: string }
  | { readonly kind: 'polling'; readonly path: string; readonly reason: string }
  | { readonly kind: 'too long'; readonly path: string; readonly count: number }
  /**
   * Entries of the journal under a tag that are not the server's own words: so many so far, the latest from this uid,
   * by this way in.
   */
  | {
      readonly kind: 'untrusted';
      readonly path: string;
      readonly tag: string;
      readonly uid: number | null;
      readonly transport: string | null;
      readonly count: number;
    }
  /** Under this tag a container prints the raw log of a server, so that nothing from there counts. */
  | {
      readonly kind: 'raw log';
      readonly path: string;
      readonly tag: string;
      readonly server: string;
    }
  /** Entries of the journal, so many so far, that cannot be read as a line. */
  | { readonly kind: 'unreadable'; readonly path: string; readonly count: number }
  /** The engine of the fleet. */
  | { readonly kind: 'connected'; readonly path: string }
  | { readonly kind: 'lost'; readonly path: string; readonly reason: string }
  /** One of several, which is left for another one. */
  | { readonly kind: 'passed over'; readonly path: string; readonly reason: string }
  /** What a program that reads for us complains of. */
  | { readonly kind: 'warned'; readonly path: string; readonly text: string };

export interface Receiver {
  /** @param writtenBy no line is younger than this; null, or left out, for lines that have just been written */
  lines(batch: readonly string[], writtenBy?: EpochSeconds | null): Promise<void>;
  /** Lines of none whose words count; only to be told of. */
  strangers?(lines: readonly string[]): void;
  notice(notice: Notice): void;
}

export interface Source {
  /** Returns at once; what has to be waited for is waited for in the background. */
  start(): void;
  /** No line is delivered after this has resolved. */
  stop(): Promise<void>;
}
