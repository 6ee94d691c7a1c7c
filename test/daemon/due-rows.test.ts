/** What is due without a daemon: by the grace period of each address, and by the orders beside the map. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { canonicalIp } from '../../src/base/address.ts';
import { systemClock } from '../../src/base/clock.ts';
import { dueRows } from '../../src/daemon/due-rows.ts';
import { Grace } from '../../src/grant/grace.ts';
import { Orders } from '../../src/grant/orders.ts';
import type { Row } from '../../src/map/map.ts';
import { stampOf } from '../../src/map/row.ts';
import { ordersFile } from '../../src/state/state-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'popbsmtp-test-'));
after(() => rmSync(directory, { recursive: true }));

const ip = (text: string) => canonicalIp(text) ?? assert.fail(text);

test('rows are due by their age, unless an order allows them, or refuses them', async () => {
  const spec = { type: 'lmdb', path: join(directory, 'map') };
  const grace = new Grace(900);
  const now = systemClock().now();
  const orders = new Orders(() => grace);
  orders.allow(ip('192.0.2.3'), 3600, now);
  orders.revoke({ kind: 'address', ip: ip('192.0.2.4') }, 3600, now);
  await ordersFile(spec).write(orders.save(now));
  const row = (key: string, value: string): Row => ({ key, value, stamp: stampOf(value) });
  const at = (ago: number): string => String(Math.floor(now.wall) - ago);
  const rows = [
    row('192.0.2.1', at(600)),
    row('192.0.2.2', at(1000)),
    row('192.0.2.3', at(1000)),
    row('192.0.2.4', at(600)),
    row('192.0.2.5', 'OK'),
  ];
  assert.deepEqual(
    dueRows(spec, rows, grace).map(grant => grant.ip),
    ['192.0.2.2', '192.0.2.4'],
  );
});
