/**
 * A log that is mounted by itself, as a container with one file of the host's has it: what the daemon and the doctor say of it, and
 * what they see once the host has rotated it by renaming.
 */
import assert from 'node:assert/strict';
import { appendFile, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loginLine } from '../cli/watched-log.ts';
import { assertFound, type Expected, Installation } from './doctor-world.ts';
import { MAIN } from './popbsmtp.ts';
import { type Daemon, type Result, runProgram, startDaemon } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';

const skip = requirePrograms(['unshare', 'nsenter', 'mount', 'postconf', 'postmap'], {
  root: true,
});

/** The rest is the program with its arguments. */
const WITH_MOUNT = 'mount --bind "$1" "$2"; shift 2; exec "$@"';

describe('a log that is mounted by itself', { skip }, () => {
  const rig = new Rig();
  let installation: Installation;
  /** The host's file, and where the container has it. */
  let ofHost: string;
  let mounted: string;
  let daemon: Daemon;

  before(async () => {
    ({ installation } = await Installation.make(rig));
    const base = await rig.directory();
    await mkdir(join(base, 'container'));
    ofHost = join(base, 'mail.log');
    mounted = join(base, 'container', 'mail.log');
    await writeFile(ofHost, loginLine('198.51.100.1'));
    await writeFile(mounted, '');
    daemon = startDaemon(rig, 'unshare', [
      ...['--mount', '--propagation', 'private', 'sh', '-euc', WITH_MOUNT, 'sh', ofHost, mounted],
      ...[process.execPath, MAIN, 'run', '--debug', '--watchlog', mounted, '--exclude', 'none'],
      ...['--map', `lmdb:${join(base, 'pop-before-smtp')}`, '--mynetworks', 'none'],
    ]);
    await granted('198.51.100.1');
  });
  after(() => rig.close());

  const granted = (ip: string): Promise<string> =>
    daemon.waitForLine(new RegExp(`^read ts=.* ip=${ip.replaceAll('.', '\\.')}$`));

  /** In the container, whose log it is. */
  const doctor = (log: string): Promise<Result> =>
    runProgram('nsenter', [
      ...[`--mount=/proc/${daemon.pid}/ns/mnt`, process.execPath, MAIN, 'doctor', '--json'],
      ...['--no-smtp', ...installation.options({ '--watchlog': log })],
    ]);

  const TOLD: Expected = ['log', 'warning', /mail\.log is mounted by itself/, /its directory/];

  test('is told of at once by the daemon and by the doctor, and of no other file', async () => {
    await daemon.waitForText(
      /warning: .*container\/mail\.log is mounted by itself \(a bind mount\).*mount its directory instead/,
    );
    assertFound(await doctor(mounted), [TOLD]);
    assertFound(await doctor(ofHost), []);
  });

  test('stays the old file when the host renames it', async () => {
    await rename(ofHost, `${ofHost}.1`);
    await writeFile(ofHost, loginLine('198.51.100.2'));
    // What the writer puts into the old one, until it opens the new one, comes after all that could have been seen of that.
    await appendFile(`${ofHost}.1`, loginLine('198.51.100.3'));
    await granted('198.51.100.3');
    const told = await doctor(mounted);
    assertFound(told, [TOLD]);
    assert.doesNotMatch(daemon.transcript(), /198\.51\.100\.2|was rotated|trying again/);
    assert.ok(daemon.running);
  });
});
