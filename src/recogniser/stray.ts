/**
 * What an administrator should hear of in lines that are no known server's: logins under another tag or behind a
 * beginning that is not understood, and that messages were dropped on their way.
 *
 * Only ever for telling people; nothing is granted on it.
 * Promises: under another tag a login is told only where a pattern describes the whole message, so that nothing that a
 * program quotes of a stranger's text raises an alarm; of a line without a tag, where a pattern describes all of it
 * behind its first words, or where the words of a login stand in it.
 * Sources of the last kind: systemd, journald-server.c ("Suppressed %i messages from %s"); rsyslog, runtime/ratelimit.c.
 */
import { epoch } from '../base/clock.ts';
import { type Line, taggedLine } from '../line/prefix.ts';
import { headersBefore } from '../line/relay.ts';
import { STAMP, StampReader } from '../line/stamp.ts';
import { isLoginLike } from './login-like.ts';
import type { Pattern } from './pattern.ts';
import { describe } from './recogniser.ts';
import type { Registry } from './registry.ts';

export type Stray =
  /** A login of this server under a tag that no pattern file names. */
  | { readonly kind: 'tag'; readonly tag: string; readonly server: string }
  /** Behind a second header, which a relay or a collector has put before the first. */
  | { readonly kind: 'relayed'; readonly relay: string; readonly beginning: string }
  /** In a log that a server writes itself, and into which strangers can have lines written. */
  | { readonly kind: 'own file'; readonly server: UnreadServer }
  /** Behind something else; the server is known where a pattern describes the rest. */
  | { readonly kind: 'beginning'; readonly beginning: string; readonly server: string | null }
  /** Messages were dropped before they came into the log. @param by the program that says so */
  | { readonly kind: 'dropped'; readonly by: string };

/** Servers whose own logs are not read, and what a login looks like there. */
const UNREAD = [
  ['nginx', /\[info\] \d{1,10}#\d{1,10}: \*\d{1,20} client logged in, /],
  ['zimbra', /\[(?:Imap|Pop3)\w{0,20}Server-.{0,400}?\b(?:imap|pop) - user \S+ authenticated/],
] as const;
export type UnreadServer = (typeof UNREAD)[number][0];

const DROPPED: ReadonlyMap<string, RegExp> = new Map([
  ['systemd-journald', /^Suppressed \d{1,10} messages from /],
  ['rsyslogd', /\b(?:begin to drop messages|\d{1,10} messages lost) due to rate-limiting/],
]);

/** Whether a program that brings messages says that it has dropped some. */
export const isDropped = (program: string, message: string): boolean =>
  DROPPED.get(program)?.test(message) ?? false;

const BEHIND_STAMP = new RegExp(`^${STAMP} `);
const SERVICES = /\b(?:imap|pop3?)(?:s|d|-login)?\b/i;
/** What nobody but the log's writer has put before a message: behind a quotation mark may be anybody's text. */
const WORDS = /[^\s"'<]{0,200}(?:<\d{1,3}>[^\s"'<]{0,200})?\s+/y;
const MOST_WORDS = 16;
/** Characters of a beginning that are shown. */
const BEGINNING = 60;

/** @param line one that has no program, or one that no pattern file names */
export function strayOf(line: Line, registry: Registry): Stray | null {
  const { program, message } = line;
  if (program === null) return untagged(message, registry);
  if (isDropped(program, message)) return { kind: 'dropped', by: program };
  const server = serverOf(message, registry) ?? behindStamp(message, registry);
  return server === null ? null : { kind: 'tag', tag: program, server };
}

function untagged(text: string, registry: Registry): Stray | null {
  for (const [server, form] of UNREAD) if (form.test(text)) return { kind: 'own file', server };
  const relayed = relayedLogin(text, registry);
  if (relayed !== null) return relayed;
  for (const start of starts(text)) {
    const server = serverOf(text.slice(start), registry);
    if (server === null) continue;
    return { kind: 'beginning', beginning: text.slice(0, Math.min(start, BEGINNING)), server };
  }
  if (!SERVICES.test(text) || !isLoginLike(text)) return null;
  return { kind: 'beginning', beginning: text.slice(0, BEGINNING), server: null };
}

/** A login behind other headers; told with the first relay that is not trusted. */
function relayedLogin(text: string, registry: Registry): Stray | null {
  const headers = headersBefore(text, () => true);
  const unknown = headers.find(({ host }) => !registry.relays.has(host)) ?? headers[0];
  const message = inner(headers.at(-1)?.rest ?? '');
  if (unknown === undefined || message === null || serverOf(message, registry) === null)
    return null;
  return { kind: 'relayed', relay: unknown.host, beginning: unknown.header };
}

/** The beginning, and behind each of the first words. */
function* starts(text: string): Generator<number> {
  yield 0;
  WORDS.lastIndex = 0;
  for (let count = 0; count < MOST_WORDS && WORDS.test(text); count++) yield WORDS.lastIndex;
}

function behindStamp(message: string, registry: Registry): string | null {
  const stamp = BEHIND_STAMP.exec(message)?.[0];
  if (stamp === undefined) return null;
  const own = serverOf(message.slice(stamp.length), registry);
  const whole = own === null ? inner(message) : null;
  return own ?? (whole === null ? null : serverOf(whole, registry));
}

/** The message of a line in a line; when it was written does not matter. */
const inner = (text: string): string | null => taggedLine(text, NO_CLOCK, [])?.message ?? null;
const NO_CLOCK = new StampReader(() => epoch(0));

/** Whose login a message is, of all servers. */
function serverOf(message: string, { files }: Registry): string | null {
  const line: Line = { time: null, host: null, program: null, pid: null, message };
  const isLogin = (pattern: Pattern): boolean =>
    pattern.event === 'login' && (describe(pattern, line)?.ip ?? null) !== null;
  return files.find(({ patterns }) => patterns.some(isLogin))?.server ?? null;
}
