/**
 * From the text of a log line to the event that it tells of, if any.
 *
 * Promises: the prefix is parsed before any pattern; a pattern sees only messages of its own server's
 * programs, whole ones; what stands in the place of the address is an address, in canonical form, or
 * there is no event.  The first pattern that describes the message wins; the samples show that none
 * of the shipped ones has a second that does.
 * One recogniser reads one log, in the order of its lines.
 */
import { canonicalIp } from '../classifier/address.ts';
import { type Line, parseLine } from '../line/prefix.ts';
import type { StampReader } from '../line/stamp.ts';
import type { ServerEvent } from './event.ts';
import type { Pattern } from './pattern.ts';
import type { Registry } from './registry.ts';
import { TornLines } from './torn-lines.ts';

export class Recogniser {
  readonly #registry: Registry;
  readonly #stamps: StampReader;
  readonly #torn: TornLines;

  /** @param torn that of the recogniser before this one, when patterns are loaded again for the same log */
  constructor(registry: Registry, stamps: StampReader, torn: TornLines = new TornLines()) {
    this.#registry = registry;
    this.#stamps = stamps;
    this.#torn = torn;
  }

  /** @param text a whole line without its end, a character a byte (latin1) */
  recognise(text: string): ServerEvent | null {
    const line = parseLine(text, this.#stamps);
    const program = line.program === null ? null : this.#registry.program(line.program);
    if (program === null) return null;
    const { patterns, splitsAt } = program;
    if (splitsAt !== null && this.#torn.isPiece(line, splitsAt)) return null;
    for (const pattern of patterns) {
      const event = eventOf(pattern, line);
      if (event !== null) return event;
    }
    return null;
  }
}

/** What a pattern makes of a line of one of its programs. */
export function eventOf(pattern: Pattern, { message, time }: Line): ServerEvent | null {
  if (message.length > pattern.maxLength) return null;
  const found = pattern.expression.exec(message);
  if (found === null) return null;
  const { ip: address, user: name } = found.groups ?? {};
  const ip = address === undefined ? null : canonicalIp(address);
  if (address !== undefined && ip === null) return null;
  const { server, event } = pattern;
  const user = name === undefined ? null : readable(name);
  if (event === 'logout') return { event, server, ip, user, time, session: null };
  return ip && { event, server, ip, user, time, session: null };
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes for people: as UTF-8 where they are, and with nothing that a terminal would obey. */
function readable(bytes: string): string {
  return decoded(bytes).replace(/\p{Cc}/gu, '?');
}

function decoded(bytes: string): string {
  if (!/[\x80-\xff]/.test(bytes)) return bytes;
  try {
    return UTF8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return bytes;
  }
}
