/**
 * An engine in memory, as far as publishers and subscribers see it: two streams, a clock, and connections that end.
 */
import { epoch } from '../../src/base/clock.ts';
import type { Connection, StreamEntry, Trim } from '../../src/fleet/connection.ts';
import type { Fields } from '../../src/fleet/entry.ts';
import type { History } from '../../src/fleet/history.ts';
import type { StreamName } from '../../src/fleet/position.ts';

const FULL = "OOM command not allowed when used memory > 'maxmemory'.";

interface Appended {
  readonly stream: StreamName;
  readonly fields: Fields;
  readonly trim: Trim;
}

export class FakeEngine {
  /** Seconds. */
  now: number;
  run = 'first';
  clients = 1;
  isReplica = false;
  history: History = { name: 'one', offset: 0, former: null };
  /** Entries that are taken until the connection is lost. */
  takes = Number.POSITIVE_INFINITY;
  /** Whether nothing is taken while there is anything that nobody needs. */
  isFull = false;
  isLossSigned = false;
  /** Entries that nobody needs. */
  old = 0;
  readonly trimmed: (readonly [StreamName, Trim])[] = [];
  readonly appended: Appended[] = [];
  readonly streams: Record<StreamName, StreamEntry[]> = { orders: [], grants: [] };
  /** How far each read went, as it was asked. */
  readonly asked: { readonly orders: string; readonly grants: string }[] = [];
  #number = 0;

  constructor(now: number) {
    this.now = now;
  }

  add(stream: StreamName, fields: readonly unknown[]): string {
    this.#number++;
    const id = `${Math.floor(this.now * 1000)}-${this.#number}`;
    this.streams[stream].push({ id, fields });
    return id;
  }

  connection(): Connection {
    return {
      where: 'redis://engine:6379/0',
      isReplica: this.isReplica,
      condition: async () => ({
        upstream: this.isReplica ? { isUp: true, silence: 0 } : null,
        memory: { used: 0, most: null, policy: 'noeviction' },
      }),
      run: this.run,
      history: async () => this.history,
      clients: async () => this.clients,
      time: async () => epoch(this.now),
      tryAppend: async () => {
        if (this.isFull && this.old > 0) throw new Error(FULL);
      },
      signLoss: async () => {
        this.isLossSigned = true;
      },
      isLossSigned: async () => this.isLossSigned,
      exists: async stream => this.streams[stream].length > 0,
      trim: async (stream, trim) => {
        this.trimmed.push([stream, trim]);
        const removed = Math.min(this.old, 10_000);
        this.old -= removed;
        return removed;
      },
      append: async (stream, fields, trim) => {
        if (this.takes <= 0) throw new Error('gone');
        if (this.isFull && this.old > 0) throw new Error(FULL);
        this.takes--;
        const isThere = this.streams[stream].length > 0;
        this.appended.push({ stream, fields, trim });
        this.add(stream, fields);
        return isThere;
      },
      read: async (position, count, blockMs) => {
        this.asked.push({ orders: position.orders, grants: position.grants });
        const behind = (stream: StreamName): StreamEntry[] =>
          this.streams[stream].filter(({ id }) => isLater(id, position[stream])).slice(0, count);
        const found = { orders: behind('orders'), grants: behind('grants') };
        // Nobody writes any more: whoever would wait is told that the connection is lost.
        if (blockMs > 0 && found.orders.length + found.grants.length === 0) throw new Error('gone');
        return found;
      },
      close: () => undefined,
    };
  }
}

function isLater(id: string, than: string): boolean {
  const [ms = 0, number = 0] = id.split('-').map(Number);
  const [thanMs = 0, thanNumber = 0] = than.split('-').map(Number);
  return ms > thanMs || (ms === thanMs && number > thanNumber);
}
