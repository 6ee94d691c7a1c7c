/** What `report` prints of a history, and that a history that cannot be kept costs nothing else. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { MAIN, popbsmtp } from '../real/popbsmtp.ts';
import { startDaemon } from '../real/processes.ts';
import { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';
import { Controlled } from './controlled.ts';
import { mailLines } from './mail-lines.ts';
import { loginLine } from './watched-log.ts';

const rig = new Rig();
after(() => rig.close());

const ANNA = '198.51.100.7';

interface Reported {
  readonly relayed: readonly { readonly [name: string]: unknown }[];
}

describe('report', () => {
  for (const type of ['lmdb', 'cdb', 'texthash']) {
    test(`one object, of the history beside a map of type ${type}`, async () => {
      const directory = await rig.directory();
      const log = join(directory, 'mail.log');
      const map = `${type}:${join(directory, 'pop')}`;
      await writeFile(log, '');
      const daemon = startDaemon(rig, process.execPath, [
        MAIN,
        ...['--watchlog', log, '--map', map, '--debug', '--mynetworks', 'none'],
      ]);
      await waitFor('the start', () => daemon.transcript().includes('watching'));
      await writeFile(log, loginLine(ANNA), { flag: 'a' });
      await daemon.waitForLine(/^read .*ip=198\.51\.100\.7$/);
      await writeFile(log, mailLines({ ip: ANNA, elsewhere: 2, bytes: 4711 }), { flag: 'a' });
      const report = async (): Promise<Reported> => {
        const { code, stdout } = await popbsmtp('report', '--json', '--map', map);
        return code === 0 ? JSON.parse(stdout) : { relayed: [] };
      };
      await waitFor('what was relayed', async () => (await report()).relayed.length > 0);
      await daemon.stop();
      assert.ok(existsSync(join(directory, 'pop.history')));
      const [row, ...more] = (await report()).relayed;
      assert.deepEqual(more, []);
      const { first, last, ...rest } = row ?? {};
      assert.deepEqual(rest, {
        ...{ ip: ANNA, user: 'anna', server: 'dovecot' },
        ...{ messages: 1, recipients: 2, bytes: 4711 },
      });
      for (const time of [first, last])
        assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    });
  }

  test('without a history it says how to get one, and a page stays as it was', async () => {
    const world = await Controlled.make(rig);
    const page = join(world.directory, 'page.html');
    for (const args of [[], ['--json'], ['--html', page]]) {
      const { code, stdout, stderr } = await world.run('report', ...args);
      assert.deepEqual([code, stdout], [66, '']);
      assert.match(stderr, /^popbsmtp: there is no history .*history --import.*\n$/);
    }
    assert.ok(!existsSync(page));
    await writeFile(`${world.path}.history`, '');
    assert.equal((await world.run('report')).code, 66);
    await rm(`${world.path}.history`);
    await writeFile(page, 'of yesterday');
    await mkdir(`${world.path}.history`);
    const { code, stderr } = await world.run('report', '--html', page);
    assert.equal(code, 74, stderr);
    assert.match(stderr, /^popbsmtp: cannot use the history [^\n]*\n$/);
    assert.equal(await readFile(page, 'utf8'), 'of yesterday');
  });
});

test('a history that cannot be opened is told once, and logins are granted', async () => {
  const world = await Controlled.make(rig);
  await mkdir(`${world.path}.history`);
  const daemon = await world.start();
  await world.logIn(daemon, 'anna', ANNA);
  await world.write(mailLines({ ip: ANNA }));
  await world.logIn(daemon, 'bert', '198.51.100.8');
  const { stdout } = await world.run('list', '--json');
  assert.match(stdout, /198\.51\.100\.8/);
  await daemon.stop();
  assert.equal(daemon.transcript().split('cannot use the history').length, 2, daemon.transcript());
});
