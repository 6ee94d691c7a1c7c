/**
 * Who had a grant when, as far back as lines of the mail server may still tell of it, and what each grant has relayed.
 *
 * The grants that there are it asks for; those that have ended it is told of, and remembers for a while: a line about a message may be
 * read later than the one about the end.
 * Promises: memory is bounded; what it keeps is of grants that have ended just now, and of those by which something was relayed.
 */
import type { IpText } from '../base/address.ts';
import type { Decision } from '../grant/decision.ts';
import { Fifo } from '../grant/fifo.ts';
import type { Grant } from '../grant/grant-table.ts';
import type { Sender } from '../mta/messages.ts';

/** Seconds for which an ended grant is remembered, and the most of them. */
const REMEMBERED = 600;
const MOST_ENDED = 50_000;
/** Seconds by which a row may outlast its grant, or the stamps of two logs differ. */
const SLACK = 1;

/** A grant that there is: whose, and since when, in Unix time. */
export interface LiveGrant extends Sender {
  readonly since: number;
}

export interface Sent {
  readonly messages: number;
  readonly recipients: number;
}

interface EndedGrant extends LiveGrant {
  readonly end: number;
}

const NOTHING: Sent = { messages: 0, recipients: 0 };

export class Ledger {
  readonly #live: (ip: IpText) => LiveGrant | null;
  readonly #told: (ip: IpText) => void;
  readonly #ended = new Map<IpText, EndedGrant>();
  /** In the order in which they ended; one that ended again stands there twice. */
  readonly #order = new Fifo<{ readonly ip: IpText; readonly ended: EndedGrant }>();
  readonly #sent = new Map<IpText, Sent>();

  /**
   * @param live the grant that an address has now
   * @param ended told of an address whose grant has ended
   */
  constructor(
    live: (ip: IpText) => LiveGrant | null,
    ended: (ip: IpText) => void = () => undefined,
  ) {
    this.#live = live;
    this.#told = ended;
  }

  /** Whose grant an address had at a time; null for nobody's. */
  at(ip: IpText, time: number): Sender | null {
    const live = this.#live(ip);
    if (live !== null && time >= Math.floor(live.since) - SLACK) return live;
    const ended = this.#ended.get(ip);
    if (ended === undefined || time > ended.end + SLACK) return null;
    return time >= Math.floor(ended.since) - SLACK ? ended : null;
  }

  /** Whether an address had a grant that has just ended. */
  knows(ip: IpText): boolean {
    return this.#ended.has(ip);
  }

  /** What the grant that an address has now has relayed. */
  sentBy(ip: IpText): Sent {
    return this.#sent.get(ip) ?? NOTHING;
  }

  /** What a grant had relayed before the start, besides what it has relayed since. */
  restore(ip: IpText, before: Sent): void {
    if (before.recipients > 0) this.#add(ip, before);
  }

  /** @returns what the grant has relayed with it; null when the address has none any more */
  count(ip: IpText, more: Sent): Sent | null {
    if (this.#live(ip) === null) return null;
    return this.#add(ip, more);
  }

  #add(ip: IpText, more: Sent): Sent {
    const before = this.sentBy(ip);
    const sent = {
      messages: before.messages + more.messages,
      recipients: before.recipients + more.recipients,
    };
    this.#sent.set(ip, sent);
    return sent;
  }

  /** @param now in Unix time */
  report(decision: Decision, now: number): void {
    switch (decision.kind) {
      case 'purged':
      case 'withdrawn':
        this.#end(decision.grant, decision.holder ?? { user: null, server: null }, now);
        return;
      case 'evicted':
      case 'revoked':
      case 'lifted':
        for (const grant of decision.grants) this.#end(grant, { user: null, server: null }, now);
        return;
      case 'login':
      case 'allowed':
      case 'kept':
      case 'logout':
      case 'limit exceeded':
      case 'in force':
      case 'identified':
      case 'probed':
      case 'order bounded':
      case 'map failed':
      case 'map recovered':
        return;
      default:
        decision satisfies never;
    }
  }

  /** Forgets what ended long ago. */
  expire(now: number): void {
    for (let { first } = this.#order; first !== undefined; { first } = this.#order) {
      if (now - first.ended.end <= REMEMBERED) return;
      this.#forgetFirst();
    }
  }

  #end({ ip, stamp }: Grant, { user, server }: Sender, now: number): void {
    this.#told(ip);
    this.#sent.delete(ip);
    const ended = { user, server, since: stamp, end: now };
    this.#ended.set(ip, ended);
    this.#order.push({ ip, ended });
    if (this.#order.size > MOST_ENDED) this.#forgetFirst();
  }

  #forgetFirst(): void {
    const { first } = this.#order;
    this.#order.drop();
    // Another grant of the same address may have ended since.
    if (first !== undefined && this.#ended.get(first.ip) === first.ended)
      this.#ended.delete(first.ip);
  }
}
