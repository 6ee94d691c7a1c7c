/** The patterns of Postfix's lines: their own samples, and whatever outsiders may write in each field. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import { parseLine } from '../../src/line/prefix.ts';
import { StampReader } from '../../src/line/stamp.ts';
import { loadMailRecogniser } from '../../src/mta/load.ts';
import type { MailEvent } from '../../src/mta/mail-event.ts';
import { parseMailPatterns } from '../../src/mta/mail-pattern.ts';
import { MailRecogniser } from '../../src/mta/mail-recogniser.ts';
import { failedMailSamples } from '../../src/mta/samples.ts';
import { FORGED } from '../recogniser/arbitrary.ts';

const recogniser = await loadMailRecogniser();
const NOON = epoch(1_795_000_000);
const stamps = new StampReader(() => NOON);

function recognise(text: string): MailEvent | null {
  const line = parseLine(text, stamps);
  return recogniser.recognise(line, stamps.bounded(line.time));
}

describe('the samples of patterns/mta/postfix.toml', () => {
  test('do what they should', () => {
    assert.deepEqual(failedMailSamples(recogniser, NOON), []);
  });

  const match = 'line = "Nov 23 00:53:00 mx postfix/qmgr[9]: 4A1B2C3D4E: removed"';
  const table: [name: string, lists: string, problem: string][] = [
    ['another field', `match = [{ ${match}, queue = "4A1B2C3D4F" }]`, 'queue=4A1B2C3D4E'],
    [
      'nothing recognised',
      `match = [{ line = "Nov 23 00:53:00 mx postfix/qmgr[9]: x", queue = "x" }]`,
      'no event',
    ],
    ['no line of a log', `match = [{ line = "x", queue = "x" }]`, 'its prefix is not understood'],
    [
      'an attack that is taken for something',
      `match = [{ ${match}, queue = "4A1B2C3D4E" }]\nattack = [{ ${match} }]`,
      'it is taken for removed "gone"',
    ],
  ];
  for (const [name, lists, problem] of table)
    test(`tell ${name}`, () => {
      const text = `names=["postfix"]\n[[removed]]\nname="gone"\nprograms=["qmgr"]\nexpression='(?<queue>[0-9A-F]{6,24}): removed'\n${lists}`;
      const own = new MailRecogniser(parseMailPatterns('x.toml', text));
      assert.deepEqual(
        failedMailSamples(own, NOON).map(failed => failed.problem),
        [problem],
      );
    });
});

/** Every byte that can be printed, and pieces of what Postfix writes. */
const hostile = fc
  .array(
    fc.oneof(
      fc.stringMatching(/^[ -~\x80-\xff]{0,20}$/),
      fc.constantFrom(
        `4A1B2C3D4F: client=unknown[${FORGED}]`,
        `client=unknown[${FORGED}]`,
        `[${FORGED}]`,
        `RCPT from unknown[${FORGED}]: 454 4.7.1 <x@example.net>: Relay access denied; `,
        `>, relay=none, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (ok)`,
        '>, size=1, nrcpt=1 (queue active)',
        '> orig_id=4A1B2C3D4F',
        ', orig_queue_id=4A1B2C3D4F, orig_client=x[192.0.2.9]',
        ', sasl_username=anna',
        '4A1B2C3D4F: removed',
      ),
    ),
    { maxLength: 4 },
  )
  .map(parts => parts.join(''));

const ID = '4A1B2C3D4E';
const CLIENT = '192.0.2.10';

/** Postfix's own formats, with an outsider's text in each place that takes one. */
const FORMATS: Readonly<Record<string, (text: string) => string>> = {
  'HELO of a refusal': text =>
    `postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[${CLIENT}]: 454 4.7.1 <x@example.net>: Relay access denied; from=<a@example.org> to=<x@example.net> proto=ESMTP helo=<${text}>`,
  'sender of a refusal': text =>
    `postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[${CLIENT}]: 454 4.7.1 <x@example.net>: Relay access denied; from=<${text}> to=<x@example.net> proto=ESMTP helo=<h>`,
  'recipient of a refusal': text =>
    `postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[${CLIENT}]: 550 5.1.1 <${text}>: Recipient address rejected: User unknown; from=<a> to=<${text}> proto=ESMTP helo=<h>`,
  'refused HELO': text =>
    `postfix/smtpd[1]: NOQUEUE: reject: HELO from unknown[${CLIENT}]: 501 5.5.2 <${text}>: Helo command rejected: Invalid name; proto=SMTP helo=<${text}>`,
  'name of a host': text =>
    `postfix/smtpd[1]: warning: hostname ${text} does not resolve to address ${CLIENT}`,
  'a command': text =>
    `postfix/smtpd[1]: improper command pipelining after ${text} from unknown[${CLIENT}]: ${text}`,
  'user of SASL': text =>
    `postfix/smtpd[1]: ${ID}: client=unknown[${CLIENT}], sasl_method=PLAIN, sasl_username=${text}`,
  'a failed login': text =>
    `postfix/smtpd[1]: warning: unknown[${CLIENT}]: SASL PLAIN authentication failed: ${text}, sasl_username=${text}`,
  sender: text => `postfix/qmgr[1]: ${ID}: from=<${text}>, size=500, nrcpt=2 (queue active)`,
  recipient: text =>
    `postfix/smtp[1]: ${ID}: to=<${text}>, relay=mx[198.51.100.25]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 Ok)`,
  'reply of a server': text =>
    `postfix/smtp[1]: ${ID}: to=<x@example.net>, relay=mx[198.51.100.25]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (${text})`,
  'Message-ID': text => `postfix/cleanup[1]: ${ID}: message-id=${text}`,
  'a header': text =>
    `postfix/cleanup[1]: ${ID}: warning: header Subject: ${text} from unknown[${CLIENT}]; from=<${text}> to=<x@example.net> proto=ESMTP helo=<${text}>`,
  'sender of pickup': text => `postfix/pickup[1]: ${ID}: uid=1000 from=<${text}>`,
};

describe('a text of an outsider attributes nothing to anybody else', () => {
  for (const [place, format] of Object.entries(FORMATS)) {
    test(place, () => {
      fc.assert(
        fc.property(hostile, text => {
          const event = recognise(`2026-11-18T10:00:00Z mx ${format(text)}`);
          if (event === null) return;
          // Only the id that Postfix gave, and only the address that it saw.
          if ('ip' in event) assert.equal(event.ip, CLIENT);
          if ('message' in event) assert.equal(event.message, `mx ${ID}`);
          assert.notEqual(event.event, 'accepted');
          assert.notEqual(event.event, 'again');
          assert.notEqual(event.event, 'removed');
        }),
        { numRuns: 1000 },
      );
    });
  }
});

test('tags: a name before the program, whatever it is, and never a bare program', () => {
  for (const tag of ['postfix/smtpd', 'postfix/submission/smtpd', 'mx-out/smtpd', 'a/b/c/smtpd'])
    assert.ok(recogniser.knows(tag), tag);
  for (const tag of ['smtpd', '/smtpd', 'postfix/', 'postfix/smtpd/x', 'postfix', 'spamd'])
    assert.ok(!recogniser.knows(tag), tag);
  assert.ok(recogniser.tags(['mx-out']).includes('mx-out/qmgr'));
});

test('a pattern file that breaks a rule is an error with its place', () => {
  const wrong = (text: string, code: RegExp): void => {
    assert.throws(() => parseMailPatterns('/x.toml', `names = ["postfix"]\n${text}`), code);
  };
  const sample = `match = [{ line = "x" }]`;
  wrong(
    `[[accepted]]\nname="x"\nprograms=["smtpd"]\nexpression='a'\n${sample}`,
    /does not name the queue/,
  );
  wrong(
    `[[removed]]\nname="x"\nprograms=["qmgr"]\nexpression='(?<queue>.*)x'\n${sample}`,
    /may take/,
  );
  wrong(
    `[[removed]]\nname="x"\nprograms=["qmgr"]\nexpression='(?<queue>\\d+)'\n${sample}`,
    /another set of fields/,
  );
  wrong('[[other]]\n', /unknown key/);
});
