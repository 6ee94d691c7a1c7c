/**
 * Which messages were relayed by a grant: Postfix's lines, joined by the ids of its queue.
 *
 * A message counts when the client that handed it in had a grant at that moment and did not authenticate, and an agent that
 * takes mail away has taken a recipient.  Recipients are counted once, however often they are tried; whose they are is kept as
 * a digest, and only while the message is in the queue.
 * Pure: lines go in, what is new comes out.  Promises: nothing that a stranger writes says whose a message is; an id that is given to another
 * client, as short ones are once more, is that client's from then on; memory is bounded, and beyond that the oldest messages are
 * forgotten; what is open can be saved and taken up again.
 * Known limit: what error(8) takes, for a destination that is not reached now, counts where the last try for its domain went.
 */
import { hash } from 'node:crypto';
import type { IpText } from '../base/address.ts';
import { type EpochSeconds, epoch } from '../base/clock.ts';
import type { MailEvent, Where } from './mail-event.ts';

/** Whose grant a client has. */
export interface Sender {
  readonly user: string | null;
  readonly server: string | null;
}

/** What is new about a message that a grant has relayed. */
export interface Relayed extends Sender {
  readonly message: string;
  readonly ip: IpText;
  /** When it was handed in. */
  readonly time: EpochSeconds;
  /** 1 for the first that is told of a message, then 0. */
  readonly messages: 0 | 1;
  readonly recipients: number;
  /** Of the message, with the first; 0 when it is not known. */
  readonly bytes: number;
}

/** A message in the queue, as plain JSON. */
export interface OpenMessage extends Sender {
  /** Its ids: the first, and those under which it came again. */
  ids: string[];
  readonly ip: IpText;
  readonly time: EpochSeconds;
  bytes: number;
  /** The most recipients that it can have; null before it was in the queue. */
  most: number | null;
  /** Digests of the recipients that were taken away. */
  readonly taken: string[];
}

/** Messages in the queue; some 40 MB. */
const MAX_OPEN = 100_000;
const MAX_DOMAINS = 10_000;
/** Seconds for which a message may be in no queue, and in one: twice Postfix's own longest (maximal_queue_lifetime). */
const UNQUEUED = 3600;
const LONGEST = 10 * 86_400;

export class Messages {
  readonly #senderOf: (ip: IpText, time: EpochSeconds) => Sender | null;
  readonly #open = new Map<string, OpenMessage>();
  readonly #capacity: number;
  /** Where mail for a domain was to go that could not go there; by digests. */
  readonly #domains = new Map<string, Where>();
  /** The first ids of messages that have changed. */
  readonly #changed = new Set<string>();

  /** @param senderOf who had a grant then; null for nobody */
  constructor(
    senderOf: (ip: IpText, time: EpochSeconds) => Sender | null,
    capacity: number = MAX_OPEN,
  ) {
    this.#senderOf = senderOf;
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#open.size;
  }

  /** @returns what is new about a message that counts, else null */
  take(event: MailEvent): Relayed | null {
    switch (event.event) {
      case 'accepted':
        this.#accept(event);
        return null;
      case 'again':
        this.#again(event);
        return null;
      case 'queued': {
        const message = this.#open.get(event.message);
        if (message === undefined || message.most !== null) return null;
        message.most = event.recipients;
        message.bytes = event.size;
        this.#changed.add(firstOf(message));
        return null;
      }
      case 'delivered':
        return this.#deliver(event);
      case 'removed':
        this.#remove(event.message);
        return null;
      case 'authenticated':
        this.#remove(event.message);
        return null;
      case 'refused':
        return null;
    }
  }

  /** Forgets what can be in no queue any more. */
  expire(now: EpochSeconds): void {
    for (const message of new Set(this.#open.values())) {
      const age = now - message.time;
      if (age > LONGEST || (message.most === null && age > UNQUEUED)) this.#forget(message);
    }
  }

  /** What has changed since this was asked for last, by the first ids; null for what is open no more. */
  changes(): ReadonlyMap<string, OpenMessage | null> {
    const changes = new Map<string, OpenMessage | null>();
    for (const id of this.#changed) changes.set(id, this.#open.get(id) ?? null);
    this.#changed.clear();
    return changes;
  }

  restore(messages: Iterable<OpenMessage>): void {
    for (const message of messages)
      for (const id of message.ids) if (!this.#open.has(id)) this.#open.set(id, message);
  }

  #accept({ message: id, ip, time }: Extract<MailEvent, { event: 'accepted' }>): void {
    const before = this.#open.get(id);
    // A line that is read again after a crash.
    if (before !== undefined && before.ip === ip && before.time === time) return;
    this.#remove(id);
    if (time === null) return;
    const sender = this.#senderOf(ip, time);
    if (sender === null) return;
    const { user, server } = sender;
    const oldest = this.#open.size < this.#capacity ? undefined : this.#open.values().next().value;
    if (oldest !== undefined) this.#forget(oldest);
    this.#open.set(id, { ids: [id], ip, user, server, time, bytes: 0, most: null, taken: [] });
    this.#changed.add(id);
  }

  #again({ message: id, origin }: Extract<MailEvent, { event: 'again' }>): void {
    const message = this.#open.get(origin);
    if (message !== undefined && message === this.#open.get(id)) return;
    this.#remove(id);
    if (message === undefined) return;
    message.ids.push(id);
    this.#open.set(id, message);
    this.#changed.add(firstOf(message));
  }

  #deliver(event: Extract<MailEvent, { event: 'delivered' }>): Relayed | null {
    const { recipient: text, where: told } = event;
    if (told !== 'unknown' && text.includes('status=deferred')) this.#learn(text, told);
    const message = this.#open.get(event.message);
    if (message === undefined) return null;
    const where = told === 'unknown' ? this.#domains.get(domainOf(text)) : told;
    if (where !== 'elsewhere') return null;
    const { taken, most, ip, user, server, time, bytes } = message;
    const digest = digestOf(recipientOf(text));
    if (taken.includes(digest) || taken.length >= (most ?? Number.POSITIVE_INFINITY)) return null;
    taken.push(digest);
    this.#changed.add(firstOf(message));
    const isFirst = taken.length === 1;
    return {
      message: firstOf(message),
      ...{ ip, user, server, time },
      messages: isFirst ? 1 : 0,
      recipients: 1,
      bytes: isFirst ? bytes : 0,
    };
  }

  #learn(text: string, where: Where): void {
    const domain = domainOf(text);
    this.#domains.delete(domain);
    this.#domains.set(domain, where);
    if (this.#domains.size <= MAX_DOMAINS) return;
    for (const oldest of this.#domains.keys()) {
      this.#domains.delete(oldest);
      return;
    }
  }

  /** A message is out of the queue when it is under all of its ids. */
  #remove(id: string): void {
    const message = this.#open.get(id);
    if (message === undefined) return;
    this.#open.delete(id);
    const rest = message.ids.filter(one => one !== id);
    this.#changed.add(id);
    message.ids = rest;
    if (rest.length > 0) this.#changed.add(firstOf(message));
  }

  #forget(message: OpenMessage): void {
    for (const id of message.ids) this.#open.delete(id);
    this.#changed.add(firstOf(message));
  }
}

const firstOf = ({ ids }: OpenMessage): string => ids[0] ?? '';

/** As it was saved; null for what is of another sort. */
export function openMessageOf(saved: unknown): OpenMessage | null {
  if (typeof saved !== 'object' || saved === null) return null;
  const fields: Readonly<Record<string, unknown>> = { ...saved };
  const { ids, ip, user = null, server = null, time, bytes, most = null, taken } = fields;
  if (!isTexts(ids) || ids.length === 0 || !isTexts(taken) || typeof ip !== 'string') return null;
  if (typeof time !== 'number' || typeof bytes !== 'number') return null;
  if (most !== null && typeof most !== 'number') return null;
  if (!isTextOrNull(user) || !isTextOrNull(server)) return null;
  return { ids, ip: ip as IpText, user, server, time: epoch(time), bytes, most, taken };
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every(item => typeof item === 'string');
const isTextOrNull = (value: unknown): value is string | null =>
  value === null || typeof value === 'string';

/** Postfix's own words follow the last: whoever has another in his address is counted more than once at worst. */
function recipientOf(text: string): string {
  const end = text.lastIndexOf('>, relay=');
  return end < 0 ? text : text.slice(0, end);
}

function domainOf(text: string): string {
  const address = text.slice(0, Math.max(text.indexOf('>'), 0));
  return digestOf(address.slice(address.lastIndexOf('@') + 1).toLowerCase());
}

/** 60 bits of a digest. */
const digestOf = (text: string): string => hash('sha256', text, 'base64url').slice(0, 10);
