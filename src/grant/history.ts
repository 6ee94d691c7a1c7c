/**
 * What happened last to addresses: how the grant ended, and why a login was ignored; so that "why could X not send" has an answer.
 *
 * Fed by the decisions.  Promises: bounded: of more addresses those that were not heard of for longest are forgotten, half of
 * them at once (generations.ts); a step costs two look-ups.  Names are copies (base/text.ts).
 * Known limit: it is forgotten at a stop.
 */
import type { IpText } from '../base/address.ts';
import { type AddressKey, keyOf } from '../base/address-key.ts';
import type { EpochSeconds } from '../base/clock.ts';
import { ownCopy } from '../base/text.ts';
import type { Decision, IgnoreReason } from './decision.ts';
import { Generations } from './generations.ts';

/** Addresses; some 5 MB. */
const MAX_ADDRESSES = 20_000;

/** Latest grants that are remembered: more than a terminal has lines. */
const LATEST = 200;

/** How the last grant of an address ended, in wall time. */
export interface Ending {
  readonly time: EpochSeconds;
  readonly how: 'purged' | 'withdrawn' | 'evicted' | 'revoked' | 'lifted';
  /** Why it was withdrawn; null for any other end. */
  readonly reason: string | null;
  readonly user: string | null;
}

/** The last login of an address that came to nothing, in wall time. */
export interface Ignored {
  readonly time: EpochSeconds;
  readonly reason: IgnoreReason;
  readonly user: string | null;
}

export interface Past {
  readonly end: Ending | null;
  readonly ignored: Ignored | null;
}

const NOTHING: Past = { end: null, ignored: null };

export class History {
  readonly #past: Generations<AddressKey, Past>;
  /** The addresses of the latest logins that were granted, in a circle. */
  readonly #latest: (IpText | undefined)[] = Array.from({ length: LATEST });
  #next = 0;

  constructor(capacity: number = MAX_ADDRESSES) {
    this.#past = new Generations(capacity);
  }

  of(ip: IpText): Past {
    return this.#past.get(keyOf(ip)) ?? NOTHING;
  }

  /** @param now asked only where it matters: a look at the clock for each login would cost more than all this */
  report(decision: Decision, now: () => EpochSeconds): void {
    switch (decision.kind) {
      case 'login': {
        const { login, outcome } = decision;
        if (outcome.kind !== 'ignored') {
          this.#granted(login.ip);
          return;
        }
        const user = copyOf(login.user);
        this.#note(login.ip, { ignored: { time: now(), reason: outcome.reason, user } });
        return;
      }
      case 'purged':
      case 'withdrawn': {
        const { kind: how, grant, holder } = decision;
        const reason = decision.kind === 'withdrawn' ? decision.reason : null;
        const user = copyOf(holder?.user ?? null);
        this.#note(grant.ip, { end: { time: now(), how, reason, user } });
        return;
      }
      case 'evicted':
      case 'revoked':
      case 'lifted':
        for (const { ip } of decision.grants)
          this.#note(ip, { end: { time: now(), how: decision.kind, reason: null, user: null } });
        return;
      case 'allowed':
        this.#granted(decision.order.subject.ip);
        return;
      case 'logout':
      case 'kept':
      case 'limit exceeded':
      case 'in force':
      case 'identified':
      case 'probed':
      case 'order bounded':
      case 'map failed':
      case 'map recovered':
        return;
      default:
        // A new kind has to say here what it means for an address.
        decision satisfies never;
    }
  }

  /** Whose grants were made or refreshed last, the latest first, each once. */
  latest(): IpText[] {
    const circle = this.#latest.map(
      (_, at) => this.#latest[(this.#next - 1 - at + 2 * LATEST) % LATEST],
    );
    return [...new Set(circle.filter(ip => ip !== undefined))];
  }

  #granted(ip: IpText): void {
    this.#latest[this.#next] = ip;
    this.#next = (this.#next + 1) % LATEST;
  }

  #note(ip: IpText, news: Partial<Past>): void {
    this.#past.set(keyOf(ip), { ...this.of(ip), ...news });
  }
}

const copyOf = (user: string | null): string | null => (user === null ? null : ownCopy(user));
