/**
 * From the text of a log line to the event that it tells of, if any.
 *
 * Promises: the prefix is parsed before any pattern; a pattern sees only messages of its own server's
 * programs, whole ones; what stands in the place of the address is an address, in canonical form, or
 * there is no event.  The first pattern that describes the message wins; the samples show that none
 * of the shipped ones has a second that does.  A login that does not tell its address has the one that the
 * same process told when the client connected (connects.ts), and without that is none.
 * One recogniser reads one log, in the order of its lines.
 */
import { canonicalIp, type IpText } from '../base/address.ts';
import { masked } from '../base/excerpt.ts';
import { BlockLines, type Reading } from '../line/block-lines.ts';
import { type Line, parseLine } from '../line/prefix.ts';
import { Sieve } from '../line/sieve.ts';
import type { StampReader } from '../line/stamp.ts';
import type { ServerEvent } from './event.ts';
import type { Group, GroupNumbers } from './expression.ts';
import { LogMemory } from './log-memory.ts';
import type { Pattern } from './pattern.ts';
import type { Registry } from './registry.ts';

/** Who watches over the patterns (drift.ts). */
export interface Observer {
  /** A line of a server's program is a login. */
  recognised?(line: Line): void;
  /** No pattern describes a line of a server's program, and it is no piece of a torn line. */
  unrecognised(line: Line): void;
}

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

  /** What makes the lines of this recogniser's log out of its bytes. */
  reading(): Reading {
    const { tags, ownForms } = this.#registry;
    return { sieve: new Sieve(tags), lines: new BlockLines(tags, this.#stamps, ownForms) };
  }

  /** @param text a whole line without its end, a character a byte (latin1) */
  recognise(text: string): ServerEvent | null {
    return this.recogniseLine(parseLine(text, this.#stamps, this.#registry.ownForms));
  }

  recogniseLine(line: Line): ServerEvent | null {
    const program = line.program === null ? null : this.#registry.program(line.program);
    if (program === null) return null;
    const { patterns, splitsAt } = program;
    if (splitsAt !== null && this.#memory.torn.isPiece(line, splitsAt)) return null;
    for (const pattern of patterns) {
      const description = describe(pattern, line);
      if (description !== null) return this.#take(pattern, line, description);
    }
    if (this.#observer !== undefined && !REPEATED.test(line.message)) {
      this.#observer.unrecognised(line);
    }
    return null;
  }

  #take(pattern: Pattern, line: Line, description: Description): ServerEvent | null {
    const { connects } = this.#memory;
    const { event, server } = pattern;
    const { ip, fields } = description;
    const user = fields.user === undefined ? null : readable(fields.user);
    const { time } = line;
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
        return client && { event, server, ip: client, user, time, session, tls };
      }
      case 'logout':
        return { event, server, ip, user, time, session: sessionOf(pattern, line, ip, fields) };
    }
  }
}

/** rsyslog, $RepeatedMsgReduction: what is repeated has been in the log already. */
const REPEATED = /^message repeated \d{1,9} times: \[/;

/** Undefined where the expression has no such group, or the line nothing in its place. */
type Fields = Readonly<Record<Group, string | undefined>>;

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
function fieldsOf({ ip, user, session, port, tls }: GroupNumbers, found: RegExpExecArray): Fields {
  return {
    ip: ip === 0 ? undefined : found[ip],
    user: user === 0 ? undefined : found[user],
    session: session === 0 ? undefined : found[session],
    port: port === 0 ? undefined : found[port],
    tls: tls === 0 ? undefined : found[tls],
  };
}

/** Whether a login's line says that its connection was encrypted; null when it could not say so. */
function tlsOf({ tlsPrograms, groups }: Pattern, line: Line, found: Fields): boolean | null {
  if (found.tls !== undefined) return true;
  if (line.program !== null && tlsPrograms.includes(line.program)) return true;
  return groups.includes('tls') || tlsPrograms.length > 0 ? false : null;
}

/** Server, host and the fields that make the session, apart by what no line has in it. */
function sessionOf(
  { join, server }: Pattern,
  { host, pid }: Line,
  ip: IpText | null,
  fields: Fields,
): string | null {
  if (join.length === 0) return null;
  let session = `${server}\n${host ?? ''}`;
  for (const name of join) {
    const value = name === 'ip' ? ip : name === 'pid' ? pid : fields[name];
    if (value === null || value === undefined || value === '') return null;
    session += `\n${value}`;
  }
  return session;
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
