/**
 * Why the engine cannot be used: what is told of it, and what stays to be asked.
 *
 * The first reason is how the connection was lost, a later one may be why it does not come back.
 * Promises: the first is told, and each other one once; not what an engine that is gone, or starts, leads to, which is no news
 * once it is told that there is no connection.  The last reason that lasts stays, whatever passes meanwhile.
 * Pure.
 */
import { errnoOf, Failure, reasonOf } from '../base/errors.ts';

export interface Reason {
  /** One word that stays the same, for programs: the engine's own, such as `WRONGPASS`, that of Node, or of a Failure. */
  readonly code: string;
  /** The engine's or the library's own words. */
  readonly text: string;
}

/** What has no word of its own: the library has lost the connection, or could not make it in time. */
const NO_CONNECTION = 'CONNECTION';
/** What passes by itself. */
const PASSING: ReadonlySet<string> = new Set([
  NO_CONNECTION,
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
  'LOADING',
  'UNBLOCKED',
]);
/** Reasons that are told while there is no connection: texts may differ without end. */
const MOST_REASONS = 8;

/** Codes of Node stand beside the error; an engine's answer begins with its word in capitals (RESP, "Simple errors"). */
export function reasonFor(error: unknown): Reason {
  const text = reasonOf(error);
  if (error instanceof Failure) return { code: error.code, text };
  const code = errnoOf(error) ?? /^(?!ERR\b)[A-Z]{2,}(?= )/.exec(text)?.[0];
  return { code: code ?? (/^ERR /.test(text) ? 'ERR' : NO_CONNECTION), text };
}

const lasts = ({ code }: Reason): boolean => !PASSING.has(code);

/** Of several errors that which says most; the last of those that say as much. */
export const gravest = (errors: readonly unknown[]): unknown =>
  errors.findLast(error => lasts(reasonFor(error))) ?? errors.at(-1);

export class Outage {
  readonly #told = new Set<string>();
  #reason: Reason | null = null;

  /** Null while there is none. */
  get reason(): Reason | null {
    return this.#reason;
  }

  /** @returns what is to be told; null for nothing */
  add(error: unknown): Reason | null {
    const reason = reasonFor(error);
    const isFirst = this.#reason === null;
    if (this.#reason === null || lasts(reason) || !lasts(this.#reason)) this.#reason = reason;
    const isNews = isFirst || (lasts(reason) && !this.#told.has(reason.text));
    if (!isNews || this.#told.size >= MOST_REASONS) return null;
    this.#told.add(reason.text);
    return reason;
  }

  end(): void {
    this.#told.clear();
    this.#reason = null;
  }
}
