/**
 * What a running daemon tells of lines that somebody tears: a warning, once, and numbers.
 */
import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { popbsmtp } from '../real/popbsmtp.ts';
import { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';
import { WatchedLog } from './watched-log.ts';

const rig = new Rig();
let watched: WatchedLog;
before(async () => {
  watched = await WatchedLog.make(rig);
});
after(() => rig.close());

const line = (message: string): string => `${new Date().toISOString()} mx imapd: ${message}\n`;
const login = (ip: string): string =>
  line(`LOGIN, user=anna, ip=[::ffff:${ip}], port=[7], protocol=IMAP`);

test('somebody tears lines of imapd', async () => {
  const map = watched.newMap();
  const daemon = watched.start(map);
  await appendFile(watched.log, login('198.51.100.1'));
  await daemon.waitForLine(/granted ip=198\.51\.100\.1 /);
  const torn = [
    line('LOGIN FAILED, user=A'),
    line(''),
    login('203.0.113.66'),
    login('198.51.100.2'),
  ];
  await appendFile(watched.log, torn.join(''));
  await daemon.waitForLine(
    /warning: somebody is tearing lines of imapd on mx: logins of 1 line were passed over, /,
  );
  const status = async (): Promise<unknown> =>
    JSON.parse((await popbsmtp('status', '--map', map, '--json')).stdout);
  const counted = async (): Promise<boolean> => {
    const found = await status();
    return (
      typeof found === 'object' &&
      found !== null &&
      'tornLines' in found &&
      'passedOver' in found &&
      found.tornLines === 4 &&
      found.passedOver === 2
    );
  };
  await waitFor('the numbers', counted, { seen: async () => JSON.stringify(await status()) });
  const { stdout } = await popbsmtp('status', '--map', map, '--prometheus');
  assert.match(stdout, /^popbsmtp_torn_lines_total 4$/m);
  assert.match(stdout, /^popbsmtp_logins_passed_over_total 2$/m);
  assert.equal(await daemon.stop(), 0);
  const output = daemon.transcript();
  assert.equal(output.split('somebody is tearing').length, 2, output);
  assert.ok(!output.includes('203.0.113.66'), output);
});
