/**
 * What the daemon keeps beside its core for whoever asks: counters, the roster, the orders by hand, and their files.
 *
 * Promises: orders that cannot be read stop the start, since they may refuse somebody; a roster that cannot be read
 * costs only names.  The roster is written at a stop and taken away at the next start, so that after a crash none is
 * believed that is older than its map.
 */
import type { IpText } from '../base/address.ts';
import type { Clock } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import { Counters } from '../control/counters.ts';
import type { Grace } from '../grant/grace.ts';
import { Orders } from '../grant/orders.ts';
import { Roster } from '../grant/roster.ts';
import type { MapSpec } from '../map/map.ts';
import { StateFile } from '../state/state-file.ts';
import type { Output } from './output.ts';

export const ordersFile = ({ path }: MapSpec): StateFile => new StateFile(`${path}.orders`);
export const rosterFile = ({ path }: MapSpec): StateFile => new StateFile(`${path}.roster`);

export class Bookkeeping {
  readonly counters: Counters;
  readonly roster = new Roster();
  readonly orders: Orders;
  /** The daemon's output, which is counted on its way. */
  readonly output: Output;
  readonly ordersFile: StateFile;
  readonly #rosterFile: StateFile;
  readonly #clock: Clock;

  constructor(map: MapSpec, grace: Grace, clock: Clock, output: Output) {
    this.#clock = clock;
    this.counters = new Counters(() => clock.now());
    this.orders = new Orders(grace);
    this.ordersFile = ordersFile(map);
    this.#rosterFile = rosterFile(map);
    this.output = {
      report: decision => {
        const told = this.roster.withHolder(decision);
        this.counters.report(decision);
        this.roster.report(decision);
        output.report(told);
      },
      notice: notice => {
        if (notice.kind === 'failed') {
          this.counters.problem(`cannot read ${notice.path}: ${notice.reason}`);
        }
        if (notice.kind === 'lost') {
          this.counters.problem(`no connection to ${notice.path}: ${notice.reason}`);
        }
        output.notice(notice);
      },
      lines: batch => output.lines?.(batch),
      warn: text => {
        this.counters.problem(text);
        output.warn(text);
      },
    };
  }

  /**
   * Reads the orders that an earlier run, or a command, has left.
   *
   * @throws Failure STATE_UNREADABLE
   */
  readOrders(): void {
    const now = this.#clock.now();
    this.orders.restore(this.ordersFile.read(), now);
    const orders = this.orders.list(now);
    if (orders.length > 0) this.output.report({ kind: 'in force', orders });
  }

  /** Reads who is behind the grants that the map holds. */
  async takeRoster(isGranted: (ip: IpText) => boolean): Promise<void> {
    await this.#tolerate(async () => {
      this.roster.restore(this.#rosterFile.read(), isGranted);
      await this.#rosterFile.remove();
    });
  }

  /** The addresses whose grants the orders have ended, should the map not know it yet. */
  refused(): IpText[] {
    return this.orders.refused(user => this.roster.ofUser(user).ips, this.#clock.now());
  }

  /** Writes it for the next run. */
  async leaveRoster(): Promise<void> {
    await this.#tolerate(() => this.#rosterFile.write(this.roster.save()));
  }

  async #tolerate(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.output.warn(error.line);
    }
  }
}
