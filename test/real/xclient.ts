/**
 * Asks Postfix whether it would relay for addresses that this machine does not have.
 *
 * Promises: one connection, in which XCLIENT (Postfix XCLIENT_README) makes smtpd treat the client as
 * each of the addresses in turn; nothing of an earlier one stays.  It waits on the socket itself and does
 * not poll as dialog.ts does, since there are thousands of answers; the wait is bounded all the same.
 * Leaves to others: that Postfix allows it (`smtpd_authorized_xclient_hosts`).
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { Endpoint } from './dialog.ts';
import { PATIENCE_MS } from './wait.ts';

/** What smtpd said in one connection. */
export interface XclientAnswers {
  readonly banner: string;
  /** The codes for RCPT TO a foreign domain, in the order of the addresses. */
  readonly codes: number[];
}

/** Sends a command, or nothing, and gives the last line of the answer. */
type Exchange = (command: string | null, expected: RegExp) => Promise<string>;

async function codeFor(exchange: Exchange, address: string): Promise<number> {
  const claimed = address.includes(':') ? `IPV6:${address}` : address;
  await exchange(`XCLIENT NAME=[UNAVAILABLE] ADDR=${claimed}`, /^220/);
  await exchange('MAIL FROM:<>', /^250/);
  const answer = await exchange('RCPT TO:<someone@elsewhere.example>', /^(?:250|451|554)/);
  await exchange('RSET', /^250/);
  return Number(answer.slice(0, 3));
}

/** Asks for each of the addresses. */
export async function askToRelayAs(
  { host, port, from }: Endpoint,
  addresses: readonly string[],
): Promise<XclientAnswers> {
  const socket = connect({ host, port, localAddress: from, noDelay: true });
  socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('smtpd does not answer')));
  await once(socket, 'connect');
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const exchange: Exchange = async (command, expected) => {
    if (command !== null) socket.write(`${command}\r\n`);
    for (;;) {
      const { done, value } = await lines.next();
      if (done === true) throw new Error(`${command}: smtpd hung up`);
      if (/^\d{3}-/.test(value)) continue;
      if (!expected.test(value)) throw new Error(`${command}: ${value}`);
      return value;
    }
  };
  try {
    const banner = await exchange(null, /^220/);
    await exchange('EHLO test.example.org', /^250/);
    const codes: number[] = [];
    for (const address of addresses) codes.push(await codeFor(exchange, address));
    await exchange('QUIT', /^221/);
    return { banner, codes };
  } finally {
    socket.destroy();
  }
}
