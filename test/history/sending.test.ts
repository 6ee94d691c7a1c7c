import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { IpText } from '../../src/base/address.ts';
import { SendingLimits, sendingOf } from '../../src/history/sending.ts';

const ip = '198.51.100.7' as IpText;
const NONE = {
  maxMessagesPerGrant: 'none',
  maxRecipientsPerGrant: 'none',
  maxRecipientsPerHour: 'none',
  limitAction: 'refuse',
} as const;
const one = { messages: 1, recipients: 1 };

describe('limits by what is sent', () => {
  test('a limit that nobody has set only warns', () => {
    assert.deepEqual(sendingOf({ ...NONE, maxRecipientsPerHour: null }), {
      messagesPerGrant: null,
      recipientsPerGrant: null,
      recipientsPerHour: { most: 1000, action: 'warn' },
    });
  });

  test('the message over the limit is told, once for each grant', () => {
    const limits = new SendingLimits(sendingOf({ ...NONE, maxMessagesPerGrant: 3 }));
    const told = [1, 2, 3, 4, 5].map(messages =>
      limits.count(ip, one, { messages, recipients: messages }, 0),
    );
    assert.deepEqual(
      told.map(list => list.length),
      [0, 0, 0, 1, 0],
    );
    assert.deepEqual(told[3], [{ most: 3, action: 'refuse', reason: 'too many messages' }]);
    limits.ended(ip);
    assert.equal(limits.count(ip, one, { messages: 4, recipients: 4 }, 1).length, 1);
  });

  test('recipients of an hour, whichever grants', () => {
    const limits = new SendingLimits(sendingOf({ ...NONE, maxRecipientsPerHour: 10 }));
    const at = (minute: number, recipients: number): number =>
      limits.count(ip, { messages: 1, recipients }, { messages: 1, recipients }, minute * 60)
        .length;
    assert.deepEqual(
      [at(0, 5), at(30, 5), at(59, 1), at(59, 1), at(61, 3), at(119, 8)],
      [0, 0, 1, 0, 0, 1],
    );
  });

  test('others are not counted with it', () => {
    const limits = new SendingLimits(sendingOf({ ...NONE, maxRecipientsPerHour: 1 }));
    for (let n = 0; n < 30_000; n++)
      assert.deepEqual(limits.count(`192.0.${n >> 8}.${n & 255}` as IpText, one, one, 0), []);
  });
});
