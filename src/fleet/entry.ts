/**
 * What hosts tell each other, as entries of a stream: a list of fields, each a name and a text; in format 1, one thing
 * in an entry (pack.ts has format 2, several logins in one).
 *
 * Promises: `decode` takes whatever somebody has written and gives an entry or why it is refused: addresses are
 * canonical, times are digits within bounds, names have nothing that a terminal would obey, kinds and fields are those
 * of this version and no others.
 * Leaves to others: what an entry is worth here (the subscriber's own rules, pipeline.ts).
 */
import { canonicalIp, type IpText } from '../base/address.ts';
import { type EpochSeconds, epoch } from '../base/clock.ts';
import { masked } from '../base/excerpt.ts';
import { LIMIT_REASONS, type LimitReason } from '../grant/limits.ts';
import type { Given, Subject } from '../grant/order.ts';
import { MAX_SECONDS } from '../grant/order.ts';
import { MAX_LINE } from '../line/length.ts';
import { hashOf } from '../line/sampling.ts';

/** Entries of another version are refused, and of another kind: what this one does not know cannot be checked. */
const VERSION = '1';

/**
 * An address that logged in (`login`), or whose session was still open (`session`), at a time; with what a
 * subscriber's policy asks for.
 */
export interface PresenceEntry {
  readonly kind: 'login' | 'session';
  readonly ip: IpText;
  /** In whole seconds of the publisher's log. */
  readonly time: EpochSeconds;
  readonly server: string;
  /** Null when it is not known, here and below. */
  readonly user: string | null;
  readonly tls: boolean | null;
}

/** The publisher's limits have ended a grant, whose latest login was at that time. */
export interface WithdrawalEntry {
  readonly kind: 'withdrawn';
  readonly ip: IpText;
  readonly time: EpochSeconds;
  readonly reason: LimitReason;
}

export interface OrderEntry {
  readonly kind: 'order';
  readonly order: Given;
}

export type Entry = PresenceEntry | WithdrawalEntry | OrderEntry;

/** An entry with the host that wrote it. */
export interface Received {
  /** The host's name. */
  readonly from: string;
  /** Another text for each start of a publisher, so that two hosts of one name are told apart. */
  readonly instance: string;
  readonly entry: Entry;
}

/** Names and values by turns, as XADD takes them. */
export type Fields = readonly string[];

export interface Sender {
  readonly name: string;
  readonly instance: string;
}

/** How it is written whether a login was encrypted. */
const TLS = new Map<string, boolean | null>([
  ['yes', true],
  ['no', false],
  ['', null],
]);

/** What says the same has the same. */
export function keyOf(entry: Entry): string {
  switch (entry.kind) {
    case 'login':
    case 'session':
      return `${entry.kind} ${entry.ip} ${entry.time} ${entry.server} ${entry.tls} ${entry.user}`;
    case 'withdrawn':
      return `${entry.kind} ${entry.ip} ${entry.time} ${entry.reason}`;
    case 'order': {
      const { kind, subject, made, until } = entry.order;
      return `${kind} ${made} ${until} ${subjectFields(subject).join(' ')}`;
    }
  }
}

/** Two logins with another number are by another user, at another server, or encrypted otherwise. */
export const whoOf = ({ server, user, tls }: PresenceEntry): number =>
  hashOf(`${server} ${tls} ${user}`);

export function encode(entry: Entry, sender: Sender): Fields {
  const fields = ['v', VERSION, 'from', senderText(sender)];
  switch (entry.kind) {
    case 'login':
    case 'session': {
      const { kind, ip, time, server, user, tls } = entry;
      fields.push('kind', kind, 'ip', ip, 'time', String(time), 'server', server);
      fields.push('user', user ?? '', 'tls', tlsText(tls));
      return fields;
    }
    case 'withdrawn': {
      const { kind, ip, time, reason } = entry;
      fields.push('kind', kind, 'ip', ip, 'time', String(time), 'reason', reason);
      return fields;
    }
    case 'order': {
      const { kind, subject, made, until } = entry.order;
      fields.push('kind', kind, ...subjectFields(subject));
      fields.push('made', milliseconds(made), 'until', milliseconds(until));
      return fields;
    }
  }
}

export const tlsText = (tls: boolean | null): string => (tls === null ? '' : tls ? 'yes' : 'no');

const subjectFields = (subject: Subject): Fields =>
  subject.kind === 'address' ? ['ip', subject.ip] : ['user', subject.user];

const milliseconds = (time: EpochSeconds): string => String(Math.round(time * 1000));

/** No kind has as many fields. */
const MOST_FIELDS = 16;
const FROM = /^([\w.-]{1,64})\/([\da-f]{8})$/;

/** The field `from`; null when it names no host. */
export function senderIn(text: string): Omit<Received, 'entry'> | null {
  const [, from, instance] = FROM.exec(text) ?? [];
  return from === undefined || instance === undefined ? null : { from, instance };
}

export const senderText = ({ name, instance }: Sender): string => `${name}/${instance}`;

const KINDS: Readonly<Record<string, (fields: FieldReader) => Entry | string>> = {
  login: fields => presenceIn('login', fields),
  session: fields => presenceIn('session', fields),
  withdrawn: withdrawalIn,
  allow: allowanceIn,
  revoke: fields => aboutAnybody('revoke', fields),
  lift: fields => aboutAnybody('lift', fields),
};

/** @returns what was received, or why it is refused */
export function decode(flat: readonly unknown[]): Received | string {
  const fields = FieldReader.of(flat);
  if (fields === null) return 'not a list of fields';
  if (fields.take('v') !== VERSION) return 'another version';
  const sender = senderIn(fields.take('from'));
  if (sender === null) return 'no sender';
  const kind = fields.take('kind');
  const read = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (read === undefined) return 'no such kind';
  const entry = read(fields);
  if (typeof entry === 'string') return entry;
  return fields.isEmpty ? { ...sender, entry } : 'a field too many';
}

/** The fields that have not been taken yet. */
class FieldReader {
  readonly #texts: Map<string, string>;

  private constructor(texts: Map<string, string>) {
    this.#texts = texts;
  }

  /** Null unless they are pairs of texts, no name twice. */
  static of(flat: readonly unknown[]): FieldReader | null {
    if (flat.length % 2 !== 0 || flat.length > 2 * MOST_FIELDS) return null;
    const texts = new Map<string, string>();
    for (let at = 0; at < flat.length; at += 2) {
      const [name, value] = [flat[at], flat[at + 1]];
      if (typeof name !== 'string' || typeof value !== 'string' || texts.has(name)) return null;
      texts.set(name, value);
    }
    return new FieldReader(texts);
  }

  get isEmpty(): boolean {
    return this.#texts.size === 0;
  }

  has(name: string): boolean {
    return this.#texts.has(name);
  }

  /** The text of a field; empty when there is none. */
  take(name: string): string {
    const text = this.#texts.get(name) ?? '';
    this.#texts.delete(name);
    return text;
  }
}

/** What the names of pattern files are; it is logged as it is, so no blanks and nothing that commands a terminal. */
const SERVER = /^[!-~]{1,255}$/;

function presenceIn(kind: PresenceEntry['kind'], fields: FieldReader): Entry | string {
  return presenceOf(kind, {
    ip: fields.take('ip'),
    time: fields.take('time'),
    server: fields.take('server'),
    user: fields.take('user'),
    tls: fields.take('tls'),
  });
}

/** @returns what is told, or why it is refused */
export function presenceOf(
  kind: PresenceEntry['kind'],
  texts: Readonly<Record<'ip' | 'time' | 'server' | 'user' | 'tls', string>>,
): PresenceEntry | string {
  const { server, user } = texts;
  const ip = canonicalOnly(texts.ip);
  const time = secondsOf(texts.time);
  const tls = TLS.get(texts.tls);
  if (ip === null) return 'no canonical address';
  if (time === null) return 'no time';
  if (!SERVER.test(server)) return 'no server';
  if (user.length > MAX_LINE) return 'a user of too many characters';
  if (tls === undefined) return 'neither encrypted nor not';
  return { kind, ip, time, server, user: user === '' ? null : masked(user), tls };
}

function withdrawalIn(fields: FieldReader): Entry | string {
  const ip = ipIn(fields);
  const time = secondsIn(fields);
  const text = fields.take('reason');
  const reason = LIMIT_REASONS.find(known => known === text);
  if (ip === null) return 'no canonical address';
  if (time === null) return 'no time';
  return reason === undefined ? 'no such reason' : { kind: 'withdrawn', ip, time, reason };
}

function allowanceIn(fields: FieldReader): Entry | string {
  const ip = ipIn(fields);
  const span = spanIn(fields);
  if (ip === null) return 'no canonical address';
  if (span === null) return 'no span of time';
  return { kind: 'order', order: { kind: 'allow', subject: { kind: 'address', ip }, ...span } };
}

function aboutAnybody(kind: 'revoke' | 'lift', fields: FieldReader): Entry | string {
  const subject = subjectIn(fields);
  const span = spanIn(fields);
  if (subject === null) return 'neither an address nor a user';
  if (span === null) return 'no span of time';
  return { kind: 'order', order: { kind, subject, ...span } };
}

function subjectIn(fields: FieldReader): Subject | null {
  if (fields.has('ip')) {
    const ip = ipIn(fields);
    return ip === null ? null : { kind: 'address', ip };
  }
  const user = fields.take('user');
  return user === '' || user.length > MAX_LINE ? null : { kind: 'user', user: masked(user) };
}

const ipIn = (fields: FieldReader): IpText | null => canonicalOnly(fields.take('ip'));

function canonicalOnly(text: string): IpText | null {
  const ip = canonicalIp(text);
  return ip === text ? ip : null;
}

const secondsIn = (fields: FieldReader): EpochSeconds | null => secondsOf(fields.take('time'));

/** Until the year 2286. */
const secondsOf = (text: string): EpochSeconds | null =>
  /^\d{1,10}$/.test(text) ? epoch(Number(text)) : null;

function spanIn(fields: FieldReader): Pick<Given, 'made' | 'until'> | null {
  const texts = [fields.take('made'), fields.take('until')];
  if (!texts.every(text => /^\d{1,14}$/.test(text))) return null;
  // Compared as the whole numbers that they are: seconds with a fraction differ by a little more or less.
  const [made = 0, until = 0] = texts.map(Number);
  if (until < made || until - made > MAX_SECONDS * 1000) return null;
  return { made: epoch(made / 1000), until: epoch(until / 1000) };
}
