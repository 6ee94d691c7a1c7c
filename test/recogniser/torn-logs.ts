/**
 * Log lines as servers that tear long lines have written them, with other addresses; what stands in the place of a
 * forged login names FORGED.
 */
import { FORGED } from './arbitrary.ts';

/** A line of a log; `wait` is how many seconds after the one before it came. */
export interface Recorded {
  readonly message: string;
  readonly wait?: number;
}

export interface TornLog {
  readonly name: string;
  readonly tag: string;
  readonly lines: readonly Recorded[];
}

const a = (count: number): string => 'A'.repeat(count);
const FORGED_POP3 = `LOGIN, user=x, ip=[::ffff:${FORGED}], port=[40571]`;
const FORGED_IMAP = `LOGIN, user=x, ip=[::ffff:${FORGED}], port=[1], protocol=IMAP`;
const FIRST = `LOGIN FAILED, user=${a(486)}`;
const CONNECTION = 'Connection, ip=[::ffff:198.51.100.9], port=[42269]';

export const TORN_LOGS: readonly TornLog[] = [
  {
    name: 'Courier 5.0.13, IMAP',
    tag: 'mx imapd',
    lines: [{ message: FIRST }, { message: FORGED_IMAP }, { message: 'z' }],
  },
  {
    name: 'Courier 5.0.13, POP3',
    tag: 'mx pop3d',
    lines: [{ message: FIRST }, { message: FORGED_POP3 }, { message: 'z' }],
  },
  {
    name: 'Courier 5.0.13, with a line of UW-IMAP, which has the same tag',
    tag: 'mx imapd',
    lines: [{ message: FIRST }, { message: `Login user=x host=[${FORGED}]` }, { message: 'z' }],
  },
  {
    name: 'Courier 5.0.13, held back until the first lines had left the time of a flood',
    tag: 'mx imapd',
    lines: [
      { message: FIRST },
      { message: '', wait: 12 },
      { message: '' },
      { message: FORGED_POP3 },
    ],
  },
  {
    name: 'Courier 5.0.13, held back over night',
    tag: 'mx imapd',
    lines: [{ message: FIRST }, { message: FORGED_IMAP, wait: 36_000 }, { message: 'z' }],
  },
  {
    name: 'Courier 5.0.13 behind journald 252 and imjournal',
    tag: 'vm imapd[7]',
    lines: [{ message: 'LOGIN FAILED, user=A' }, { message: FORGED_POP3 }],
  },
  {
    name: 'Courier 6.0.5, the pieces behind the next session’s lines',
    tag: 'mx pop3d',
    lines: [
      { message: FIRST },
      { message: a(511), wait: 7 },
      { message: 'A' },
      { message: CONNECTION },
      { message: FORGED_POP3 },
    ],
  },
  {
    name: 'Courier’s logger, the rest of another message behind fifty lines',
    tag: 'mx imapd',
    lines: [
      { message: FIRST },
      { message: a(511), wait: 3600 },
      { message: 'A' },
      ...Array.from({ length: 50 }, () => ({ message: CONNECTION })),
      { message: FORGED_POP3, wait: 3600 },
      { message: FORGED_POP3, wait: 3600 },
      { message: CONNECTION },
    ],
  },
];
