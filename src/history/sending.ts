/**
 * The limits on what one grant, and one address in an hour, may have relayed.
 *
 * A scanner sends a few messages a day; who has stolen a grant, or sits behind the same address, sends thousands.
 * Promises: an excess is news once for each grant, of the hour once in an hour; memory is bounded, and what is beyond it is
 * the address that was idle longest.  A limit that nobody has set only warns.
 * Known limit: what was counted is forgotten at a stop.
 */
import type { IpText } from '../base/address.ts';
import type { Limit, LimitAction, LimitReason } from '../grant/limits.ts';
import type { Sent } from './ledger.ts';

export interface SendingSettings {
  /** Null for any number. */
  readonly messagesPerGrant: Limit | null;
  readonly recipientsPerGrant: Limit | null;
  readonly recipientsPerHour: Limit | null;
}

export interface SendingOptions {
  readonly maxMessagesPerGrant: number | 'none' | null;
  readonly maxRecipientsPerGrant: number | 'none' | null;
  readonly maxRecipientsPerHour: number | 'none' | null;
  readonly limitAction: LimitAction;
}

/** No scanner, and hardly a person, writes to so many in an hour; who has not asked for a limit is only warned. */
const USUAL: Limit = { most: 1000, action: 'warn' };

export const sendingOf = (options: SendingOptions): SendingSettings => ({
  messagesPerGrant: limitOf(options.maxMessagesPerGrant, options.limitAction, null),
  recipientsPerGrant: limitOf(options.maxRecipientsPerGrant, options.limitAction, null),
  recipientsPerHour: limitOf(options.maxRecipientsPerHour, options.limitAction, USUAL),
});

function limitOf(
  most: number | 'none' | null,
  action: LimitAction,
  usual: Limit | null,
): Limit | null {
  if (most === null) return usual;
  return most === 'none' ? null : { most, action };
}

/** A limit that a grant is over, for the first time. */
export interface Overdone extends Limit {
  readonly reason: LimitReason;
}

const MOST_ADDRESSES = 20_000;
const MINUTES = 60;

/** What an address has sent of late, and of which excess it was told. */
interface Sender {
  /** Recipients by the minute. */
  readonly minutes: Map<number, number>;
  /** Of this grant. */
  readonly told: Set<keyof SendingSettings>;
  /** The minute from which an excess in an hour is news again. */
  newsAt: number;
}

export class SendingLimits {
  settings: SendingSettings;
  readonly #senders = new Map<IpText, Sender>();

  constructor(settings: SendingSettings) {
    this.settings = settings;
  }

  /**
   * Counts what was relayed.
   *
   * @param more with this line
   * @param sum by this grant, with it
   * @param now in Unix time
   */
  count(ip: IpText, more: Sent, sum: Sent, now: number): Overdone[] {
    const { messagesPerGrant, recipientsPerGrant, recipientsPerHour } = this.settings;
    const sender = this.#senderOf(ip);
    const minute = Math.floor(now / 60);
    const overdone: Overdone[] = [];
    const check = (
      name: 'messagesPerGrant' | 'recipientsPerGrant',
      limit: Limit | null,
      count: number,
      reason: LimitReason,
    ): void => {
      if (limit === null || count <= limit.most || sender.told.has(name)) return;
      sender.told.add(name);
      overdone.push({ ...limit, reason });
    };
    check('messagesPerGrant', messagesPerGrant, sum.messages, 'too many messages');
    check('recipientsPerGrant', recipientsPerGrant, sum.recipients, 'too many recipients');
    const lately = this.#lately(sender, minute, more.recipients);
    if (recipientsPerHour !== null && lately > recipientsPerHour.most && minute >= sender.newsAt) {
      sender.newsAt = minute + MINUTES;
      overdone.push({ ...recipientsPerHour, reason: 'too many recipients' });
    }
    return overdone;
  }

  /** A grant has ended: what the next one is over is news. */
  ended(ip: IpText): void {
    this.#senders.get(ip)?.told.clear();
  }

  #senderOf(ip: IpText): Sender {
    const sender = this.#senders.get(ip) ?? { minutes: new Map(), told: new Set(), newsAt: 0 };
    this.#senders.delete(ip);
    this.#senders.set(ip, sender);
    const [oldest] = this.#senders.size > MOST_ADDRESSES ? this.#senders.keys() : [];
    if (oldest !== undefined) this.#senders.delete(oldest);
    return sender;
  }

  /** Recipients within the hour. */
  #lately({ minutes }: Sender, minute: number, more: number): number {
    minutes.set(minute, (minutes.get(minute) ?? 0) + more);
    let sum = 0;
    for (const [at, count] of minutes) {
      if (at <= minute - MINUTES) minutes.delete(at);
      else sum += count;
    }
    return sum;
  }
}
