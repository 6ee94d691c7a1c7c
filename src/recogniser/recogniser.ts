/**
 * From the text of a log line to the event that it tells of, if any.
 *
 * Promises: the prefix is parsed before any pattern; a pattern sees only messages of its own server's
 * programs, whole ones; what stands in the place of the address is an address, in canonical form, or
 * there is no event.  The first pattern that describes the message wins; the samples show that none
 * of the shipped ones has a second that does.  A login that does not tell its address has the one that the
 * same process told when the client connected (connects.ts), and without that is none.  Where a line may be a piece of
 * a longer one (torn-lines.ts), nothing comes of it but a logout.
 * One recogniser reads one log, in the order of its lines.
 */
import { canonicalIp, type IpText } from '../base/address.ts';
import type { EpochSeconds } from '../base/clock.ts';
import { masked } from '../base/excerpt.ts';
import { BlockLines, type Reading, type SeenLine } from '../line/block-lines.ts';
import { withoutReturn } from '../line/controls.ts';
import { type Line, parseLine } from '../line/prefix.ts';
import { Sieve } from '../line/sieve.ts';
import type { StampReader } from '../line/stamp.ts';
import type { Batch } from '../source/finished-log.ts';
import { expressionsOf } from './byte-expressions.ts';
import type { LogoutEvent, ServerEvent } from './event.ts';
import type { Fields, GroupNumbers } from './expression.ts';
import { LogMemory } from './log-memory.ts';
import { ownLine } from './own-line.ts';
import type { Pattern } from './pattern.ts';
import type { Program, Registry } from './registry.ts';
import { repeatedMessage } from './repeated.ts';
import { sessionOf } from './session.ts';

/** Who watches over the patterns (drift.ts). */
export interface Observer {
  /** A line of a server's program is a login. */
  recognised?(line: Line): void;
  /** No pattern describes a line of a server's program, and it is no piece of a torn line. */
  unrecognised(line: Line): void;
  /** A line has no program, or one that no pattern file names (stray.ts). */
  stranger?(line: Line): void;
  /**
   * A line may be a piece of a longer one, and no login comes of it.
   *
   * @param isLogin whether it reads like one
   */
  torn?(line: Line, isLogin: boolean): void;
}

const FIRST_LINES = 5000;

export class Recogniser {
  readonly #registry: Registry;
  readonly #stamps: StampReader;
  readonly #memory: LogMemory;
  readonly #observer: Observer | undefined;

  /** @param memory that of the recogniser before this one, when patterns are loaded again for the same log */
  constructor(
    registry: Registry,
    stamps: StampReader,
    memory: LogMemory = new LogMemory(),
    observer?: Observer,
  ) {
    this.#registry = registry;
    this.#stamps = stamps;
    this.#memory = memory;
    this.#observer = observer;
  }

  /**
   * What makes the lines of this recogniser's log out of its bytes.
   *
   * @param firstLines of each program, which are recognised as any line: an automaton costs as much as so many
   */
  reading(firstLines = FIRST_LINES): Reading {
    const settings = {
      programs: this.#registry.tags,
      isSampling: this.#observer?.stranger !== undefined,
      firstLines,
    };
    const sieve = new Sieve(settings, () => expressionsOf(this.#registry));
    return { sieve, lines: new BlockLines(sieve, this.#stamps, this.#registry) };
  }

  /** The lines that come next are no younger than this (StampReader). */
  writtenBy(time: EpochSeconds | null): void {
    this.#stamps.writtenBy(time);
  }

  /** When a line was written, as far as its stamp can be right; otherwise null. */
  timeOf({ time }: Line): EpochSeconds | null {
    return this.#stamps.bounded(time);
  }

  /** @param text a whole line without its end, a character a byte (latin1) */
  recognise(text: string): ServerEvent | null {
    return this.recogniseLine(parseLine(text, this.#stamps, this.#registry));
  }

  /**
   * The event that a line of a finished log tells of.  Where its message has been looked at in the bytes of the log, that is
   * what comes of it; otherwise, and where it depends on the lines before, it is recognised as any line.
   *
   * @param index which of the batch's, from 0, in this order and once
   */
  recogniseIn(batch: Batch, index: number): ServerEvent | null {
    const seen = this.#seenIn(batch, index);
    if (seen === null) return this.#recognisePlainly(batch, index);
    const pattern = this.#patternOf(seen);
    if (pattern === null) return null;
    const line = seen.whole();
    const description = describe(pattern, line);
    return description && this.#take(pattern, line, description);
  }

  /** The same, without what the event is about: for who counts. */
  kindIn(batch: Batch, index: number): EventKind | null {
    const seen = this.#seenIn(batch, index);
    if (seen === null) return this.#recognisePlainly(batch, index);
    const { event, server } = this.#patternOf(seen) ?? NOTHING;
    return event === 'login' || event === 'logout' ? { event, server } : null;
  }

  #recognisePlainly(batch: Batch, index: number): ServerEvent | null {
    const line = batch.line(index);
    return line && this.recogniseLine(line);
  }

  #seenIn(batch: Batch, index: number): SeenLine | null {
    const seen = batch.seen(index);
    if (seen === null || this.#observer?.recognised !== undefined) return null;
    const isTornNow =
      !this.#memory.torn.isCalm && this.#registry.program(seen.program)?.splitting !== null;
    return isTornNow ? null : seen;
  }

  #patternOf(seen: SeenLine): Pattern | null {
    const pattern = this.#registry.program(seen.program)?.patterns[seen.expression];
    if (pattern === undefined) this.#observer?.unrecognised(seen.whole());
    return pattern ?? null;
  }

  recogniseLine(tagged: Line): ServerEvent | null {
    const program = tagged.program === null ? null : this.#registry.program(tagged.program);
    if (program === null) {
      this.#observer?.stranger?.(tagged);
      return null;
    }
    const { patterns, splitting } = program;
    const { line, isRepeated } = saidIn(tagged, program, this.#stamps);
    if (splitting !== null && this.#memory.torn.isPiece(line, splitting))
      return this.#takePiece(patterns, line);
    for (const pattern of patterns) {
      const description = describe(pattern, line);
      if (description === null) continue;
      // The process whose connection it was may have ended, and another may have its number.
      if (isRepeated && pattern.event === 'connect') return null;
      const event = this.#take(pattern, line, description);
      // Its session may have ended before this was written, and must not be opened again.
      return isRepeated && event?.event === 'login' ? { ...event, session: null } : event;
    }
    // What is repeated was told when it was logged first.
    if (!isRepeated) this.#observer?.unrecognised(line);
    return null;
  }

  /** What may be a stranger's text opens nothing; but a session that ends early does no harm. */
  #takePiece(patterns: readonly Pattern[], line: Line): ServerEvent | null {
    for (const pattern of patterns) {
      const description = describe(pattern, line);
      if (description === null) continue;
      const { event } = pattern;
      this.#observer?.torn?.(line, event === 'login');
      return event === 'logout'
        ? { ...logoutOf(pattern, line, description, this.timeOf(line)), torn: true }
        : null;
    }
    this.#observer?.torn?.(line, false);
    return null;
  }

  #take(pattern: Pattern, line: Line, description: Description): ServerEvent | null {
    const { connects } = this.#memory;
    const { event, server } = pattern;
    const { ip, fields } = description;
    const time = this.timeOf(line);
    switch (event) {
      case 'connect':
        if (ip !== null) connects.add(server, line, ip);
        return null;
      case 'failure':
        connects.take(server, line);
        return null;
      case 'login': {
        const told = pattern.connects ? connects.take(server, line) : null;
        // Where two lines contradict each other, one of them may say what a user's name says.
        if (ip !== null && told !== null && ip !== told) return null;
        const client = ip ?? told;
        const session = sessionOf(pattern, line, client, fields);
        if (client !== null) this.#observer?.recognised?.(line);
        const tls = tlsOf(pattern, line, fields);
        return client && { event, server, ip: client, user: userOf(fields), time, session, tls };
      }
      case 'logout':
        return logoutOf(pattern, line, description, time);
    }
  }
}

/** What an event is of. */
export type EventKind = Pick<ServerEvent, 'event' | 'server'>;

const NOTHING = { event: null, server: '' } as const;

function logoutOf(
  pattern: Pattern,
  line: Line,
  { ip, fields }: Description,
  time: EpochSeconds | null,
): LogoutEvent {
  const session = sessionOf(pattern, line, ip, fields);
  const { server } = pattern;
  return { event: 'logout', server, ip, user: userOf(fields), time, session };
}

const userOf = ({ user }: Fields): string | null => (user === undefined ? null : readable(user));

/** What a server itself has said in a line: a message that rsyslog repeats, or a line of the server's own log. */
export function saidIn(
  line: Line,
  { own }: Program,
  stamps: StampReader,
): { readonly line: Line; readonly isRepeated: boolean } {
  const whole = withoutReturn(line.message);
  const repeated = repeatedMessage(whole);
  const message = repeated === null ? whole : withoutReturn(repeated);
  const said = message === line.message ? line : { ...line, message };
  return {
    line: own === null ? said : ownLine(said, own, stamps),
    isRepeated: repeated !== null,
  };
}

/** What a pattern has found in a line: the address in canonical form, the fields as they are written. */
export interface Description {
  readonly ip: IpText | null;
  readonly fields: Fields;
}

/** What a pattern makes of a line of one of its programs; null when it does not describe it. */
export function describe(pattern: Pattern, { message }: Line): Description | null {
  if (message.length > pattern.maxLength) return null;
  const found = pattern.expression.exec(message);
  if (found === null) return null;
  const fields = fieldsOf(pattern.groupNumbers, found);
  const { ip: address } = fields;
  const ip = address === undefined ? null : canonicalIp(address);
  if (ip !== null) return { ip, fields };
  const mayLack = pattern.event === 'logout' || pattern.event === 'failure' || pattern.connects;
  return address === undefined && mayLack ? { ip, fields } : null;
}

/** Spelt out: a loop over the groups took three times as long. */
function fieldsOf(
  { ip, user, session, port, protocol, tls }: GroupNumbers,
  found: RegExpExecArray,
): Fields {
  return {
    ip: ip === 0 ? undefined : found[ip],
    user: user === 0 ? undefined : found[user],
    session: session === 0 ? undefined : found[session],
    port: port === 0 ? undefined : found[port],
    protocol: protocol === 0 ? undefined : found[protocol],
    tls: tls === 0 ? undefined : found[tls],
  };
}

/**
 * Whether a login's line says that its connection was encrypted; null when it could not say so, or says so elsewhere than it is
 * known to: that may be anybody's text, but is no sign of a plain connection.
 */
function tlsOf({ tlsPrograms, groups }: Pattern, line: Line, found: Fields): boolean | null {
  if (found.tls !== undefined) return true;
  if (line.program !== null && tlsPrograms.includes(line.program)) return true;
  if (line.message.includes('TLS')) return null;
  return groups.includes('tls') || tlsPrograms.length > 0 ? false : null;
}

/** What nearly every name is. */
const PLAIN = /^[ -~]*$/;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes for people: as UTF-8 where they are, and with nothing that a terminal would obey. */
function readable(bytes: string): string {
  return PLAIN.test(bytes) ? bytes : masked(decoded(bytes));
}

function decoded(bytes: string): string {
  if (!/[\x80-\xff]/.test(bytes)) return bytes;
  try {
    return UTF8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return bytes;
  }
}
