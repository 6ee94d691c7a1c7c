/** Two programs at once, each on a machine of its own. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { isolated, whyNotIsolated } from './isolation.ts';
import { type Daemon, startDaemon } from './real/processes.ts';
import { requirePrograms } from './real/programs.ts';
import { Rig } from './real/rig.ts';
import { waitFor } from './real/wait.ts';

const skip = requirePrograms(['setpriv', 'unshare', 'mount', 'ip'], { root: true });

/** What no two programs on one machine can do at the same time. */
const SERVER = `
require('node:net').createServer().listen(110, '::1', () => {
  require('node:fs').writeFileSync('/dev/log', '', { flag: 'wx' });
  require('node:fs').writeFileSync('/run/popbsmtp-test', process.argv[1], { flag: 'wx' });
  console.log(process.pid + ' in ' + require('node:os').tmpdir());
});
`;

describe('isolated programs', { skip }, () => {
  const rig = new Rig();
  after(() => rig.close());

  async function start(...command: string[]): Promise<{ daemon: Daemon; base: string }> {
    const base = await rig.directory();
    const [program, ...args] = isolated(base, command);
    const daemon = startDaemon(rig, program, args);
    // unshare(1) passes no other signal on.
    rig.defer(() => daemon.signal('SIGKILL'));
    return { daemon, base };
  }

  test('have the syslog socket, a port, /run and a directory each, and leave nothing', async () => {
    const hadLog = existsSync('/dev/log');
    const both = await Promise.all([1, 2].map(() => start(process.execPath, '-e', SERVER, 'x')));
    for (const { daemon, base } of both) {
      await daemon.waitForLine(new RegExp(`^\\d+ in ${base}/tmp$`));
      assert.deepEqual(readdirSync(base), []);
    }
    assert.equal(existsSync('/dev/log'), hadLog);
    assert.equal(existsSync('/run/popbsmtp-test'), false);
  });

  test('end as their program does, and take down what it has left', async () => {
    // It holds the output open for as long as it lives.
    const { daemon } = await start('sh', '-c', 'setsid sleep 10000 & exit 7');
    let ended: number | null | undefined;
    daemon.exited().then(code => {
      ended = code;
    });
    await waitFor('the end of all', () => ended !== undefined);
    assert.equal(ended, 7);
  });

  test('can be had here', async () => {
    assert.equal(whyNotIsolated(await rig.directory()), null);
  });
});
