/**
 * The history as the daemon keeps it: what was decided, and what Postfix's lines say was sent by whose grant.
 *
 * Promises: nothing here delays a login: decisions are noted when they are in the map, lines of the mail server are looked at after
 * the logins that were read with them, and all is committed together, once a second.  A history that cannot be kept costs nothing else.
 * Names of users are kept as they are shown.
 */

import type { IpText } from '../base/address.ts';
import type { EpochSeconds } from '../base/clock.ts';
import type { Decision } from '../grant/decision.ts';
import type { Grant } from '../grant/grant-table.ts';
import type { Line } from '../line/prefix.ts';
import type { MailEvent } from '../mta/mail-event.ts';
import type { MailRecogniser } from '../mta/mail-recogniser.ts';
import { Messages, openMessageOf } from '../mta/messages.ts';
import { type Entry, entriesOf, entryOf, mailEntry, relayedEntry } from './entry.ts';
import type { KnownHolder } from './holders.ts';
import { Ledger, type LiveGrant, type Sent } from './ledger.ts';
import type { Recorder } from './recorder.ts';
import { Refusals } from './refusals.ts';

/** How a name of a user is kept. */
export type KeptUser = (user: string | null) => string | null;

/** Where entries go. */
export type Sink = Pick<Recorder, 'add' | 'note' | 'commit' | 'close'>;

/** What an earlier run has left in the file: messages in the queue, and who is behind the grants that there are. */
export interface Left {
  readonly messages: readonly unknown[];
  /** Where there are many they are looked up while the first lines are read; empty when that fails. */
  readonly holders: Promise<ReadonlyMap<IpText, KnownHolder>>;
}

export interface HistoryParts {
  readonly mail: MailRecogniser;
  /** Makes what takes the entries; `opened` is told what the file has. */
  readonly sink: (opened: (left: Left) => void) => Sink;
  /** The grant that an address has now. */
  readonly live: (ip: IpText) => LiveGrant | null;
  readonly kept: KeptUser;
  /** Refused recipients that are kept of an hour (refusals.ts). */
  readonly refusals: number;
  /** Whether an address had a grant lately. */
  readonly hadGrant: (ip: IpText) => boolean;
  /** Unix time. */
  readonly now: () => number;
  /** When a grant's time was over, where that is not when it is told. */
  readonly endOf?: (grant: Grant) => number;
  /** Told of an address whose grant has ended. */
  readonly ended?: (ip: IpText) => void;
  /** Told what was relayed, and what the grant that the address has now has relayed with it; null when it has none any more. */
  readonly relayed?: (relayed: {
    readonly ip: IpText;
    readonly server: string | null;
    readonly more: Sent;
    readonly sum: Sent | null;
  }) => void;
}

/** Under which the file has when the daemon was last seen alive; no id of a message begins so. */
const ALIVE = '\0alive';
/** Seconds. */
const ALIVE_EVERY = 60;

export class History {
  readonly ledger: Ledger;
  readonly #parts: HistoryParts;
  readonly #messages: Messages;
  readonly #recorder: Sink;
  readonly #refusals: Refusals;
  readonly #holders = new Map<IpText, KnownHolder>();
  /** Whose grants have ended while their holders were looked up; null when that is done. */
  #endedMeanwhile: Set<IpText> | null = new Set();
  #waiting: MailEvent[] = [];
  #isRestored = false;
  #aliveAt = 0;

  constructor(parts: HistoryParts) {
    this.#parts = parts;
    this.ledger = new Ledger(parts.live, ip => {
      this.#holders.delete(ip);
      this.#endedMeanwhile?.add(ip);
      parts.ended?.(ip);
    });
    this.#messages = new Messages((ip, time) => {
      const sender = this.ledger.at(ip, time);
      // After a crash only the history knows whose the grants are that there were.
      if (sender?.server === null) return this.#holders.get(ip) ?? sender;
      return sender && { user: parts.kept(sender.user), server: sender.server };
    });
    this.#refusals = new Refusals(parts.refusals);
    this.#recorder = parts.sink(left => this.#restore(left));
  }

  /** Takes a decision that has been carried out. */
  report(decision: Decision): void {
    const { endOf } = this.#parts;
    const isOver = decision.kind === 'purged' && endOf !== undefined;
    const now = isOver ? endOf(decision.grant) : this.#parts.now();
    this.ledger.report(decision, now);
    for (const entry of entriesOf(decision, now)) this.#add(entry);
  }

  /**
   * Keeps a line in mind until `settle`.
   *
   * @returns whether it is the mail server's
   */
  line(line: Line, time: EpochSeconds | null): boolean {
    if (line.program === null || !this.#parts.mail.knows(line.program)) return false;
    const event = this.#parts.mail.recognise(line, time);
    if (event !== null) this.#waiting.push(event);
    return true;
  }

  /** Takes the lines that wait, when the logins that were read with them have been decided. */
  settle(): void {
    const events = this.#waiting;
    if (events.length === 0) return;
    this.#waiting = [];
    for (const event of events) this.#take(event);
  }

  /** Commits what there is; never throws. */
  async commit(): Promise<void> {
    const now = this.#parts.now();
    if (now >= this.#aliveAt + ALIVE_EVERY) {
      this.#aliveAt = now;
      this.#recorder.note([[ALIVE, { alive: now }]]);
      this.ledger.expire(now);
      this.#messages.expire(now as EpochSeconds);
    }
    this.#recorder.note(this.#savedMessages());
    await this.#recorder.commit(now);
  }

  /** Begins with what an earlier run has left; never throws. */
  async start(): Promise<void> {
    this.#add(entryOf('daemon', this.#parts.now(), { what: 'started' }));
    await this.commit();
  }

  /** @param given aborted when nobody waits for it any more */
  async stop(given?: AbortSignal): Promise<void> {
    const now = this.#parts.now();
    this.#add(entryOf('daemon', now, { what: 'stopped' }));
    this.#recorder.note([...this.#savedMessages(), [ALIVE, null]]);
    await this.#recorder.close(now, given);
  }

  #restore({ messages: saved, holders }: Left): void {
    // A file that was opened anew tells of this run.
    if (this.#isRestored) return;
    this.#isRestored = true;
    void holders.then(found => this.#restoreHolders(found));
    this.#messages.restore(saved.map(openMessageOf).filter(one => one !== null));
    const alive = saved.map(aliveIn).find(time => time !== null);
    if (alive !== undefined && alive !== null)
      this.#recorder.add(entryOf('daemon', alive, { what: 'lost' }));
  }

  #restoreHolders(holders: ReadonlyMap<IpText, KnownHolder>): void {
    for (const [ip, holder] of holders) {
      if (this.#endedMeanwhile?.has(ip) === true) continue;
      this.ledger.restore(ip, holder);
      this.#holders.set(ip, holder);
    }
    this.#endedMeanwhile = null;
  }

  #take(event: MailEvent): void {
    const now = this.#parts.now();
    if (event.event === 'refused' && !this.#admits(event.ip, now)) return;
    const entry = mailEntry(event, now);
    if (entry !== null) this.#add(entry);
    const relayed = this.#messages.take(event);
    if (relayed === null) return;
    this.#recorder.add(relayedEntry(relayed));
    const { ip, server, messages, recipients } = relayed;
    const more = { messages, recipients };
    const sum = this.ledger.count(ip, more);
    this.#parts.relayed?.({ ip, server, more, sum });
  }

  #admits(ip: IpText, now: number): boolean {
    const { live, hadGrant } = this.#parts;
    const isClient = live(ip) !== null || this.ledger.knows(ip) || hadGrant(ip);
    return this.#refusals.admits(ip, isClient, now);
  }

  #add(entry: Entry): void {
    const { kept } = this.#parts;
    const user = entry.user === null ? null : kept(entry.user);
    this.#recorder.add(user === entry.user ? entry : { ...entry, user });
  }

  *#savedMessages(): Generator<readonly [string, unknown]> {
    for (const [id, message] of this.#messages.changes()) yield [id, message];
  }
}

function aliveIn(saved: unknown): number | null {
  if (typeof saved !== 'object' || saved === null || !('alive' in saved)) return null;
  return typeof saved.alive === 'number' ? saved.alive : null;
}
