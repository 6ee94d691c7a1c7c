/** Where the metrics are served: reads the address and port that a user names. */
import { isIPv4, isIPv6 } from 'node:net';
import { failure } from '../base/errors.ts';

export interface Listening {
  readonly host: string;
  readonly port: number;
}

/**
 * Reads `127.0.0.1:9117` or `[::1]:9117`.
 *
 * @param where named in the error
 * @throws Failure METRICS_LISTEN
 */
export function parseListening(value: string, where: string): Listening {
  const [, quad, bracketed, digits] = /^(?:([\d.]+)|\[([\da-f:]+)\]):(\d{1,5})$/i.exec(value) ?? [];
  const host = quad ?? bracketed ?? '';
  const port = Number(digits);
  const isLoopback = (isIPv4(host) && host.startsWith('127.')) || (isIPv6(host) && host === '::1');
  if (!isLoopback || port < 1 || port > 65_535) throw failure('METRICS_LISTEN', { where, value });
  return { host, port };
}
