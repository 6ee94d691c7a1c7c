/**
 * Format 2 of an entry: several logins in one, which costs the engine, the network and each subscriber a fraction of what as many
 * entries cost.
 *
 * The field `logins` has a line for each: `login 1700000000 192.0.2.1 yes dovecot anna@example.org`, which are kind, time, address,
 * whether it was encrypted (`-` when that is not known), server and user; without a user it ends before him.
 * Promises: `unpack` takes entries of either format; each login is checked as one of format 1 is, and one that is refused leaves the
 * others of its entry alone.  What cannot be written in this way (`isPackable`) is written in format 1.
 */

import {
  decode,
  type Entry,
  type Fields,
  type PresenceEntry,
  presenceOf,
  type Received,
  type Sender,
  senderIn,
  senderText,
  tlsText,
} from './entry.ts';

const VERSION = '2';

/** More logins in one entry save nothing worth having. */
export const MOST_LOGINS = 50;

/** Which format is written; whatever it is, both are read. */
export type Format = 1 | 2;

/** What an entry holds, and why some of it is refused. */
export interface Unpacked {
  readonly received: readonly Received[];
  readonly refused: readonly string[];
}

export const isPackable = (entry: Entry): entry is PresenceEntry =>
  (entry.kind === 'login' || entry.kind === 'session') && entry.user?.includes('\n') !== true;

/** @param entries at most MOST_LOGINS */
export const pack = (entries: readonly PresenceEntry[], sender: Sender): Fields => [
  ...['v', VERSION, 'from', senderText(sender)],
  ...['logins', entries.map(line).join('\n')],
];

function line({ kind, time, ip, tls, server, user }: PresenceEntry): string {
  const start = `${kind} ${time} ${ip} ${tlsText(tls) || '-'} ${server}`;
  return user === null || user === '' ? start : `${start} ${user}`;
}

/** Of an entry of either format. */
export function unpack(flat: readonly unknown[]): Unpacked {
  if (flat[0] === 'v' && flat[1] === VERSION) return unpacked(flat);
  const received = decode(flat);
  return typeof received === 'string'
    ? { received: [], refused: [received] }
    : { received: [received], refused: [] };
}

const refusal = (reason: string): Unpacked => ({ received: [], refused: [reason] });

function unpacked(flat: readonly unknown[]): Unpacked {
  const [, , fromName, from, name, text] = flat;
  if (flat.length !== 6 || fromName !== 'from' || name !== 'logins')
    return refusal('not the fields of format 2');
  const sender = typeof from === 'string' ? senderIn(from) : null;
  if (sender === null) return refusal('no sender');
  const lines = typeof text === 'string' ? text.split('\n', MOST_LOGINS + 1) : [];
  if (lines.length > MOST_LOGINS) return refusal('too many logins');
  const received: Received[] = [];
  const refused: string[] = [];
  for (const one of lines) {
    const entry = presenceIn(one);
    if (typeof entry === 'string') refused.push(entry);
    // Spelt out, here and where each login passes: from a spread V8 makes objects that take a hundred times as long.
    else received.push({ from: sender.from, instance: sender.instance, entry });
  }
  return { received, refused };
}

const LINE = /^(login|session) (\d+) (\S+) (yes|no|-) (\S+)(?: (.+))?$/s;

function presenceIn(text: string): PresenceEntry | string {
  const [, kind, time = '', ip = '', tls = '', server = '', user = ''] = LINE.exec(text) ?? [];
  if (kind !== 'login' && kind !== 'session') return 'not a login';
  return presenceOf(kind, { ip, time, server, user, tls: tls === '-' ? '' : tls });
}
