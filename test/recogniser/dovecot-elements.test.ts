/**
 * Orders of Dovecot's elements: those that are recognised, those that are refused, and what a client can put into any of the former.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import { StampReader } from '../../src/line/stamp.ts';
import { expressionsOfElements } from '../../src/recogniser/dovecot-elements.ts';
import type { ServerEvent } from '../../src/recogniser/event.ts';
import { type Expression, parseExpression } from '../../src/recogniser/expression.ts';
import { loadPatterns } from '../../src/recogniser/load.ts';
import { Recogniser } from '../../src/recogniser/recogniser.ts';
import { ExpressionError } from '../../src/recogniser/scanner.ts';
import { assertRejects } from '../failure.ts';

const NO_DIRECTORY = { directory: '/nonexistent', explicit: false };
const given = (...value: string[]) => ({
  elements: { value, origin: '--dovecot-elements' },
  instance: null,
});

async function recogniserOf(...elements: string[]): Promise<Recogniser> {
  const registry = await loadPatterns(NO_DIRECTORY, given(...elements));
  return new Recogniser(registry, new StampReader(() => epoch(0)));
}

async function told(elements: string, message: string): Promise<unknown> {
  const recogniser = await recogniserOf(elements);
  return toldBy(recogniser, message);
}

function toldBy(recogniser: Recogniser, message: string): unknown {
  const event: ServerEvent | null = recogniser.recognise(
    `2026-11-23T00:53:00Z mx dovecot: ${message}`,
  );
  if (event?.event !== 'login') return null;
  const { ip, user, tls, session } = event;
  return [ip, user, tls, session?.key.split('\n').at(-1) ?? null];
}

const PROXY =
  'imap-login: proxy(anna,10.0.0.5:143): Started proxying to remote host (0.012 secs): ';

describe('orders that are recognised', () => {
  const table: readonly (readonly [elements: string, message: string, told: unknown])[] = [
    [
      'rip=%r user=<%u>',
      'imap-login: Login: rip=198.51.100.7, user=<anna>',
      ['198.51.100.7', 'anna', null, null],
    ],
    [
      'session=<%{session}> user=<%u> method=%m rip=%r lip=%l %c',
      'imap-login: Login: session=<kVQx3sQ/8tDGM2QH>, user=<anna>, method=PLAIN, rip=198.51.100.7, lip=192.0.2.5, TLS',
      ['198.51.100.7', 'anna', true, 'kVQx3sQ/8tDGM2QH'],
    ],
    [
      'session=<%{session}> user=<%u> method=%m rip=%r lip=%l %c',
      'pop3-login: Login: session=<kVQx3sQ/8tDGM2QH>, user=<anna>, method=PLAIN, rip=198.51.100.7, lip=192.0.2.5',
      ['198.51.100.7', 'anna', false, 'kVQx3sQ/8tDGM2QH'],
    ],
    [
      'user=<%{user}> method=%{mechanism} rip=%{remote_ip} lip=%{local_ip} %{secured}',
      'imap-login: Logged in: user=<anna>, method=PLAIN, rip=198.51.100.7, lip=192.0.2.25, ',
      ['198.51.100.7', 'anna', false, null],
    ],
    [
      'user=<%{user}> method=%{mechanism} rip=%{remote_ip} lip=%{local_ip} %{secured}',
      `${PROXY}user=<anna>, method=PLAIN, rip=198.51.100.7, lip=192.0.2.25, `,
      ['198.51.100.7', 'anna', false, null],
    ],
    [
      'user=<%u> orig=<%{orig_user}> rip=%r rport=%b lip=%l lport=%a %k session=<%{session}>',
      'imap-login: Login: user=<anna>, orig=<Anna>, rip=198.51.100.7, rport=4711, lip=192.0.2.5, lport=993, TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits), session=<kVQx>',
      ['198.51.100.7', 'anna', true, 'kVQx'],
    ],
    [
      'user="%{user|lower}" ip=[%r] %{local_ip} %{secured}',
      'imap-login: Login: user="anna", ip=[2001:db8::17], 192.0.2.5, secured',
      ['2001:db8::17', 'anna', false, null],
    ],
    [
      'user=<%Lu> rip=%r lip=%l',
      'imap-login: Login: user=<anna>, rip=198.51.100.7, lip=192.0.2.5',
      ['198.51.100.7', 'anna', null, null],
    ],
    [
      'session=<%{session}> user=<%u> %c rip=%r rport=%b lip=%l orig=<%{orig_user}> %k method=%m',
      'imap-login: Login: session=<kVQx>, user=<anna>, TLS, rip=198.51.100.7, rport=4711, lip=192.0.2.5, orig=<anna>, TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits), method=PLAIN',
      ['198.51.100.7', 'anna', true, 'kVQx'],
    ],
    // The default is recognised as ever.
    [
      'rip=%r user=<%u>',
      'imap-login: Login: user=<anna>, method=PLAIN, rip=198.51.100.7, lip=192.0.2.5, mpid=99, TLS, session=<kVQx>',
      ['198.51.100.7', 'anna', true, 'kVQx'],
    ],
  ];
  for (const [elements, message, expected] of table) {
    test(`${elements}: ${message}`, async () => {
      assert.deepEqual(await told(elements, message), expected);
    });
  }

  test('several at once', async () => {
    const recogniser = await recogniserOf('rip=%r user=<%u>', 'user=<%u> %c rip=%r lip=%l');
    assert.deepEqual(toldBy(recogniser, 'imap-login: Login: rip=192.0.2.1, user=<anna>'), [
      ...['192.0.2.1', 'anna', null, null],
    ]);
    assert.deepEqual(
      toldBy(recogniser, 'imap-login: Login: user=<anna>, TLS, rip=192.0.2.1, lip=192.0.2.2'),
      ['192.0.2.1', 'anna', true, null],
    );
  });
});

describe('lines of such an order that are no login', () => {
  const ELEMENTS = 'rip=%r user=<%u> method=%m';
  for (const message of [
    'imap-login: Login: rip=198.51.100.7',
    'imap-login: Login: rip=198.51.100.7, user=<anna>, method=ANONYMOUS',
    'managesieve-login: Login: rip=198.51.100.7, user=<anna>, method=PLAIN',
    'imap-login: Disconnected (auth failed, 1 attempts in 2 secs): rip=198.51.100.7, user=<anna>, method=PLAIN',
    'imap-login: Login: rip=198.51.100.256, user=<anna>, method=PLAIN',
    'imap-login: Login: rip=fe80::1%eth0, user=<anna>, method=PLAIN',
  ]) {
    test(message, async () => {
      assert.equal(await told(ELEMENTS, message), null);
    });
  }
});

describe('orders that are refused', () => {
  const table: readonly (readonly [elements: string, problem: RegExp])[] = [
    ['', /no element tells the address/],
    ['user=<%u> lip=%l', /no element tells the address/],
    ['user=%u rip=%r lip=%l', /"user=%u" holds what a client may choose/],
    ['rip=%r lip=%l user=%u %c', /"user=%u" holds what a client may choose/],
    ['user=<%u%d> rip=%r lip=%l', /holds what a client may choose/],
    [
      'user=<%u> rip=%r lip=%l x=%{unheard_of}',
      /"x=%\{unheard_of\}" holds what a client may choose/,
    ],
    ['user=<%u> rip=%r', /no element behind "rip=%r" stands in every line/],
    ['user=<%u> lip=%l rip=%r mpid=%e %c', /no element behind "rip=%r" stands in every line/],
    ['user=<%u> %r lip=%l', /the address in "%r" cannot be told/],
    ['user=<%u> rip=%r rip=%l', /the address in "rip=%r" cannot be told/],
    ['user=<%u> rip=%r ri%l', /the address in "rip=%r" cannot be told/],
    ['user=<%u> rip=%r/%b lip=%l', /the address in "rip=%r\/%b" cannot be told/],
    ['user=<%u> rip=%r lip=%l again=%r', /the address in "rip=%r" cannot be told/],
    // A name that ends in `>, TLS, orig=<` would do where no orig follows.
    ['rip=%r user=<%u> %c orig=<%{orig_user}> lip=%l', /"user=<%u>" could imitate "%c"/],
    // As well `>, TLS, mpid=<`.
    ['rip=%r user=<%u> %c mpid=<%e> lip=%l orig=<%{orig_user}>', /"user=<%u>" could imitate "%c"/],
    ['user=<%u>, rip=%r, lip=%l', /holds the comma/],
  ];
  for (const [elements, problem] of table) {
    test(elements, () => {
      assert.throws(
        () => expressionsOfElements(elements),
        (error: unknown) =>
          error instanceof ExpressionError && problem.test(error.message) && error.hint !== '',
      );
    });
  }

  test('with a line of their own, which names the setting', async () => {
    const loading = loadPatterns(NO_DIRECTORY, given('user=%u rip=%r lip=%l'));
    await assertRejects(loading, 'DOVECOT_ELEMENTS', '--dovecot-elements');
  });
});

/** What Dovecot makes of the elements: those that all their variables leave empty are left out. */
function written(elements: readonly string[], values: Readonly<Record<string, string>>): string {
  return elements
    .map(element => {
      const names = [...element.matchAll(/%\{([^{}]*)\}/g)].map(([, name = '']) => name);
      if (names.every(name => (values[name] ?? '') === '')) return null;
      return element.replace(/%\{([^{}]*)\}/g, (_, name: string) => values[name] ?? '');
    })
    .filter(text => text !== null)
    .join(', ');
}

describe('whatever a client is called, in whatever order', () => {
  const ADDRESS = '198.51.100.7';
  const VICTIM = '203.0.113.66';
  const ALL = [
    'user=<%{user}>',
    'orig=<%{original_user}>',
    'name="%{local_name}"',
    'method=%{mechanism}',
    'rip=%{remote_ip}',
    'lip=%{local_ip}',
    'lport=%{local_port}',
    'mpid=%{mail_pid}',
    '%{secured}',
    '%{ssl_security}',
    'session=<%{session}>',
  ];
  const CIPHER = 'TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)';
  const pieces = fc.constantFrom(
    ...[
      '>',
      '<',
      '"',
      ', ',
      ' ',
      'x',
      'TLS',
      `rip=${VICTIM}`,
      `lip=${VICTIM}`,
      'lport=1',
      'mpid=1',
    ],
    ...['user=<', 'orig=<', 'name="', 'session=<', 'method=PLAIN', CIPHER, 'secured', '): '],
  );
  const hostile = fc.oneof(
    fc.array(pieces, { minLength: 1, maxLength: 14 }).map(parts => parts.join('')),
    // The whole tail of the very line, with another address in it.
    fc.constant('\0'),
  );

  test('the address is the true one, and TLS is not said of a plain connection', () => {
    const parsed = new Map<string, Expression | null>();
    const expressionFor = (order: readonly string[]): Expression | null => {
      const setting = order.join(' ');
      if (!parsed.has(setting)) parsed.set(setting, expressionOrNull(setting));
      return parsed.get(setting) ?? null;
    };
    let recognised = 0;
    fc.assert(
      fc.property(
        fc.shuffledSubarray(ALL, { minLength: 2 }),
        hostile,
        fc.constantFrom('', 'o', '\0'),
        fc.record({
          local_name: fc.constantFrom('', 'mx', '\0'),
          mechanism: fc.constantFrom('', 'PLAIN'),
          mail_pid: fc.constantFrom('', '99'),
          secured: fc.constantFrom('', 'secured'),
        }),
        fc.array(fc.nat(20), { maxLength: 3 }),
        (order, user, original, more, cuts) => {
          const expression = expressionFor(order);
          if (expression === null) return;
          const values = {
            remote_ip: ADDRESS,
            local_ip: '192.0.2.5',
            local_port: '143',
            session: 'kVQx3sQ/8tDGM2QH',
            ...more,
          };
          const forged = { ...values, remote_ip: VICTIM, secured: 'TLS', ssl_security: CIPHER };
          /** A part of what such a line goes on with, as a text for one of the fields. */
          const imitation = (field: string): string => {
            const at = order.findIndex(element => element.includes(`{${field}}`));
            const tail = written(order.slice(at), {
              ...forged,
              user: 'x',
              original_user: 'o',
              local_name: 'n',
            });
            return tail
              .replace(/^[^<"]*[<"]/, '')
              .slice(0, -(cuts[0] ?? 0) || undefined)
              .replace(/[>"]$/, '');
          };
          const filled = (field: string, text: string): string =>
            text === '\0' ? imitation(field) : text;
          const line = `imap-login: Login: ${written(order, {
            ...values,
            user: filled('user', user),
            original_user: filled('original_user', original),
            local_name: filled('local_name', more.local_name),
          })}`;
          const { compiled, groups } = expression;
          const found = compiled.exec(line);
          if (found === null) return;
          recognised++;
          const told = `${order.join(' ')}\n${line}`;
          assert.equal(found[groups.indexOf('ip') + 1], ADDRESS, told);
          if (groups.includes('tls'))
            assert.equal(found[groups.indexOf('tls') + 1], undefined, told);
        },
      ),
      { numRuns: 3000 },
    );
    assert.ok(recognised > 10, String(recognised));
  });
});

function expressionOrNull(setting: string): Expression | null {
  try {
    return parseExpression(expressionsOfElements(setting).login);
  } catch (error) {
    if (error instanceof ExpressionError) return null;
    throw error;
  }
}
