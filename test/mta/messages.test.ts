import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { IpText } from '../../src/base/address.ts';
import { epoch } from '../../src/base/clock.ts';
import type { MailEvent } from '../../src/mta/mail-event.ts';
import { Messages, openMessageOf, type Relayed } from '../../src/mta/messages.ts';

const ANNA = '192.0.2.10' as IpText;
const OTHER = '192.0.2.11' as IpText;
const NOON = epoch(1_795_000_000);

const senderOf = (ip: IpText) => (ip === ANNA ? { user: 'anna', server: 'dovecot' } : null);

const accepted = (message: string, ip = ANNA): MailEvent => ({
  ...{ event: 'accepted', message, ip, time: NOON },
});
const queued = (message: string, recipients = 1, size = 500): MailEvent => ({
  ...{ event: 'queued', message, size, recipients, time: NOON },
});
const delivered = (
  message: string,
  to = 'x@example.net',
  where: 'here' | 'elsewhere' | 'unknown' = 'elsewhere',
  status = 'sent (250 ok)',
): MailEvent => ({
  ...{ event: 'delivered', message, where, time: NOON },
  recipient: `${to}>, relay=r, delay=${Math.random()}, dsn=2.0.0, status=${status}`,
});
const removed = (message: string): MailEvent => ({ event: 'removed', message, time: NOON });

function play(messages: Messages, events: readonly MailEvent[]): Relayed[] {
  return events.map(event => messages.take(event)).filter(told => told !== null);
}

const sums = (told: readonly Relayed[]) => ({
  messages: told.reduce((sum, one) => sum + one.messages, 0),
  recipients: told.reduce((sum, one) => sum + one.recipients, 0),
  bytes: told.reduce((sum, one) => sum + one.bytes, 0),
});

/** What is told when the program ends before one of the events, and goes on with what it has saved. */
function withRestart(events: readonly MailEvent[], at: number): Relayed[] {
  const before = new Messages(senderOf);
  const saved = new Map<string, unknown>();
  const told: Relayed[] = [];
  for (const event of events.slice(0, at)) {
    told.push(...play(before, [event]));
    for (const [id, open] of before.changes()) saved.set(id, JSON.parse(JSON.stringify(open)));
  }
  const after = new Messages(senderOf);
  after.restore([...saved.values()].map(openMessageOf).filter(one => one !== null));
  return [...told, ...play(after, events.slice(at))];
}

describe('a message counts', () => {
  const cases: readonly (readonly [string, readonly MailEvent[], object])[] = [
    [
      'when it is taken away for a client with a grant',
      [accepted('A'), queued('A'), delivered('A'), removed('A')],
      { messages: 1, recipients: 1, bytes: 500 },
    ],
    [
      'not when it stays here',
      [accepted('A'), queued('A'), delivered('A', 'b@example.org', 'here'), removed('A')],
      { messages: 0, recipients: 0, bytes: 0 },
    ],
    [
      'with those recipients that are taken away',
      [
        ...[accepted('A'), queued('A', 3), delivered('A', 'b@example.org', 'here')],
        ...[delivered('A', 'x@example.net'), delivered('A', 'y@example.net'), removed('A')],
      ],
      { messages: 1, recipients: 2, bytes: 500 },
    ],
    [
      'once, however often it is tried',
      [
        ...[accepted('A'), queued('A')],
        ...[1, 2, 3].map(() => delivered('A', 'x@example.net', 'elsewhere', 'deferred (later)')),
        ...[queued('A'), delivered('A'), removed('A')],
      ],
      { messages: 1, recipients: 1, bytes: 500 },
    ],
    [
      'not for a client without a grant',
      [accepted('A', OTHER), queued('A'), delivered('A'), removed('A')],
      { messages: 0, recipients: 0, bytes: 0 },
    ],
    [
      'not for one that has authenticated',
      [
        { event: 'authenticated', message: 'A', ip: ANNA, user: 'anna', time: NOON },
        ...[queued('A'), delivered('A'), removed('A')],
      ],
      { messages: 0, recipients: 0, bytes: 0 },
    ],
    [
      'also when a filter had it',
      [
        ...[
          accepted('A'),
          queued('A'),
          { event: 'again', message: 'B', origin: 'A', time: NOON } as const,
        ],
        ...[delivered('A', 'x@example.net', 'here'), removed('A')],
        ...[queued('B'), delivered('B'), removed('B')],
      ],
      { messages: 1, recipients: 1, bytes: 500 },
    ],
    [
      'when error(8) has it for a domain that another agent was to take it away to',
      [
        ...[
          accepted('A'),
          queued('A'),
          delivered('A', 'x@far.test', 'elsewhere', 'deferred (refused)'),
        ],
        ...[
          accepted('B'),
          queued('B'),
          delivered('B', 'y@far.test', 'unknown', 'deferred (suspended)'),
        ],
      ],
      { messages: 2, recipients: 2, bytes: 1000 },
    ],
    [
      'not when error(8) has it for a domain that is delivered here, or not known',
      [
        delivered('Z', 'x@near.test', 'here', 'deferred (refused)'),
        ...[accepted('B'), queued('B'), delivered('B', 'y@near.test', 'unknown', 'deferred (s)')],
        ...[accepted('C'), queued('C'), delivered('C', 'y@dark.test', 'unknown', 'deferred (s)')],
      ],
      { messages: 0, recipients: 0, bytes: 0 },
    ],
    [
      'with no more recipients than it has',
      [accepted('A'), queued('A', 1), delivered('A', 'x'), delivered('A', 'y>, relay=z')],
      { messages: 1, recipients: 1, bytes: 500 },
    ],
    [
      'not when its id is another client’s by now, and nothing told that it was not sent',
      [accepted('A'), accepted('A', OTHER), queued('A'), delivered('A')],
      { messages: 0, recipients: 0, bytes: 0 },
    ],
    [
      'not when its id is by now that of one who has authenticated',
      [
        accepted('A'),
        { event: 'authenticated', message: 'A', ip: OTHER, user: 'bert', time: NOON },
        ...[queued('A'), delivered('A')],
      ],
      { messages: 0, recipients: 0, bytes: 0 },
    ],
    [
      'not when its id is by now that of a message of nobody’s that a filter had',
      [
        accepted('A'),
        { event: 'again', message: 'A', origin: 'Z', time: NOON },
        ...[queued('A'), delivered('A')],
      ],
      { messages: 0, recipients: 0, bytes: 0 },
    ],
    [
      'as a new one when the same client comes with the id later',
      [
        ...[accepted('A'), queued('A'), delivered('A')],
        { event: 'accepted', message: 'A', ip: ANNA, time: epoch(NOON + 9) },
        ...[queued('A'), delivered('A')],
      ],
      { messages: 2, recipients: 2, bytes: 1000 },
    ],
    [
      'once where its lines are read twice',
      [
        ...[accepted('A'), queued('A'), delivered('A')],
        ...[accepted('A'), queued('A'), delivered('A')],
      ],
      { messages: 1, recipients: 1, bytes: 500 },
    ],
    [
      'not when its id is another’s after it was removed',
      [accepted('A'), queued('A'), removed('A'), delivered('A')],
      { messages: 0, recipients: 0, bytes: 0 },
    ],
  ];
  for (const [name, events, wanted] of cases) {
    test(name, () => {
      const messages = new Messages(senderOf);
      assert.deepEqual(sums(play(messages, events)), wanted);
    });
    // What error(8) has is known from lines before.
    if (name.includes('error(8)')) continue;
    test(`${name}, with a restart between any two lines`, () => {
      for (const at of [...events.keys(), events.length])
        assert.deepEqual(sums(withRestart(events, at)), wanted, String(at));
    });
  }
});

test('memory is bounded: the oldest go first', () => {
  const messages = new Messages(senderOf, 10);
  for (let n = 0; n < 100; n++) messages.take(accepted(`M${n}`));
  assert.equal(messages.size, 10);
  assert.equal(messages.take(delivered('M0')), null);
  assert.equal(messages.take(delivered('M99'))?.messages, 1);
});

test('what never came to the queue is forgotten after an hour, what is in it after twice the longest time there', () => {
  const messages = new Messages(senderOf);
  play(messages, [accepted('A'), accepted('B'), queued('B')]);
  messages.expire(epoch(NOON + 3601));
  assert.equal(messages.size, 1);
  messages.expire(epoch(NOON + 11 * 86_400));
  assert.equal(messages.size, 0);
  assert.deepEqual([...messages.changes().values()], [null, null]);
});
