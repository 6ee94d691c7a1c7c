/** What is due without a daemon: by the grace period of each address, and by the orders beside the map. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { canonicalIp } from '../../src/base/address.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { Classifier } from '../../src/classifier/classifier.ts';
import { dueRows } from '../../src/daemon/due-rows.ts';
import { classifierFor } from '../../src/daemon/rules.ts';
import { Grace } from '../../src/grant/grace.ts';
import { Orders } from '../../src/grant/orders.ts';
import type { Row } from '../../src/map/map.ts';
import { stampOf } from '../../src/map/row.ts';
import { beside } from '../../src/state/beside.ts';
import { ordersFile, StateFile } from '../../src/state/state-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'popbsmtp-test-'));
after(() => rmSync(directory, { recursive: true }));

const ip = (text: string) => canonicalIp(text) ?? assert.fail(text);

const row = (key: string, value: string): Row => ({ key, value, stamp: stampOf(value) });

test('rows are due by their age, unless an order allows them, or refuses them; or the rules bar them', async () => {
  const spec = { type: 'lmdb', path: join(directory, 'map') };
  const grace = new Grace(900);
  const now = systemClock().now();
  const orders = new Orders(() => grace);
  for (const allowed of ['192.0.2.3', '192.0.2.7']) orders.allow(ip(allowed), 3600, now);
  orders.revoke({ kind: 'address', ip: ip('192.0.2.4') }, 3600, now);
  orders.revoke({ kind: 'user', user: 'mallory' }, 3600, now);
  await ordersFile(spec).write(orders.save(now));
  const entries = [['192.0.2.6', 'mallory', 'dovecot', now.wall, now.wall]];
  await new StateFile(beside(spec, 'roster')).write({ entries });
  const at = (ago: number): string => String(Math.floor(now.wall) - ago);
  const rows = [
    row('192.0.2.1', at(600)),
    row('192.0.2.2', at(1000)),
    row('192.0.2.3', at(1000)),
    row('192.0.2.4', at(600)),
    row('192.0.2.5', 'OK'),
    row('192.0.2.6', at(600)),
    row('192.0.2.7', at(1000)),
    row('fd00::5', at(600)),
  ];
  const due = async (classifier?: Classifier): Promise<string[]> =>
    (await dueRows(spec, rows, grace, classifier)).map(grant => grant.ip);
  assert.deepEqual(await due(), ['192.0.2.2', '192.0.2.4', '192.0.2.6']);
  const none = { value: 'none', origin: 'the test' };
  const rules = {
    mynetworks: none,
    postfixConfig: null,
    exclude: { value: '192.0.2.7', origin: 'the test' },
    wholeAddresses: false,
    refuseOwn: false,
    otherMap: null,
  };
  const judged = await due(await classifierFor(rules, text => assert.fail(text)));
  assert.deepEqual(judged, ['192.0.2.2', '192.0.2.4', '192.0.2.6', '192.0.2.7', 'fd00::5']);
});
