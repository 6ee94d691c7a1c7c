/**
 * Ports for the servers of a test, on both loopback addresses.
 *
 * Promises: nothing listens there at the moment of asking, and no two of one call are the same.  They
 * lie below the range that the kernel gives to outgoing connections, so that no client of the test
 * can take one before the server does.
 * Known limit: another program may take a port between the asking and the server's start; then that
 * start fails, and says so.
 */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

const LOWEST = 20_000;
const BELOW = 32_000;
const ATTEMPTS = 1000;

/** The addresses that every server of the tests listens on. */
export const LOOPBACK = ['127.0.0.1', '::1'] as const;

async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, host), 'listening');
  } catch {
    return false;
  }
  await once(server.close(), 'close');
  return true;
}

/** `count` different ports that are free on 127.0.0.1 and on ::1. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  for (let attempt = 0; attempt < ATTEMPTS && found.size < count; attempt++) {
    const port = randomInt(LOWEST, BELOW);
    const free = await Promise.all(LOOPBACK.map(host => isFree(port, host)));
    if (free.every(Boolean)) found.add(port);
  }
  if (found.size < count) throw new Error(`found only ${found.size} free ports of ${count}`);
  return [...found];
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  if (port === undefined) throw new Error('no free port');
  return port;
}
