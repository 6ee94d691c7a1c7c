/** Addresses that are no client's, addresses that many share, and clients that send from another address than they log in from. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { canonicalIp } from '../../src/base/address.ts';
import { epoch } from '../../src/base/clock.ts';
import type { Bar } from '../../src/classifier/classifier.ts';
import { judgeClients } from '../../src/doctor/clients.ts';
import type { TimedRefusal } from '../../src/doctor/log-tail.ts';
import type { Outcome } from '../../src/grant/decision.ts';
import { Grace } from '../../src/grant/grace.ts';
import type { LoginEvent } from '../../src/recogniser/event.ts';
import { login, said } from './arrange.ts';

const NOW = 1_700_000_000;

const refusal = (address: string, sender: string, time = NOW): TimedRefusal => {
  const ip = canonicalIp(address);
  assert.ok(ip !== null);
  return { ip, sender, time: epoch(time) };
};

const judge = (logins: readonly LoginEvent[], ...refusals: TimedRefusal[]): string =>
  said(
    judgeClients({
      logins,
      refusals,
      rehearsal: { logins: [], crowded: [], left: null },
      grace: new Grace(900),
    }),
  ).join('\n');

const V6 = '2001:db8:1::50';
const V4 = '192.0.2.50';
const carl = (ip: string, ago = 60, user = 'carl'): LoginEvent => login(ip, NOW - ago, { user });

describe('clients', () => {
  const found =
    /^warning: carl logged in from 2001:db8:1::50 and was refused at 192\.0\.2\.50: IPv6 there and IPv4 here/;
  const table: readonly (readonly [string, string, RegExp])[] = [
    ['that nobody refuses', judge([carl(V6)]), /^ok: 1 address with logins/],
    ['refused in the other family', judge([carl(V6)], refusal(V4, 'carl@example.org')), found],
    [
      'the other way round',
      judge([carl(V4)], refusal(V6, 'CARL@example.org')),
      /^warning: carl logged in from 192/,
    ],
    [
      'with a domain in both names',
      judge([carl(V6, 60, 'carl@example.org')], refusal(V4, 'carl@example.org')),
      /^warning: /,
    ],
    [
      'of another domain',
      judge([carl(V6, 60, 'carl@example.org')], refusal(V4, 'carl@example.com')),
      /^ok: /,
    ],
    ['known by an earlier login', judge([carl(V4, 5000), carl(V6)], refusal(V4, '')), found],
    ['that are somebody else', judge([carl(V6)], refusal(V4, 'bert@example.org')), /^ok: /],
    ['without a name', judge([carl(V6)], refusal(V4, '')), /^ok: /],
    ['in the same family', judge([carl('192.0.2.9')], refusal(V4, 'carl')), /^ok: /],
    ['when the login is too old', judge([carl(V6, 1000)], refusal(V4, 'carl')), /^ok: /],
    ['before the login', judge([carl(V6, -600)], refusal(V4, 'carl')), /^ok: /],
    [
      'refused at an address that has a grant as well',
      judge([carl(V6), carl(V4)], refusal(V4, 'carl')),
      /^ok: /,
    ],
    ['that are none', judge([], refusal(V4, 'carl')), /^$/],
  ];
  for (const [name, told, expected] of table) test(name, () => assert.match(told, expected));

  test('behind one address', () => {
    const logins = Array.from({ length: 40 }, (_, index) =>
      carl('198.51.100.3', 40 - index, `u${index}`),
    );
    const rehearsed = logins.map(each => ({
      login: each,
      outcome: { kind: 'granted', effect: null } as const,
    }));
    const [verdict] = judgeClients({
      logins,
      refusals: [],
      rehearsal: { logins: rehearsed, crowded: logins.slice(10, 11), left: null },
      grace: new Grace(900),
    });
    assert.equal(verdict?.level, 'warning');
    assert.match(verdict?.what ?? '', /^40 users logged in from 198\.51\.100\.3: a proxy/);
    assert.match(verdict?.hint ?? '', /PROXY protocol.*limit-action = "refuse"/);
  });

  test('behind one address whose later logins are refused for that', () => {
    const logins = Array.from({ length: 40 }, (_, index) =>
      carl('198.51.100.3', 40 - index, `u${index}`),
    );
    const [verdict, ...more] = judgeClients({
      logins,
      refusals: [],
      rehearsal: {
        logins: logins.map((each, index) => ({
          login: each,
          outcome:
            index < 10
              ? { kind: 'granted', effect: null }
              : { kind: 'ignored', reason: 'too many users' },
        })),
        crowded: [],
        left: null,
      },
      grace: new Grace(900),
    });
    assert.equal(verdict?.level, 'warning');
    assert.match(
      verdict?.what ?? '',
      /^40 users logged in from 198\.51\.100\.3, more than max-users-per-address allows, and 30 of their logins got no grant: /,
    );
    assert.match(verdict?.hint ?? '', /PROXY protocol.*or raise max-users-per-address$/);
    assert.deepEqual(more, []);
  });

  test('of which many are refused: the first are named, and how many there are', () => {
    const logins = Array.from({ length: 9 }, (_, index) => carl(`2001:db8:${index + 1}::`));
    const verdicts = judgeClients({
      logins,
      refusals: [],
      rehearsal: {
        logins: logins.map(each => ({
          login: each,
          outcome: { kind: 'ignored', reason: 'opens other networks' },
        })),
        crowded: [],
        left: null,
      },
      grace: new Grace(900),
    });
    assert.equal(verdicts.length, 3);
    assert.match(verdicts.at(-1)?.what ?? '', / \(and 6 more addresses likewise\)$/);
    assert.equal(verdicts[0]?.level, 'error', 'since nobody gets a grant');
  });

  const barred: readonly (readonly [Bar, number, RegExp])[] = [
    [
      'own address',
      1,
      /^warning: 1 login came from 172\.19\.0\.1, this machine's own address, and got no grant$/,
    ],
    [
      'gateway',
      2,
      /^warning: 2 logins came from 172\.19\.0\.1, the default gateway of this machine, and got no grant$/,
    ],
    [
      'opens other networks',
      3,
      /^error: 3 logins came from 172\.19\.0\.1 .* for other networks too$/,
    ],
  ];
  for (const [reason, number, expected] of barred)
    test(`of which one is refused: ${reason}`, () => {
      const logins = Array.from({ length: number }, () => carl('172.19.0.1'));
      const outcome: Outcome = { kind: 'ignored', reason };
      const other = { login: carl(V4), outcome: { kind: 'ignored', reason: 'excluded' } } as const;
      const verdicts = judgeClients({
        logins,
        refusals: [],
        rehearsal: {
          logins: [other, ...logins.map(login => ({ login, outcome }))],
          crowded: [],
          left: null,
        },
        grace: new Grace(900),
      });
      assert.match(said(verdicts).join('\n'), expected);
    });
});
