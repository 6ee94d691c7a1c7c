/**
 * Appends what waits to the streams: logins of one moment together, as far as the format allows, and trims on the way.
 *
 * Promises: order is kept; what the engine has acknowledged is settled, and nothing else.  The streams are trimmed: grants by time and
 * by number, by turns, as XADD takes only one limit; orders by number.  An engine that takes nothing more, since its memory
 * is full, is rid of what nobody needs any more, and asked again if that has helped.
 */
import type { Clock } from '../base/clock.ts';
import { reasonOf } from '../base/errors.ts';
import { MAX_ORDERS } from '../grant/orders.ts';
import type { Connection, Trim } from './connection.ts';
import { type Entry, encode, type Fields, type Sender } from './entry.ts';
import type { Waiting } from './outbox.ts';
import { type Format, isPackable, MOST_LOGINS, pack } from './pack.ts';
import { SLACK_SECONDS, type StreamName } from './position.ts';
import type { Skew } from './skew.ts';

/** Entries of the stream of grants: what an engine is asked to hold at most, whatever happens. */
const MAX_GRANTS_STREAM = 10_000_000;
/** Each so many batches the number is limited instead of the age. */
const NUMBER_EACH = 64;
/** How often an engine is asked to trim in a row; each time it takes away some 10,000 entries at most. */
const MOST_TRIMS = 1000;

export interface AppenderParts {
  readonly sender: Sender;
  readonly format: Format;
  readonly clock: Clock;
  readonly skew: Skew;
  /** The longest grace period now, in seconds. */
  grace(): number;
}

/** What is appended at once. */
interface Appendix {
  readonly stream: StreamName;
  readonly fields: Fields;
  readonly waiting: readonly Waiting<Entry>[];
}

/** Where it is appended. */
export const streamOf = ({ kind }: Entry): StreamName => (kind === 'order' ? 'orders' : 'grants');

export class Appender {
  readonly #parts: AppenderParts;
  #batches = 0;

  constructor(parts: AppenderParts) {
    this.#parts = parts;
  }

  /**
   * @param settle told what the engine has
   * @returns the streams that were not there, and have been made
   * @throws what the connection throws, when all answers are there
   */
  async append(
    batch: readonly Waiting<Entry>[],
    connection: Connection,
    settle: (waiting: Waiting<Entry>) => void,
  ): Promise<readonly StreamName[]> {
    this.#batches++;
    const trims: Record<StreamName, Trim> = {
      grants: this.#batches % NUMBER_EACH === 0 ? ['MAXLEN', MAX_GRANTS_STREAM] : this.#oldest(),
      orders: ['MAXLEN', MAX_ORDERS],
    };
    const missing: StreamName[] = [];
    const sent = this.#appendices(batch).map(async ({ stream, fields, waiting }) => {
      const trim = trims[stream];
      trims[stream] = null;
      const wasThere = await connection.append(stream, fields, trim);
      if (!wasThere) missing.push(stream);
      for (const one of waiting) settle(one);
    });
    const answers = await Promise.allSettled(sent);
    const failed = answers.find(({ status }) => status === 'rejected');
    // What was refused stays, and is sent again.
    if (failed?.status === 'rejected') await this.#makeRoom(failed.reason, connection);
    return missing;
  }

  /** Does what a full engine refuses once more when there is room again. */
  async withRoom<T>(connection: Connection, step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      await this.#makeRoom(error, connection);
      return step();
    }
  }

  *#runs(batch: readonly Waiting<Entry>[]): Generator<readonly Waiting<Entry>[]> {
    let run: Waiting<Entry>[] = [];
    for (const waiting of batch) {
      const isPacked = this.#parts.format === 2 && isPackable(waiting.value);
      if (!isPacked || run.length === MOST_LOGINS) {
        if (run.length > 0) yield run;
        run = [];
      }
      if (isPacked) run.push(waiting);
      else yield [waiting];
    }
    if (run.length > 0) yield run;
  }

  #appendices(batch: readonly Waiting<Entry>[]): readonly Appendix[] {
    const { sender, format } = this.#parts;
    return [...this.#runs(batch)].flatMap(waiting => {
      const entries = waiting.map(({ value }) => value);
      const [first] = entries;
      if (first === undefined) return [];
      const logins = format === 2 ? entries.filter(isPackable) : [];
      const fields = logins.length > 0 ? pack(logins, sender) : encode(first, sender);
      return [{ stream: streamOf(first), fields, waiting }];
    });
  }

  #oldest(): NonNullable<Trim> {
    const { clock, skew, grace } = this.#parts;
    const oldest = clock.now().wall + (skew.offset ?? 0) - grace() - SLACK_SECONDS;
    return ['MINID', String(Math.max(0, Math.floor(oldest * 1000)))];
  }

  /** @throws the error, unless it was for want of memory, and there is more now */
  async #makeRoom(error: unknown, connection: Connection): Promise<void> {
    if (!/^OOM /.test(reasonOf(error))) throw error;
    let removed = 0;
    try {
      for (let count = 0; count < MOST_TRIMS; count++) {
        const some = await connection.trim('grants', this.#oldest());
        if (some === 0) break;
        removed += some;
      }
    } catch {
      // The account may not do that, as those of earlier versions: what there is to be told is that there is no room.
      throw error;
    }
    if (removed === 0) throw error;
  }
}
