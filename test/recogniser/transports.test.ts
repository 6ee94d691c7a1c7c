/**
 * Every way that a login of every server comes into a log, one by one: what carries the line, how it was logged, and
 * who logged it; and the same ways for lines in which somebody else says what the server says.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { StampReader } from '../../src/line/stamp.ts';
import type { ServerEvent } from '../../src/recogniser/event.ts';
import { loadPatterns } from '../../src/recogniser/load.ts';
import { Recogniser } from '../../src/recogniser/recogniser.ts';
import { Registry } from '../../src/recogniser/registry.ts';
import { CARRIERS, jsonFile } from './carriers.ts';
import { type Fields, SERVERS, type Server } from './formats.ts';
import { TRANSPORTS, type Transport } from './transports.ts';

const registry = await loadPatterns({ directory: '/nonexistent', explicit: false });
/** The same, by an administrator who trusts these hosts as relays. */
const trusting = new Registry(registry.files, new Set(['mx', 'relay', 'h']));
const NOW = epoch(Date.parse('2026-11-24T12:00:00Z') / 1000);

/** Dovecot says it itself: its own log, alone and behind a tag. */
const OWN: readonly (readonly [string, (message: string) => string])[] = [
  ['its own log', message => `Nov 23 00:53:00 ${message.replace(': ', ': Info: ')}`],
  [
    'its own log with another stamp',
    message => `2026-11-23 00:53:00 ${message.replace(': ', ': Info: ')}`,
  ],
  ['its own log of 1.x', message => `dovecot: Nov 23 00:53:00 Info: ${message}`],
];

const fields: Fields = { user: 'anna', ip: '198.51.100.7', host: 'h', text: 'x' };
const FORGED = '203.0.113.66';
const forged: Fields = { ...fields, ip: FORGED };

const read = (...lines: readonly string[]): ServerEvent | null => readBy(registry, ...lines);
const readBy = (by: Registry, ...lines: readonly string[]): ServerEvent | null => {
  const recogniser = new Recogniser(by, new StampReader(() => NOW));
  return lines.map(line => recogniser.recognise(line)).at(-1) ?? null;
};
const ipOf = (event: ServerEvent | null): string | null =>
  event?.event === 'login' ? event.ip : null;

/** The lines of a login; the first one tells the address where that is one of its own. */
const loginOf = ({ connect, successes }: Server, of: Fields): readonly string[] => [
  ...(connect === undefined ? [] : [connect(of)]),
  successes[0]?.(of) ?? '',
];

describe('a login, whatever way it took', () => {
  for (const server of SERVERS) {
    const tag = server.tags[0] ?? '';
    for (const [carrier, carry] of CARRIERS) {
      for (const [transport, log] of TRANSPORTS) {
        // What is told in two lines is not folded: the processes of both have numbers of their own.
        if (server.connect !== undefined && transport.startsWith('rsyslog, once more')) continue;
        test(`${server.server} as ${tag}, ${transport}, in ${carrier}`, () => {
          const event = read(...loginOf(server, fields).map(message => carry(log(tag, message))));
          assert.equal(ipOf(event), fields.ip);
          assert.equal(event?.time, Date.parse('2026-11-23T00:53:00Z') / 1000);
        });
      }
    }
  }
});

describe('Dovecot’s own lines, whatever way they took', () => {
  const [message = ''] = loginOf(SERVERS[0] ?? assert.fail('Dovecot comes first'), fields);
  for (const [carrier, carry] of CARRIERS) {
    for (const [form, own] of OWN) {
      test(`${form}, in ${carrier}`, () =>
        assert.equal(ipOf(read(carry(own(message)))), fields.ip));
      for (const [transport, log] of TRANSPORTS) {
        test(`${form}, ${transport}, in ${carrier}`, () => {
          assert.equal(ipOf(read(carry(log('dovecot[1363]', own(message))))), fields.ip);
        });
      }
    }
  }
});

/** What a relay puts before a line. */
const HEADERS: readonly string[] = [
  'Nov 23 00:53:01 relay ',
  'Nov 23 00:53:01 relay - ',
  '2026-11-23T00:53:01.5Z relay ',
  '<22>1 2026-11-23T00:53:01Z relay - - - - ',
];

describe('a login behind the header of a trusted relay', () => {
  for (const server of SERVERS) {
    const tag = server.tags[0] ?? '';
    for (const header of HEADERS) {
      for (const [transport, log] of TRANSPORTS) {
        if (server.connect !== undefined && transport.startsWith('rsyslog, once more')) continue;
        test(`${server.server} as ${tag}, ${transport}, behind ${header}`, () => {
          const lines = loginOf(server, fields).map(message => `${header}${log(tag, message)}`);
          assert.equal(ipOf(readBy(trusting, ...lines)), fields.ip);
          assert.equal(ipOf(read(...lines)), null);
        });
      }
    }
  }
});

/** Who quotes a stranger: program and message. */
const QUOTES: readonly ((line: string) => readonly [string, string])[] = [
  line => ['postfix/smtpd[7]', `warning: non-SMTP command from h[${FORGED}]: ${line}`],
  line => ['postfix/smtpd[7]', line],
  line => ['sshd', `Invalid user ${line} from ${FORGED}`],
  line => ['dovecot', `auth: passwd-file(${line},${FORGED},<x>): unknown user`],
  line => ['dovecot', `auth: Error: ${line}`],
  line => [
    'dovecot',
    `imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<${line}>, method=PLAIN, rip=192.0.2.9, lip=192.0.2.5`,
  ],
  line => ['imapd', `LOGIN FAILED, user=${line}, ip=[192.0.2.9]`],
];

/** What a stranger may have others write of a line that he would have liked to write. */
function* forgeries(
  line: string,
  log: Transport,
  carry: (line: string) => string,
): Generator<string> {
  for (const quote of QUOTES) {
    const [by, words] = quote(line);
    yield carry(log(by, words));
    yield carry(`x ${log(by, words)}`);
  }
}

/** A word or a relay's header before a line. */
const behindMore = (line: string, carry: (line: string) => string): readonly string[] => [
  carry(`x ${line}`),
  carry(`relay ${line}`),
  carry(`Nov 23 00:53:01 relay ${line}`),
  `2026-11-23T00:53:01Z relay ${carry(line)}`,
  `x ${carry(line)}`,
];

/** Lines in which somebody else says what the server would. */
function* otherVoices(
  tag: string,
  message: string,
  log: Transport,
  carry: (line: string) => string,
): Generator<string> {
  const line = log(tag, message);
  const relayed = `Nov 23 00:53:01 relay ${line}`;
  for (const quoted of [message, line, carry(line), relayed]) yield* forgeries(quoted, log, carry);
}

describe('nobody else says it, whatever way it took', () => {
  for (const server of SERVERS) {
    const tag = server.tags[0] ?? '';
    const message = loginOf(server, forged).at(-1) ?? '';
    for (const [carrier, carry] of CARRIERS) {
      for (const [transport, log] of TRANSPORTS) {
        test(`${server.server} as ${tag}, ${transport}, in ${carrier}`, () => {
          for (const text of behindMore(log(tag, message), carry))
            assert.notEqual(ipOf(read(text)), FORGED, text);
          for (const text of otherVoices(tag, message, log, carry)) assertNobodys(text);
        });
      }
    }
  }
});

describe('a login in a container with a terminal, which ends its lines with CR LF', () => {
  for (const server of SERVERS)
    test(server.server, () => {
      const tag = server.tags[0] ?? '';
      const lines = loginOf(server, fields).map(text => `Nov 23 00:53:00 mx ${tag}: ${text}\r`);
      assert.equal(ipOf(read(...lines.map(jsonFile))), fields.ip);
    });
});

test('a carriage return is no end of a line before its end', () => {
  const login = 'Nov 23 00:53:00 mx pop3d: LOGIN, user=anna, ip=[198.51.100.7], port=[1]';
  assert.equal(ipOf(read(`${login}\r`)), '198.51.100.7');
  for (const end of ['\r\r', '\r ', '\rx', ' \r', '#015#015', '#015\r', '#015x', '#012'])
    assert.equal(read(`${login}${end}`), null, JSON.stringify(end));
});
function assertNobodys(text: string): void {
  for (const by of [registry, trusting]) assert.notEqual(ipOf(readBy(by, text)), FORGED, text);
}
