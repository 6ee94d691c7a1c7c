/** Lines as Postfix writes them, with their ends. */
import { epoch } from '../../src/base/clock.ts';
import { formatStamp } from '../../src/line/stamp.ts';

const line = (program: string, message: string, secondsAgo = 0): string =>
  `${formatStamp(epoch(Date.now() / 1000 - secondsAgo))} mx postfix/${program}[7]: ${message}\n`;

let count = 0;

/** An id as Postfix makes them, that no other message of the test has. */
export const queueId = (): string => `4A${(0x10000000 + count++).toString(16).toUpperCase()}`;

export interface Mail {
  readonly ip: string;
  /** Who has authenticated; left out for nobody. */
  readonly sasl?: string;
  readonly elsewhere?: number;
  readonly here?: number;
  readonly bytes?: number;
  /** Whether it stays in the queue, as Postfix cannot reach where it is to go. */
  readonly deferred?: boolean;
}

export const acceptedLine = (id: string, { ip, sasl }: Mail): string =>
  line(
    'smtpd',
    `${id}: client=unknown[${ip}]${sasl === undefined ? '' : `, sasl_method=PLAIN, sasl_username=${sasl}`}`,
  );

export function queuedLines(id: string, { elsewhere = 1, here = 0, bytes = 500 }: Mail): string {
  const size = `size=${bytes}, nrcpt=${elsewhere + here}`;
  return (
    line('cleanup', `${id}: message-id=<${id}@example.org>`) +
    line('qmgr', `${id}: from=<anna@example.org>, ${size} (queue active)`)
  );
}

export function deliveredLines(id: string, { elsewhere = 1, here = 0, deferred }: Mail): string {
  const status = deferred === true ? 'status=deferred (later)' : 'status=sent (250 ok)';
  const rest = `delay=1, delays=0/0/0/1, dsn=2.0.0, ${status}`;
  const to = (program: string, name: string, relay: string): string =>
    line(program, `${id}: to=<${name}>, relay=${relay}, ${rest}`);
  return (
    Array.from({ length: elsewhere }, (_, n) =>
      to('smtp', `r${n}@example.net`, 'mx[198.51.100.25]:25'),
    ).join('') +
    Array.from({ length: here }, (_, n) => to('local', `h${n}@example.org`, 'local')).join('') +
    (deferred === true ? '' : line('qmgr', `${id}: removed`))
  );
}

/** All lines of a message. */
export function mailLines(mail: Mail, id = queueId()): string {
  return acceptedLine(id, mail) + queuedLines(id, mail) + deliveredLines(id, mail);
}

export const refusedLine = (ip: string, secondsAgo = 0): string =>
  line(
    'smtpd',
    `NOQUEUE: reject: RCPT from unknown[${ip}]: 454 4.7.1 <x@example.net>: Relay access denied; from=<anna@example.org> to=<x@example.net> proto=ESMTP helo=<scanner>`,
    secondsAgo,
  );
