/**
 * An address that leads to one server, and later to another, as an address that is moved at a failover.
 *
 * Promises: who is connected when it is moved is cut off, without a farewell; while it leads nowhere, whoever connects is cut off too.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { freePort } from './ports.ts';
import type { Rig } from './rig.ts';

const HOST = '127.0.0.1';

export class MovedAddress {
  readonly port: number;
  #target: number | null;
  readonly #sockets = new Set<Socket>();

  private constructor(port: number, target: number) {
    this.port = port;
    this.#target = target;
  }

  /** @param target the port of the server */
  static async open(rig: Rig, target: number): Promise<MovedAddress> {
    const address = new MovedAddress(await freePort(), target);
    const server = createServer(socket => address.#accept(socket));
    server.listen(address.port, HOST);
    await once(server, 'listening');
    rig.defer(() => {
      server.close();
      address.moveTo(null);
    });
    return address;
  }

  get url(): string {
    return `redis://${HOST}:${this.port}/0`;
  }

  /** @param target null for nowhere */
  moveTo(target: number | null): void {
    this.#target = target;
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: Socket): void {
    if (this.#target === null) {
      socket.destroy();
      return;
    }
    const beyond = connect(this.#target, HOST);
    for (const [one, other] of [
      [socket, beyond],
      [beyond, socket],
    ] as const) {
      this.#sockets.add(one);
      one.once('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.on('error', () => one.destroy());
      one.pipe(other);
    }
  }
}
