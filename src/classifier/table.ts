/**
 * A lookup table that mynetworks names, with what it said of the addresses last asked for.
 *
 * Promises: one question at a time; a table that fails is reported once, until it has worked again, and
 * its answers are `unknown` meanwhile.  It is then left alone for a while, since each vain question
 * holds up all logins (postmap takes a second to fail, and up to its time limit if the server is dead).
 */

import type { IpText } from '../base/address.ts';
import { Failure } from '../base/errors.ts';
import type { TableQuery } from '../postfix/table-query.ts';
import type { TableAnswer } from './mynetworks.ts';

/** In the block for documentation (RFC 5737): what the table says of it does not matter. */
const PROBE = '192.0.2.1';

/** How long a table that failed is not asked. */
const REST_MS = 5000;

export class Table {
  readonly #name: string;
  readonly #query: TableQuery;
  readonly #warn: (text: string) => void;
  readonly #now: () => number;
  #turn: Promise<void> = Promise.resolve();
  #answers: ReadonlyMap<IpText, TableAnswer> = new Map();
  #failing = false;
  #restUntil = 0;

  /**
   * @param name as mynetworks has it, `type:path`
   * @param now milliseconds on a clock that never steps
   */
  constructor(
    name: string,
    query: TableQuery,
    warn: (text: string) => void,
    now = () => performance.now(),
  ) {
    this.#name = name;
    this.#query = query;
    this.#warn = warn;
    this.#now = now;
  }

  /** @throws Failure POSTMAP_FAILED if the table cannot be asked */
  async probe(): Promise<void> {
    await this.#query(this.#name, [PROBE]);
  }

  /** Asks for these addresses; the answers replace those of the question before. */
  ask(ips: readonly IpText[]): Promise<void> {
    this.#turn = this.#turn.then(() => this.#ask(ips));
    return this.#turn;
  }

  answer(ip: IpText): TableAnswer {
    return this.#answers.get(ip) ?? 'unknown';
  }

  async #ask(ips: readonly IpText[]): Promise<void> {
    this.#answers = new Map();
    if (this.#now() < this.#restUntil) return;
    try {
      const found = await this.#query(this.#name, ips);
      this.#answers = new Map(ips.map(ip => [ip, found.has(ip) ? 'found' : 'absent']));
      this.#failing = false;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (!this.#failing) this.#warn(error.line);
      this.#failing = true;
      this.#restUntil = this.#now() + REST_MS;
    }
  }
}
