import assert from 'node:assert/strict';
import { chmod, open, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { tryLock } from '../../src/map/lock.ts';
import type { MapSpec } from '../../src/map/map.ts';
import { claim, ownerOf } from '../../src/map/owner.ts';
import { startNode } from './child.ts';
import { failing } from './failing.ts';
import { directory, newSpec } from './scratch.ts';

const notePath = ({ path }: MapSpec): string => `${path}.owner`;

const todaysBoot = async (): Promise<string> =>
  (await readFile('/proc/sys/kernel/random/boot_id', 'latin1')).trim();

/** What an owner left that is gone. */
const leave = (spec: MapSpec, text: string): Promise<void> => writeFile(notePath(spec), text);

const ANOTHER_BOOT = '01234567-89ab-cdef-0123-456789abcdef';

describe('claim', () => {
  test('notes pid, boot and that the map is in use', async () => {
    const spec = await newSpec();
    const owner = await claim(spec);
    assert.equal(
      await readFile(notePath(spec), 'utf8'),
      `pid ${process.pid}\nboot ${await todaysBoot()}\nclean no\nunmet\n`,
    );
    await owner.meet();
    assert.equal(
      await readFile(notePath(spec), 'utf8'),
      `pid ${process.pid}\nboot ${await todaysBoot()}\nclean no\n`,
    );
    await owner.release({ clean: false });
  });

  test('is the first until the rows that were there before have been looked at', async () => {
    const spec = await newSpec();
    for (const clean of [false, true]) {
      const owner = await claim(spec);
      assert.deepEqual([owner.isFirst, owner.trusted], [true, true]);
      await owner.release({ clean });
    }
    const met = await claim(spec);
    await met.meet();
    assert.equal(met.isFirst, false);
    await met.release({ clean: true });
    const next = await claim(spec);
    assert.equal(next.isFirst, false);
    await next.release({ clean: true });
    const earlier = await newSpec();
    await leave(earlier, `pid 1\nboot ${await todaysBoot()}\nclean yes\n`);
    const owner = await claim(earlier);
    assert.equal(owner.isFirst, false, 'of a version that knew no first contact');
    await owner.release({ clean: true });
  });

  test('makes its file 0600, and takes from others what an earlier version gave them', async () => {
    const spec = await newSpec();
    await (await claim(spec)).release({ clean: true });
    assert.equal((await stat(notePath(spec))).mode & 0o777, 0o600);
    await chmod(notePath(spec), 0o644);
    await (await claim(spec)).release({ clean: true });
    assert.equal((await stat(notePath(spec))).mode & 0o777, 0o600);
  });

  const DEAD = 4_194_304; // PID_MAX_LIMIT of 64-bit Linux (proc_sys_kernel(5)): no process has it.
  for (const [what, pid] of [
    ['a dead owner', DEAD],
    ['a process that has the pid of a dead owner', process.ppid],
  ] as const) {
    test(`a shared lock of somebody else's is told as such, not as ${what}`, async () => {
      const spec = await newSpec();
      await leave(spec, `pid ${pid}\nboot ${await todaysBoot()}\nclean no\n`);
      const stranger = await open(notePath(spec));
      await tryLock(stranger.fd, 'shared');
      await assert.rejects(claim(spec), failing('OWNER_LOCKED'));
      await stranger.close();
      await (await claim(spec)).release({ clean: true });
    });
  }

  test('waits for whoever asks for the owner at the same moment', async () => {
    const spec = await newSpec();
    await leave(spec, `pid ${DEAD}\nboot ${await todaysBoot()}\nclean yes\n`);
    const asking = await open(notePath(spec));
    await tryLock(asking.fd, 'shared');
    const claimed = claim(spec);
    await nextTurn();
    await asking.close();
    await (await claimed).release({ clean: true });
  });

  test('refuses a second owner and names the first', async () => {
    const spec = await newSpec();
    const owner = await claim(spec);
    await assert.rejects(claim(spec), error => {
      assert.ok(failing('MAP_OWNED')(error));
      assert.match(String(error), new RegExp(`pid ${process.pid}$`));
      return true;
    });
    await owner.release({ clean: true });
    await (await claim(spec)).release({ clean: true });
  });

  test('is given back by the kernel when the owner is killed', async () => {
    const spec = await newSpec();
    const child = startNode(
      `const { claim } = await import(source('map/owner.js'));
       globalThis.owner = await claim(${JSON.stringify(spec)});
       console.log('claimed');
       setInterval(() => undefined, 1e6);`,
    );
    await child.line();
    await assert.rejects(claim(spec), failing('MAP_OWNED'));
    await child.kill('SIGKILL');
    const owner = await claim(spec);
    assert.equal(owner.trusted, true, 'the kernel has all that was written in this boot');
    await owner.release({ clean: true });
  });

  test('says so when it cannot write in the directory', async () => {
    const path = `${await directory()}/missing/map`;
    await assert.rejects(claim({ type: 'lmdb', path }), failing('MAP_DIRECTORY'));
  });

  test('does not follow a link in place of its file', async () => {
    const spec = await newSpec();
    await symlink('elsewhere', notePath(spec));
    await assert.rejects(claim(spec), failing('MAP_PERMISSION'));
  });
});

describe('trust', () => {
  const table: [string, string, boolean][] = [
    ['there was no owner', '', true],
    ['a clean stop in another boot', `pid 12\nboot ${ANOTHER_BOOT}\nclean yes\n`, true],
    ['no clean stop in another boot', `pid 12\nboot ${ANOTHER_BOOT}\nclean no\n`, false],
    ['no clean stop in this boot', `pid 12\nboot TODAY\nclean no\n`, true],
    ['a torn note', `pid 12\nboot ${ANOTHER_BOOT}\ncle`, false],
    ['zeros, as a file system leaves them', '\0'.repeat(60), false],
  ];
  for (const [what, text, trusted] of table) {
    test(`${what}: ${trusted ? 'trusted' : 'not trusted'}`, async () => {
      const spec = await newSpec();
      await leave(spec, text.replace('TODAY', await todaysBoot()));
      const owner = await claim(spec);
      assert.equal(owner.trusted, trusted);
      await owner.release({ clean: false });
    });
  }

  test('a map that was not made anew is still not trusted in the next try', async () => {
    const spec = await newSpec();
    await leave(spec, `pid 12\nboot ${ANOTHER_BOOT}\nclean no\n`);
    await (await claim(spec)).release({ clean: false });
    const second = await claim(spec);
    assert.equal(second.trusted, false);
    await second.trust();
    await second.release({ clean: false });
    const third = await claim(spec);
    assert.equal(third.trusted, true);
    await third.release({ clean: true });
    assert.match(await readFile(notePath(spec), 'utf8'), /\nclean yes\n$/);
  });
});

describe('ownerOf', () => {
  test('tells the pid of the daemon that has the map, and only while it has it', async () => {
    const spec = await newSpec();
    assert.equal(await ownerOf(spec), null, 'no daemon ever');
    const owner = await claim(spec);
    assert.equal(await ownerOf(spec), process.pid);
    assert.equal(await ownerOf(spec), process.pid, 'asking changes nothing');
    await owner.release({ clean: true });
    assert.equal(await ownerOf(spec), null);
    await (await claim(spec)).release({ clean: true });
  });
});
