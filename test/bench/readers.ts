/**
 * Many who read the stream of grants as subscribers do, and make nothing of it: what they cost the engine.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const CR_LF = 2;
const ID = /\$\d+\r\n(\d+-\d+)\r\n/g;

export interface Readers {
  answers(): number;
  close(): void;
}

/** @param pauseMs after each answer to one of them */
export async function startReaders(port: number, size: number, pauseMs: number): Promise<Readers> {
  let answers = 0;
  const sockets = Array.from({ length: size }, () => connect(port, '127.0.0.1'));
  for (const socket of sockets) {
    await once(socket, 'connect');
    read(socket, pauseMs, () => answers++);
  }
  return {
    answers: () => answers,
    close: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function read(socket: Socket, pauseMs: number, answered: () => void): void {
  let last = '0-0';
  let buffer = '';
  const ask = (): void =>
    void (
      socket.destroyed ||
      socket.write(`XREAD COUNT 1000 BLOCK 0 STREAMS popbsmtp:grants ${last}\r\n`)
    );
  socket.on('error', () => undefined);
  socket.setEncoding('latin1').on('data', (text: string) => {
    buffer += text;
    if (endOf(buffer, 0) === null) return;
    answered();
    for (const [, id = last] of buffer.matchAll(ID)) last = id;
    buffer = '';
    if (pauseMs > 0) setTimeout(ask, pauseMs);
    else ask();
  });
  ask();
}

/** Where a value ends in an answer (Redis serialization protocol specification, version 2); null when it is not whole. */
function endOf(text: string, start: number): number | null {
  const end = text.indexOf('\r\n', start);
  if (end < 0) return null;
  const number = Number(text.slice(start + 1, end));
  let at = end + CR_LF;
  if (text[start] === '$') {
    at += number < 0 ? 0 : number + CR_LF;
    return at > text.length ? null : at;
  }
  if (text[start] !== '*') return at;
  for (let count = 0; count < number; count++) {
    const next = endOf(text, at);
    if (next === null) return null;
    at = next;
  }
  return at;
}
