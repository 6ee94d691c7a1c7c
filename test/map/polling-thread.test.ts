/** Told by /proc: a thread of the kernel that polls a ring; what comes of it is in privileges.test.ts. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pollingThread } from '../../src/map/polling-thread.ts';

/** What Linux 6.18 says of a ring, but for the numbers of its entries. */
const ring = (thread: number): string =>
  `pos:\t0\nflags:\t02000002\nmnt_id:\t16\nino:\t2058\nSqMask:\t0x3f\nSqThread:\t${thread}\nSqThreadCpu:\t${thread < 0 ? -1 : 0}\nUserFiles:\t0\n`;
const FILE = 'pos:\t0\nflags:\t0100000\nmnt_id:\t29\nino:\t77\n';

interface Process {
  readonly comm: readonly string[];
  readonly fdinfo: readonly string[];
}

/** A directory as /proc has it for a process; threads are 100, 101, …, files 0, 1, …. */
async function procOf({ comm, fdinfo }: Process): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'popbsmtp-proc-'));
  after(() => rm(path, { recursive: true }));
  await mkdir(join(path, 'fdinfo'));
  for (const [fd, text] of fdinfo.entries()) await writeFile(join(path, 'fdinfo', `${fd}`), text);
  for (const [index, name] of comm.entries()) {
    const task = join(path, 'task', `${100 + index}`);
    await mkdir(task, { recursive: true });
    await writeFile(join(task, 'comm'), `${name}\n`);
  }
  return path;
}

const table: readonly (readonly [string, Process, string | null])[] = [
  ['no ring', { comm: ['node', 'node'], fdinfo: [FILE] }, null],
  ['a ring without a thread, as of Debian 13', { comm: ['node'], fdinfo: [FILE, ring(-1)] }, null],
  ['a worker of a ring', { comm: ['node', 'iou-wrk-100'], fdinfo: [ring(-1)] }, null],
  ['a ring with one', { comm: ['node'], fdinfo: [FILE, ring(-1), ring(4711)] }, '4711'],
  ['one of a ring that is at work', { comm: ['node', 'iou-sqp-100'], fdinfo: [ring(-1)] }, '101'],
];

for (const [name, process, thread] of table) {
  test(`${name}: ${thread}`, async () => {
    assert.equal(pollingThread(await procOf(process)), thread);
  });
}

test('a thread or a file that is gone again is none', async () => {
  const path = await procOf({ comm: ['node'], fdinfo: [FILE] });
  await mkdir(join(path, 'task/101'));
  assert.equal(pollingThread(path), null);
});

test('where /proc is missing, that is an error which says so', async () => {
  assert.throws(() => pollingThread('/nonexistent'), {
    message: 'cannot read /nonexistent/task: no such file or directory',
  });
});

test('of this process it can be told', () => {
  assert.equal(pollingThread(), null);
});
