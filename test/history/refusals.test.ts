import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { IpText } from '../../src/base/address.ts';
import { epoch } from '../../src/base/clock.ts';
import type { Decision } from '../../src/grant/decision.ts';
import { History } from '../../src/history/history.ts';
import { HistoryFile } from '../../src/history/history-file.ts';
import { Recorder } from '../../src/history/recorder.ts';
import { mostRefusals, Refusals } from '../../src/history/refusals.ts';
import { parseLine } from '../../src/line/prefix.ts';
import { StampReader } from '../../src/line/stamp.ts';
import { loadMailRecogniser } from '../../src/mta/load.ts';

const NOON = 1_795_000_000;
const HOUR = 3600;
const MIB = 2 ** 20;

const ANNA = '198.51.100.7' as IpText;
const quad = (number: number): IpText =>
  [1 + (number % 223), (number >> 8) % 256, (number >> 16) % 256, (number * 7) % 256].join(
    '.',
  ) as IpText;
const anyIp = fc.oneof(
  fc.ipV4().map(text => text as IpText),
  fc
    .array(fc.nat(0xffff), { minLength: 7, maxLength: 7 })
    .map(parts => ['2001', ...parts.map(part => (part | 1).toString(16))].join(':') as IpText),
);

describe('refusals of an hour', () => {
  test('are bounded, from however many addresses', () => {
    const flood = fc.array(fc.tuple(anyIp, fc.nat(HOUR - 1)), { minLength: 200, maxLength: 400 });
    fc.assert(
      fc.property(flood, all => {
        const refusals = new Refusals(100);
        const kept = all.filter(([ip, second]) => refusals.admits(ip, false, second));
        assert.ok(kept.length <= 50, `${kept.length}`);
      }),
    );
  });

  test('of who had a grant are kept, whatever strangers do', () => {
    fc.assert(
      fc.property(fc.array(anyIp, { minLength: 200, maxLength: 300 }), strangers => {
        const refusals = new Refusals(100);
        for (const ip of strangers) refusals.admits(ip, false, 0);
        assert.equal(refusals.admits(ANNA, true, 0), true);
      }),
    );
  });

  test('of one address, or one network, leave room for others', () => {
    const flood: readonly [string, (at: number) => string][] = [
      ['one address', () => '203.0.113.66'],
      ['a /24', at => `203.0.113.${at % 256}`],
      ['a /64', at => `2001:db8::${(at + 1).toString(16)}`],
      ['a /48', at => `2001:db8:0:${(at + 1).toString(16)}::1`],
    ];
    for (const [what, ipAt] of flood) {
      const refusals = new Refusals(1000);
      const ips = Array.from({ length: 500 }, (_, at) => ipAt(at) as IpText);
      const kept = ips.filter(ip => refusals.admits(ip, false, 0)).length;
      assert.ok(kept > 0 && kept <= 30, `${what}: ${kept}`);
      assert.equal(refusals.admits('192.0.2.1' as IpText, false, 0), true, what);
    }
  });

  test('are none of the next hour', () => {
    const refusals = new Refusals(10);
    const admit = (now: number): boolean => refusals.admits(ANNA, false, now);
    assert.deepEqual([1, 2, 3, 4, 5, 6].map(admit), [true, true, true, true, true, false]);
    assert.equal(admit(HOUR), true);
  });
});

describe('a flood of refusals', () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'popbsmtp-refusals-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  test('leaves the logins, grants and messages of 90 days', async () => {
    const path = join(directory, 'history');
    const size = 16 * MIB;
    let now = NOON;
    const history = new History({
      mail: await loadMailRecogniser(),
      sink: opened =>
        new Recorder({
          open: async () => {
            const file = await HistoryFile.open(path, { most: size, warn: assert.fail });
            opened({ messages: [], holders: Promise.resolve(new Map()) });
            return file;
          },
          serial: 1,
          age: 90 * 86_400,
          warn: assert.fail,
        }),
      live: ip => (ip === ANNA ? { user: 'anna', server: 'dovecot', since: now - 1 } : null),
      kept: user => user,
      refusals: mostRefusals(size),
      hadGrant: () => false,
      now: () => now,
    });
    const stamps = new StampReader(() => epoch(now));
    const tell = (program: string, message: string): void => {
      const stamp = new Date(now * 1000).toISOString();
      const line = parseLine(`${stamp} mx postfix/${program}[9]: ${message}`, stamps);
      assert.ok(history.line(line, epoch(now)), message);
    };
    const login: Decision = {
      kind: 'login',
      login: {
        ...{ event: 'login', ip: ANNA, user: 'anna', server: 'dovecot', time: null },
        ...{ session: null, tls: true },
      },
      outcome: { kind: 'granted', effect: 'added' },
    };
    const grant = { ip: ANNA, stamp: epoch(NOON) };
    const hours = 90 * 24 - 1;
    for (let hour = 0; hour < hours; hour++) {
      now = NOON + hour * HOUR;
      history.report(login);
      const id = `4A1B2C3D${(0x1000 + hour).toString(16).toUpperCase()}`;
      tell('smtpd', `${id}: client=unknown[${ANNA}]`);
      tell('qmgr', `${id}: from=<x>, size=1234, nrcpt=1 (queue active)`);
      tell('smtp', `${id}: to=<y>, relay=z, status=sent`);
      for (let at = 0; at < 400; at++)
        tell(
          'smtpd',
          `NOQUEUE: reject: RCPT from unknown[${quad(hour * 400 + at)}]: 554 5.7.1 <x@y.example>: Relay access denied; from=<x> to=<x@y.example> proto=SMTP helo=<x>`,
        );
      history.settle();
      history.report({ kind: 'purged', grant, holder: { user: 'anna', server: 'dovecot' } });
      if (hour % 48 === 47) await history.commit();
    }
    await history.stop();
    const counts: Record<string, number> = {};
    const file = await HistoryFile.openForReading(path);
    await file.visit(0, 2 ** 32 - 1, ({ kind }) => {
      counts[kind] = (counts[kind] ?? 0) + 1;
    });
    await file.close();
    const { refused = 0, ...others } = counts;
    assert.deepEqual(others, { login: hours, relayed: hours, ended: hours, daemon: 1 });
    assert.ok(refused > 0 && refused <= (hours + 1) * mostRefusals(size), `${refused}`);
  });
});
