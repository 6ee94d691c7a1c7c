import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import { StampReader } from '../../src/line/stamp.ts';
import type { ServerEvent } from '../../src/recogniser/event.ts';
import { loadPatterns } from '../../src/recogniser/load.ts';
import { LogMemory } from '../../src/recogniser/log-memory.ts';
import { type Observer, Recogniser } from '../../src/recogniser/recogniser.ts';
import { Registry } from '../../src/recogniser/registry.ts';
import { isSign } from '../../src/recogniser/splitting.ts';
import { HELD_BACK, HOLD_SECONDS } from '../../src/recogniser/torn-lines.ts';
import { FORGED } from './arbitrary.ts';
import { TORN_LOGS } from './torn-logs.ts';

const shipped = await loadPatterns({ directory: '/nonexistent', explicit: false });
const splitting = shipped.program('imapd')?.splitting ?? assert.fail('no splits-at');
const START = Date.parse('2026-11-23T00:53:00Z') / 1000;

/** A message, the seconds that pass before it, and what stands before it if not `mx imapd`. */
type Entry = readonly [message: string, seconds?: number, tag?: string];

interface Reading {
  readonly registry?: Registry;
  readonly observer?: Observer;
}

function events(log: readonly Entry[], { registry = shipped, observer }: Reading = {}) {
  const stamps = new StampReader(() => epoch(START));
  const recogniser = new Recogniser(registry, stamps, new LogMemory(), observer);
  let time = START;
  return log.flatMap(([message, seconds = 0, tag = 'mx imapd']): ServerEvent[] => {
    time += seconds;
    const event = recogniser.recognise(`${new Date(time * 1000).toISOString()} ${tag}: ${message}`);
    return event === null ? [] : [event];
  });
}

/** The addresses of the logins in a log. */
const logins = (log: readonly Entry[], reading: Reading = {}): string[] =>
  events(log, reading).flatMap((event): string[] => (event.event === 'login' ? [event.ip] : []));

const FIRST = `LOGIN FAILED, user=${'A'.repeat(486)}`;
const FORGERY = `LOGIN, user=x, ip=[::ffff:${FORGED}], port=[1]`;
const genuine = (ip: string, port = 7): string =>
  `LOGIN, user=anna, ip=[::ffff:${ip}], port=[${port}], protocol=IMAP`;
const connection = 'Connection, ip=[::ffff:198.51.100.9], port=[42269]';
const [A, B] = ['192.0.2.10', '192.0.2.11'];

describe('recorded logs give no login', () => {
  for (const { name, tag, lines } of TORN_LOGS) {
    const log = lines.map(({ message, wait = 0 }): Entry => [message, wait, tag]);
    test(name, () => assert.deepEqual(logins(log), []));
    test(`${name}: without this guard there is one`, () => {
      const unguarded = new Registry(shipped.files.map(file => ({ ...file, splitting: null })));
      assert.ok(logins(log, { registry: unguarded }).includes(FORGED));
    });
  }
});

describe('a sign of a torn line', () => {
  const end = ', ip=[::ffff:198.51.100.9], port=[42269]';
  const table: readonly (readonly [string, boolean])[] = [
    ['', true],
    ['z', true],
    ['zz', false],
    ['A'.repeat(502), false],
    ['A'.repeat(503), true],
    ['A'.repeat(511), true],
    ['A'.repeat(512), false],
    ['LOGIN FAILED, user=A', true],
    ['LOGIN FAILED, user=', true],
    ['LOGIN FAILED, user=A, ip=[::ffff:198.51.100.9], port=[4226', true],
    [`LOGIN FAILED, user=A${end} `, true],
    [`LOGIN FAILED, user=A${end}, ip=[]x`, true],
    // Whole, whatever the name is.
    [`LOGIN FAILED, user=A${end}`, false],
    [`LOGIN FAILED, user=A, b, ip=[1.2.3.4], port=[5]${end}`, false],
    [`LOGIN FAILED, user=${end}`, false],
    ['LOGIN FAILED, method=PLAIN, ip=[::ffff:198.51.100.9]', false],
    ['LOGIN FAILED, ip=[::ffff:198.51.100.9]', false],
    // Whole, and so long that it is a piece nevertheless.
    [`LOGIN FAILED, user=${'A'.repeat(446)}${end}`, true],
    [genuine(A), false],
    [connection, false],
    [`LOGOUT, user=anna${end}`, false],
  ];
  for (const [message, is] of table) {
    test(`${message.slice(0, 70)} (${message.length}): ${is}`, () =>
      assert.equal(isSign(message, splitting), is));
  }
});

describe('genuine logins', () => {
  test('before a torn line, of another program, and on another host, all along', () => {
    const log: Entry[] = [
      [genuine(A)],
      [FIRST],
      [genuine(B), 0, 'mx pop3d'],
      [genuine(B), 0, 'px imapd'],
    ];
    assert.deepEqual(logins(log), [A, B, B]);
  });

  test('behind a failure of whatever name', () => {
    const whole = 'LOGIN FAILED, user=a, b, ip=[::ffff:198.51.100.9], port=[1]';
    assert.deepEqual(logins([[whole], [genuine(A)]]), [A]);
  });

  test('on a busy host count again four minutes after the last sign', () => {
    const seconds = HOLD_SECONDS * (HELD_BACK + 1);
    const log = Array.from({ length: seconds + 60 }, (_, port): Entry => [genuine(A, port), 1]);
    const passed = logins([[FIRST], ...log]).length;
    assert.ok(passed >= 60 - HELD_BACK - 1 && passed < 60, String(passed));
    assert.equal(HOLD_SECONDS * (HELD_BACK + 1), 240);
  });

  test('on a quiet host: the three next ones do not count, the fourth does', () => {
    const log = [1, 2, 3, 4].map((port): Entry => [genuine(A, port), 3600]);
    assert.deepEqual(logins([[FIRST], ...log]).length, 1);
  });

  test('a clock that is set back prolongs it by a minute at most', () => {
    const back = Array.from(
      { length: (HOLD_SECONDS + 1) * (HELD_BACK + 2) + 1 },
      (_, port): Entry => [genuine(A, port), port === 0 ? -86_400 : 1],
    );
    const passed = logins([[FIRST], ...back]).length;
    assert.ok(passed > 0, String(passed));
  });

  test('after a piece whose stamp names no moment: not for the next while', () => {
    const recogniser = new Recogniser(shipped, new StampReader(() => epoch(START)));
    assert.equal(recogniser.recognise(`Feb 30 00:53:00 mx imapd: ${FIRST}`), null);
    const lines = [0, 61, 122, 183, 244].map(second => {
      const stamp = new Date((START + second) * 1000).toISOString();
      return recogniser.recognise(`${stamp} mx imapd: ${genuine(A)}`)?.ip ?? null;
    });
    assert.deepEqual(lines, [null, null, null, A, A]);
  });
});

test('logouts beside a torn line are taken, and said to prove nothing', () => {
  const logout = 'LOGOUT, user=anna, ip=[::ffff:192.0.2.10], port=[7], headers=0, body=0';
  const [before, beside] = events([[logout], [FIRST], [logout]]);
  assert.ok(before?.event === 'logout' && beside?.event === 'logout');
  assert.equal(before.torn, undefined);
  assert.deepEqual(beside, { ...before, torn: true });
});

test('what is passed over is told', () => {
  const told: [string | null, boolean][] = [];
  const observer = {
    torn: ({ program }: { program: string | null }, isLogin: boolean) =>
      told.push([program, isLogin]),
    unrecognised: () => assert.fail('a piece is none of those'),
  };
  logins([[FIRST], [''], [genuine(A)], [connection], [FORGERY]], { observer });
  assert.deepEqual(
    told,
    [false, false, true, false, true].map(isLogin => ['imapd', isLogin]),
  );
});

describe('whatever strangers send, and whenever, they get no login', () => {
  const MINUTE = 60;
  const PIECES = 4;
  const forged = fc.constantFrom(
    FORGERY,
    `LOGIN, user=x, ip=[::ffff:${FORGED}], port=[1], protocol=IMAP`,
    `Login user=x host=[${FORGED}]`,
  );
  /** A piece as it stands in the log: what the transport has left of it. */
  const rest = fc.oneof(
    { weight: 4, arbitrary: forged },
    { weight: 1, arbitrary: fc.constantFrom('', 'z', 'zz', 'A'.repeat(511), connection) },
    {
      weight: 1,
      arbitrary: fc
        .string({ unit: 'binary-ascii', maxLength: 20 })
        .map(text => text.trimStart().replaceAll('\n', '.')),
    },
  );
  const name = fc.oneof(
    fc.string({ unit: 'binary-ascii', maxLength: 40 }).map(text => text.replaceAll('\n', '.')),
    fc.constantFrom(
      'A',
      '',
      ' ',
      'x, ip=[1.2.3.4]',
      'x, ip=[1.2.3.4], port=[5',
      'x, ip=[1.2.3.4], port=[5] ',
      'x, ip=[1.2.3.4], port=[5]',
    ),
  );
  /** Any first piece: cut anywhere, or as long as the logger makes it, with or without the blanks at its end. */
  const first = fc
    .record({
      name,
      fill: fc.oneof(fc.nat(486), fc.constantFrom(485, 486)),
      with: fc.constantFrom(' ', 'A'),
      isTrimmed: fc.boolean(),
      isCut: fc.boolean(),
    })
    .map(({ name, fill, with: filler, isTrimmed, isCut }) => {
      const text = `LOGIN FAILED, user=${name}${filler.repeat(fill)}`;
      const piece = isCut ? text.slice(0, 505) : text.slice(0, 505).padEnd(505, filler);
      return isTrimmed ? piece.trimEnd() : piece;
    })
    // The known limit: shortened on its way, and like a whole one to the letter.
    .filter(
      piece =>
        piece.length === 505 || !/, ip=\[[\dA-Fa-f:.]*\](?:, port=\[\d{1,5}\])?$/.test(piece),
    );
  const pid = fc.constantFrom('mx imapd', 'mx imapd[7]', 'mx imapd[8]');
  const piece = fc.record({ message: rest, wait: fc.nat(MINUTE), tag: pid });
  /** Lines of other loggers with the same tag in between, any number and any time of them. */
  const others = fc.array(fc.tuple(fc.constantFrom(genuine(A), connection), fc.nat(70)), {
    maxLength: 12,
  });

  /** As many pieces as can follow a first one, and one more; what a sign is does not matter here. */
  const flood = fc
    .tuple(first, pid, fc.array(piece, { maxLength: PIECES }))
    .map(([message, tag, pieces]) => [{ message, wait: 0, tag }, ...pieces]);

  test('any cut, blanks, length, process id, and up to a minute before each piece, with others in between', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(flood, others), { minLength: 1, maxLength: 3 }), floods => {
        const log = floods.flatMap(([pieces, between]) => interleaved(pieces, between));
        assert.ok(!logins(log).includes(FORGED));
      }),
      { numRuns: 5000 },
    );
  });

  test('any time at all before each piece, where one logger alone has the tag', () => {
    const late = fc.array(fc.tuple(rest, fc.nat(100_000)), { maxLength: PIECES - 1 });
    fc.assert(
      fc.property(fc.array(fc.tuple(first, late), { minLength: 1, maxLength: 3 }), floods => {
        const log = floods.flatMap(([message, pieces]): Entry[] => [[message], ...pieces]);
        assert.ok(!logins(log).includes(FORGED));
      }),
      { numRuns: 2000 },
    );
  });

  test('and who logs in elsewhere does not notice', () => {
    fc.assert(
      fc.property(flood, fc.constantFrom('px imapd', 'mx pop3d', 'mx imapd-ssl'), (pieces, tag) => {
        const log = pieces.flatMap(({ message, wait }): Entry[] => [
          [message, wait],
          [genuine(A), 0, tag],
        ]);
        assert.equal(logins(log).length, pieces.length);
      }),
    );
  });
});

/** The pieces at their times, and other lines between them at theirs. */
function interleaved(
  pieces: readonly { readonly message: string; readonly wait: number; readonly tag: string }[],
  others: readonly (readonly [string, number])[],
): Entry[] {
  let at = 0;
  const own = pieces.map(({ message, wait, tag }) => {
    at += wait;
    return { at, message, tag };
  });
  let then = 0;
  const between = others.map(([message, wait]) => {
    then += wait;
    return { at: then, message, tag: 'mx imapd' };
  });
  // The first piece begins it; a stable sort keeps the order of what comes at the same time.
  const [begin, ...rest] = own;
  const lines = [
    ...(begin === undefined ? [] : [begin]),
    ...[...rest, ...between].sort((x, y) => x.at - y.at),
  ];
  let last = 0;
  return lines.map(({ at: time, message, tag }): Entry => {
    const wait = time - last;
    last = time;
    return [message, wait, tag];
  });
}

describe('a restart between a torn line and its rest lets nothing through', () => {
  const stamp = new Date(START * 1000).toISOString();
  const stamps = new StampReader(() => epoch(START));
  const forged = `${stamp} mx imapd: ${FORGERY}`;

  test('with what was kept in mind', () => {
    const before = new LogMemory();
    new Recogniser(shipped, stamps, before).recognise(`${stamp} mx imapd: ${FIRST}`);
    const after = new LogMemory();
    after.restore(JSON.parse(JSON.stringify(before.save())));
    assert.equal(new Recogniser(shipped, stamps, after).recognise(forged), null);
    assert.notEqual(new Recogniser(shipped, stamps, new LogMemory()).recognise(forged), null);
  });

  test('as 1.0.0 wrote it', () => {
    const after = new LogMemory();
    after.restore({ torn: [['mx imapd', START + 10, 2]], connects: [] });
    assert.equal(new Recogniser(shipped, stamps, after).recognise(forged), null);
  });
});
