/**
 * When each order was told to the fleet last, by whomever, and which this host is to tell again.
 *
 * Promises: an order that this host knows is told again before half a grace period has passed since it was told last, as long as one
 * host that knows it has a connection; whoever comes first relieves the others, and as each waits for another time, few do so in one
 * moment, however many they are.
 * Leaves to others: whether it is still in force.
 * Pure: no connection, no clock.
 */
import type { Given, Subject } from '../grant/order.ts';

/** The part of half a grace period that passes at least. */
const REST = 0.5;

export class OrderReminder {
  readonly #random: () => number;
  /** When each is to be told again, in seconds of a clock that only goes forward. */
  readonly #due = new Map<string, number>();

  /** @param random from 0 up to 1 */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /**
   * @param steady seconds of a clock that only goes forward, here and below
   * @param grace the shortest grace period, in seconds
   */
  told({ subject }: Given, steady: number, grace: number): void {
    const part = REST + (1 - REST) * this.#random();
    this.#due.set(nameOf(subject), steady + (grace / 2) * part);
  }

  /**
   * Those that are to be told now.
   *
   * @param orders all that are in force; others are forgotten
   */
  due(orders: Iterable<Given>, steady: number): Given[] {
    const found: Given[] = [];
    const inForce = new Set<string>();
    for (const order of orders) {
      const name = nameOf(order.subject);
      inForce.add(name);
      // One that was never told was in force before, and has been told by whoever gave it.
      if ((this.#due.get(name) ?? Number.NEGATIVE_INFINITY) <= steady) found.push(order);
    }
    for (const name of this.#due.keys()) if (!inForce.has(name)) this.#due.delete(name);
    return found;
  }
}

const nameOf = (subject: Subject): string =>
  subject.kind === 'address' ? `address ${subject.ip}` : `user ${subject.user}`;
