/**
 * What reading some logs has added up to: events by server, and lines that popbsmtp may have missed.
 */

import { excerpt } from '../base/excerpt.ts';
import { quantity } from '../base/quantity.ts';
import { MAX_LINE } from '../line/length.ts';
import { FIRST_LINES } from '../line/sampling.ts';
import type { EventKind } from '../recogniser/recogniser.ts';
import type { Stray } from '../recogniser/stray.ts';
import { keyOf, strayText } from '../recogniser/stray-watch.ts';

const MOST_EXAMPLES = 5;
const MOST_STRAYS = 20;
/** Characters: enough for the prefix, the words and the address of any login. */
const EXAMPLE_LENGTH = 200;

/** A line of a log. */
export interface Place {
  readonly path: string;
  readonly number: number;
  readonly text: string;
}

/** Lines of one kind, with the first of them. */
interface Strays {
  readonly stray: Stray;
  readonly example: string;
  lines: number;
}

interface Counts {
  logins: number;
  logouts: number;
}

export class MatchSummary {
  #lines = 0;
  #tooLong = 0;
  #missed = 0;
  #torn = 0;
  #passedOver = 0;
  readonly #tornPrograms = new Set<string>();
  readonly #servers = new Map<string, Counts>();
  readonly #examples: string[] = [];
  readonly #strays = new Map<string, Strays>();

  /** So many lines were read, and of these so many skipped for their length. */
  read(lines: number, tooLong: number): void {
    this.#lines += lines;
    this.#tooLong += tooLong;
  }

  recognised({ event, server }: EventKind): void {
    let counts = this.#servers.get(server);
    if (counts === undefined) {
      counts = { logins: 0, logouts: 0 };
      this.#servers.set(server, counts);
    }
    if (event === 'login') counts.logins++;
    else counts.logouts++;
  }

  /** A line of a program may be a piece of a longer one. @param isLogin whether it reads like a login */
  torn(program: string, isLogin: boolean): void {
    this.#torn++;
    if (isLogin) this.#passedOver++;
    this.#tornPrograms.add(program);
  }

  /** A line looks like a login, and no pattern recognises it. */
  missed(place: Place): void {
    this.#missed++;
    if (this.#examples.length < MOST_EXAMPLES) this.#examples.push(exampleText(place));
  }

  /** A line of no known server is worth a word. */
  stray(stray: Stray, place: Place): void {
    const known = this.#strays.get(keyOf(stray));
    if (known !== undefined) known.lines++;
    else if (this.#strays.size < MOST_STRAYS)
      this.#strays.set(keyOf(stray), { stray, example: exampleText(place), lines: 1 });
  }

  /** The summary, in whole lines. */
  text(): string {
    const servers = [...this.#servers].sort(([a], [b]) => (a < b ? -1 : 1));
    const total = servers.reduce(
      (sum, [, { logins, logouts }]) => ({
        logins: sum.logins + logins,
        logouts: sum.logouts + logouts,
      }),
      { logins: 0, logouts: 0 },
    );
    return [
      `${quantity(this.#lines, 'line')}, ${countsText(total)}\n`,
      ...servers.map(([server, counts]) => `    ${server}: ${countsText(counts)}\n`),
      this.#tooLong === 0
        ? ''
        : `${quantity(this.#tooLong, 'line')} of more than ${MAX_LINE} bytes skipped\n`,
      this.#tornText(),
      this.#missedText(),
      ...[...this.#strays.values()].map(strays => this.#straysText(strays)),
    ].join('');
  }

  #tornText(): string {
    if (this.#torn === 0) return '';
    const programs = [...this.#tornPrograms].sort().map(name => excerpt(name));
    return (
      `somebody is tearing lines of ${programs.join(', ')}: of ${quantity(this.#torn, 'line')} that a stranger may have written, ` +
      `${quantity(this.#passedOver, 'that reads like a login was', 'that read like logins were')} passed over\n`
    );
  }

  #straysText({ stray, example, lines }: Strays): string {
    const { what, cure } = strayText(stray, true, lines);
    // Of other programs not every line is looked at.
    const isAll = stray.kind !== 'tag' || this.#lines <= FIRST_LINES;
    return `${isAll ? '' : 'at least '}${quantity(lines, 'line')} ${what}; ${cure}:\n${example}`;
  }

  #missedText(): string {
    if (this.#missed === 0) return '';
    return (
      `${quantity(this.#missed, 'line looks like a login but was', 'lines look like logins but were')} not recognised; "popbsmtp explain" tells why:\n` +
      this.#examples.join('')
    );
  }
}

function exampleText({ path, number, text }: Place): string {
  const where = path === '-' ? 'standard input' : path;
  return `    ${where}:${number}: ${excerpt(text, EXAMPLE_LENGTH)}\n`;
}

const countsText = ({ logins, logouts }: Counts): string =>
  `${quantity(logins, 'login')}, ${quantity(logouts, 'logout')}`;
