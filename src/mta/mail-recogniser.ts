/**
 * From a log line to what it tells about a message.
 *
 * Promises: only lines whose tag is a name and a program of Postfix's behind a slash are looked at; the first pattern of that
 * program which describes the whole message wins; what stands in the place of the address is one.  Nothing is kept between lines.
 */
import { canonicalIp } from '../base/address.ts';
import type { EpochSeconds } from '../base/clock.ts';
import { masked } from '../base/excerpt.ts';
import { ownCopy } from '../base/text.ts';
import type { Line } from '../line/prefix.ts';
import type { MailEvent } from './mail-event.ts';
import type { MailPattern, MailPatternFile } from './mail-pattern.ts';

export class MailRecogniser {
  readonly file: MailPatternFile;
  readonly #byProgram: ReadonlyMap<string, readonly MailPattern[]>;

  constructor(file: MailPatternFile) {
    this.file = file;
    const programs = new Set(file.patterns.flatMap(pattern => pattern.programs));
    this.#byProgram = new Map(
      [...programs].map(program => [
        program,
        file.patterns.filter(pattern => pattern.programs.includes(program)),
      ]),
    );
  }

  /** The tags that are known by name, for the journal; with names of one's own. */
  tags(others: readonly string[] = []): string[] {
    const names = new Set([...this.file.names, ...others]);
    return [...names].flatMap(name => [...this.#byProgram.keys()].map(one => `${name}/${one}`));
  }

  /** Whether a tag is one of Postfix's programs. */
  knows(tag: string): boolean {
    return this.#patternsOf(tag).length > 0;
  }

  /**
   * @param line with any prefix
   * @param time when it was written, as far as its stamp can be right
   */
  recognise(line: Line, time: EpochSeconds | null): MailEvent | null {
    const found = this.describe(line);
    return found && eventOf(found.pattern, found.match, line, time);
  }

  /** The pattern that describes a line, with what its groups have found. */
  describe(line: Line): { readonly pattern: MailPattern; readonly match: RegExpExecArray } | null {
    if (line.program === null) return null;
    for (const pattern of this.#patternsOf(line.program)) {
      const match = pattern.expression.exec(line.message);
      if (match !== null) return { pattern, match };
    }
    return null;
  }

  #patternsOf(tag: string): readonly MailPattern[] {
    const slash = tag.lastIndexOf('/');
    return slash < 1 ? NONE : (this.#byProgram.get(tag.slice(slash + 1)) ?? NONE);
  }
}

const NONE: readonly MailPattern[] = [];

/** What an expression has found, by its names; the address as `ip`. */
export const fieldsOf = (
  { groups }: MailPattern,
  found: RegExpExecArray,
): Readonly<Record<string, string>> =>
  Object.fromEntries(groups.map((name, index) => [name, found[index + 1] ?? '']));

function eventOf(
  pattern: MailPattern,
  found: RegExpExecArray,
  { host }: Line,
  time: EpochSeconds | null,
): MailEvent | null {
  const { groups, kind } = pattern;
  const field = (name: string): string => found[groups.indexOf(name) + 1] ?? '';
  // Two hosts that log to one file may have the same id.
  const named = (name: string): string => ownCopy(`${host ?? ''} ${field(name)}`);
  const ip = groups.includes('ip') ? canonicalIp(field('ip')) : null;
  switch (kind) {
    case 'accepted':
      return ip && { event: kind, message: named('queue'), ip, time };
    case 'authenticated': {
      const user = masked(ownCopy(field('user')));
      return ip && { event: kind, message: named('queue'), ip, user, time };
    }
    case 'again':
      return { event: kind, message: named('queue'), origin: named('origin'), time };
    case 'queued': {
      const [size, recipients] = [Number(field('size')), Number(field('recipients'))];
      return { event: kind, message: named('queue'), size, recipients, time };
    }
    case 'delivered': {
      const { where } = pattern;
      return { event: kind, message: named('queue'), where, recipient: field('recipient'), time };
    }
    case 'removed':
      return { event: kind, message: named('queue'), time };
    case 'refused':
      return ip && { event: kind, ip: ownCopy(ip), why: pattern.why, time };
  }
}
