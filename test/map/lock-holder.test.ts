/** Who holds a lock: what /proc says, and what this process sees of another's. */
import assert from 'node:assert/strict';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { locksIn, locksOn, whoHolds } from '../../src/map/lock-holder.ts';
import { startNode } from './child.ts';
import { directory } from './scratch.ts';

/** Lines of Linux 6.18, shortened. */
const LOCKS = `1: POSIX  ADVISORY  READ 21558 fe:00:2287231 0 EOF
2: OFDLCK ADVISORY  WRITE -1 fe:00:2287231 0 EOF
2: -> OFDLCK ADVISORY  WRITE 99 fe:00:2287231 0 EOF
3: FLOCK  ADVISORY  WRITE 21476 fe:00:2287231 0 EOF
4: POSIX  ADVISORY  WRITE 77 fe:01:2287231 0 EOF
5: POSIX  ADVISORY  WRITE 78 fe:00:22872310 0 EOF
`;

describe('lines of /proc/locks', () => {
  test('those of the file count: of fcntl, and held', () => {
    const found = locksIn(LOCKS, { dev: 0xfe00n, ino: 2287231n });
    assert.deepEqual(
      found.map(({ pid, exclusive }) => [pid, exclusive]),
      [
        [21558, false],
        [-1, true],
      ],
    );
  });

  test('where no device fits, the inode decides', () => {
    const found = locksIn(LOCKS, { dev: 0x1n, ino: 22872310n });
    assert.deepEqual(
      found.map(({ pid }) => pid),
      [78],
    );
  });

  test('one of fdinfo is read as well', () => {
    const text = 'pos:\t0\nlock:\t1: OFDLCK ADVISORY  READ -1 fe:00:9 0 EOF\n';
    assert.equal(locksIn(text, { dev: 0xfe00n, ino: 9n }).length, 1);
  });
});

test('a lock that names no process is found by its descriptor', async () => {
  const path = join(await directory(), 'file');
  await (await open(path, 'w')).close();
  const file = await stat(path, { bigint: true });
  assert.deepEqual(locksOn(file), { exclusive: false, holders: [] });
  assert.equal(whoHolds(locksOn(file)), 'another program');
  const child = startNode(
    `const { open } = await import('node:fs/promises');
     const { lock } = await import(source('map/lock.js'));
     globalThis.file = await open(${JSON.stringify(path)}, 'r+');
     await lock(globalThis.file.fd, 'exclusive');
     console.log(process.pid);
     setInterval(() => undefined, 1e6);`,
  );
  const pid = await child.line();
  const locks = locksOn(file);
  assert.equal(locks?.exclusive, true);
  assert.match(whoHolds(locks), new RegExp(`^pid ${pid} \\(\\S+\\)$`));
  await child.kill('SIGKILL');
});
