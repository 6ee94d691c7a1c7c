import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import { StampReader } from '../../src/line/stamp.ts';
import { loadPatterns } from '../../src/recogniser/load.ts';
import { LogMemory } from '../../src/recogniser/log-memory.ts';
import { Recogniser } from '../../src/recogniser/recogniser.ts';
import { Registry } from '../../src/recogniser/registry.ts';
import { FORGED } from './arbitrary.ts';
import { logged } from './courierlogger.ts';

const shipped = await loadPatterns({ directory: '/nonexistent', explicit: false });
const START = Date.parse('2026-11-23T00:53:00Z') / 1000;

/** The addresses of the logins in a log of messages with the seconds that pass before each. */
function logins(
  messages: readonly (readonly [string, number?])[],
  { registry = shipped, tag = 'mx imapd' } = {},
): (string | null)[] {
  const recogniser = new Recogniser(registry, new StampReader(() => epoch(START)));
  let time = START;
  return messages.flatMap(([message, seconds = 0]) => {
    time += seconds;
    const stamp = new Date(time * 1000).toISOString();
    const event = recogniser.recognise(
      `${stamp} ${message.startsWith('mx') ? '' : `${tag}: `}${message}`,
    );
    return event?.event === 'login' ? [event.ip] : [];
  });
}

/** Courier writes `LOGIN FAILED` through a buffer of 1024 bytes (courier-authlib, courierauthdebug.c). */
const failed = (user: string): string =>
  `INFO: LOGIN FAILED, user=${user}, ip=[::ffff:198.51.100.9], port=[42269]`.slice(0, 1023);
const HEAD = 'INFO: LOGIN FAILED, user='.length;
const forgedLine = (protocol: string): string =>
  `LOGIN, user=x, ip=[::ffff:${FORGED}], port=[1]${protocol}`;
const PIECE = `LOGIN FAILED, user=${'A'.repeat(486)}`;
const genuine = (ip: string): string =>
  `LOGIN, user=anna, ip=[::ffff:${ip}], port=[7], protocol=IMAP`;
const connection = 'Connection, ip=[::ffff:198.51.100.9], port=[42269]';

describe('what Courier 5.0.13 wrote when it was attacked', () => {
  const seen = (tag: string, forged: string) =>
    [[`mx ${tag}: ${PIECE}`], [`mx ${tag}: ${forged}`], [`mx ${tag}: z`]] as const;

  test('IMAP', () => assert.deepEqual(logins(seen('imapd', forgedLine(', protocol=IMAP'))), []));
  test('POP3', () => assert.deepEqual(logins(seen('pop3d', forgedLine(''))), []));
  test('the second piece held back for hours', () => {
    const [first, second, third] = seen('imapd', forgedLine(', protocol=IMAP'));
    assert.deepEqual(logins([first, [second[0], 36_000], third]), []);
  });
  test('with a line of UW-IMAP, which has the same tag', () => {
    const [first, , third] = seen('imapd', '');
    assert.deepEqual(logins([first, [`mx imapd: Login user=x host=[${FORGED}]`], third]), []);
  });
  test('without this guard it is a login like any other', () => {
    const unguarded = new Registry(shipped.files.map(file => ({ ...file, splitsAt: null })));
    const lines = seen('imapd', forgedLine(', protocol=IMAP'));
    assert.deepEqual(logins(lines, { registry: unguarded }), [FORGED]);
  });
});

describe('genuine logins', () => {
  const [a, b] = ['192.0.2.10', '192.0.2.11'];
  test('before a torn line', () => {
    assert.deepEqual(logins([[genuine(a)], [PIECE]]), [a]);
  });
  test('after it: none for ten seconds, nor in the next two lines', () => {
    const after = [[connection], [genuine(a), 10], [genuine(a), 1], [genuine(a)]];
    const trusted = [[genuine(b)]];
    assert.deepEqual(logins([[PIECE], ...after, ...trusted] as [string, number?][]), [b]);
  });
  test('of another program, and on another host, all along', () => {
    assert.deepEqual(logins([[PIECE], [`mx pop3d: ${genuine(a)}`], [`mx2 imapd: ${genuine(b)}`]]), [
      a,
      b,
    ]);
  });
  test('after other long lines: 502 bytes are no piece, 503 and 511 are, 512 are not', () => {
    const length = (size: number): string => 'A'.repeat(size);
    assert.deepEqual(logins([[length(502)], [genuine(a)]]), [a]);
    assert.deepEqual(logins([[length(503)], [genuine(a)]]), []);
    assert.deepEqual(logins([[length(511)], [genuine(a)]]), []);
    assert.deepEqual(logins([[length(512)], [genuine(a)]]), [a]);
  });
  test('after a piece whose stamp names no moment: not in the next two lines', () => {
    const recogniser = new Recogniser(shipped, new StampReader(() => epoch(START)));
    assert.equal(recogniser.recognise(`Feb 30 00:53:00 mx imapd: ${PIECE}`), null);
    const lines = [1, 2, 3].map(() =>
      recogniser.recognise(`2026-11-23T00:53:00Z mx imapd: ${genuine(a)}`),
    );
    assert.deepEqual(
      lines.map(event => event?.ip ?? null),
      [null, null, a],
    );
  });
});

describe('a model of Courier’s logger', () => {
  /** The lines of the log, with a long time wherever the logger waited for the next line to be written. */
  const log = (written: readonly string[], bursts: readonly number[], wait: number) =>
    logged(written, bursts).map(({ message, waited }) => [message, waited ? wait : 0] as const);
  const info = (message: string): string => `INFO: ${message}`;

  test('short lines come out as they went in', () => {
    const messages = [connection, genuine('192.0.2.10'), connection];
    assert.deepEqual(
      logged(messages.map(info), [1]).map(({ message }) => message),
      messages,
    );
  });

  test('a long one comes out as seen, and swallows the lines after it', () => {
    const forged = forgedLine('');
    const user = `${'A'.repeat(511 - HEAD) + forged.padStart(511)}zz`;
    assert.deepEqual(
      logged([failed(user), ...Array(4).fill(info(connection))], [1]).map(({ message }) => message),
      [PIECE, forged, 'z', connection, connection],
    );
  });

  /**
   * What makes the other stream's buffer, of 4096 bytes, end in the middle of a line.
   *
   * @param between lines that the first stream has read along with the one that is too long
   * @param rest how many bytes of the line are left, and come back as the beginning of the next ones
   */
  const spliced = (between: number, rest: number): { written: string[]; bursts: number[] } => {
    const long = failed('A'.repeat(1000));
    const last = failed(
      'A'.repeat(1023 - HEAD - rest) + forgedLine('').padStart(Math.min(rest, 511)),
    );
    const filler = info('x'.repeat(4096 - 3 * 1024 - (last.length - rest) - 'INFO: \n'.length));
    const quiet = Array.from({ length: between }, () => info(connection));
    const written = [long, ...quiet, long, long, long, filler, last, info(connection)];
    return { written, bursts: [1 + between, 5, 0] };
  };
  for (const [between, rest] of [
    [0, 400],
    [20, 400],
    [50, 100],
  ] as const) {
    test(`a line of ${rest} bytes begins where a buffer ended, ${between} lines later`, () => {
      const { written, bursts } = spliced(between, rest);
      const lines = log(written, bursts, 3600);
      const at = lines.findIndex(([message]) => message === forgedLine(''));
      assert.ok(at > between);
      assert.deepEqual(logins(lines), []);
    });
  }

  test('whatever strangers send, and whenever, they get no login', () => {
    const forged = fc.constantFrom(
      forgedLine(''),
      forgedLine(', protocol=IMAP'),
      `Login user=x host=[${FORGED}]`,
      'LOGIN, user=x',
    );
    const size = (...likely: readonly number[]) =>
      fc.oneof(fc.constantFrom(...likely), fc.nat(1000));
    const user = fc
      .tuple(size(511 - HEAD, 505, 0), size(430, 440, 511, 0), forged, size(0, 1, 511))
      .map(
        ([before, blanks, text, after]) =>
          'A'.repeat(before) + ' '.repeat(blanks) + text + 'z'.repeat(after),
      );
    const aligned = fc
      .tuple(fc.constantFrom(1, 2), fc.integer({ min: -6, max: 6 }), forged)
      .map(
        ([pieces, off, text]) =>
          'A'.repeat(511 - HEAD) +
          ' '.repeat((pieces - 1) * 511) +
          text.padStart(511 + off) +
          'zzz',
      );
    const line = fc.oneof(
      { weight: 4, arbitrary: fc.oneof(user, aligned).map(failed) },
      { weight: 1, arbitrary: fc.constant(info(connection)) },
      { weight: 1, arbitrary: fc.constant(failed('nick')) },
    );
    const bursts = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 20 }),
        bursts,
        fc.nat(100),
        (written, burst, wait) => {
          assert.deepEqual(logins(log(written, burst, wait)), []);
        },
      ),
      { numRuns: 5000 },
    );
  });
});

test('a restart between a torn line and its rest lets nothing through', () => {
  const stamp = new Date(START * 1000).toISOString();
  const before = new LogMemory();
  const stamps = new StampReader(() => epoch(START));
  new Recogniser(shipped, stamps, before).recognise(`${stamp} mx imapd: ${PIECE}`);
  const after = new LogMemory();
  after.restore(JSON.parse(JSON.stringify(before.save())));
  const forged = `${stamp} mx imapd: ${forgedLine(', protocol=IMAP')}`;
  assert.equal(new Recogniser(shipped, stamps, after).recognise(forged), null);
  assert.notEqual(new Recogniser(shipped, stamps, new LogMemory()).recognise(forged), null);
});
