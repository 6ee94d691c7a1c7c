/**
 * The progress meter on a real terminal: shown, redrawn and made blank; and not there without one.
 *
 * The log is a named pipe that the test writes to, so that the reading lasts as long as the test wants.
 */
import assert from 'node:assert/strict';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { quoted } from '../../src/packaging/manual/completion.ts';
import { MAIN } from './popbsmtp.ts';
import { type Daemon, mustRun, startDaemon } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { startOnTerminal } from './terminal.ts';
import { waitFor } from './wait.ts';

const skip = requirePrograms(['script', 'mkfifo']);
const rig = new Rig();
after(() => rig.close());

const LINE =
  'Mar 22 11:00:00 mx dovecot: pop3-login: Login: user=<anna>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.5, mpid=1, session=<a>\n';
const DRAWN = /\r[\d.]+ MB, [\d,]+ lines, [\d,]+ lines\/s/g;

const drawnIn = ({ stdout }: Daemon): string[] => [...new Set(stdout.match(DRAWN))];

/** A log that `start` begins to read; it is at its end when it is closed. */
async function reading(
  start: (path: string) => Daemon,
): Promise<{ log: FileHandle; reader: Daemon }> {
  const path = join(await rig.directory(), 'pipe');
  await mustRun('mkfifo', [path]);
  const reader = start(path);
  return { log: await open(path, 'w'), reader };
}

const popbsmtp = (...args: string[]): string =>
  [process.execPath, MAIN, ...args].map(quoted).join(' ');

describe('on a terminal', { skip }, () => {
  const commands: [string, (path: string) => string][] = [
    ['match --count', path => popbsmtp('match', '--count', path)],
    ['match into a file', path => `${popbsmtp('match', path)} > /dev/null`],
    ['replay', path => popbsmtp('replay', '--nowrite', '--mynetworks', 'none', path)],
  ];
  for (const [name, commandLine] of commands) {
    test(`${name} shows, redraws and takes away how far it is`, async () => {
      const { log, reader } = await reading(path => startOnTerminal(rig, commandLine(path)));
      await waitFor(
        'the meter to be drawn anew',
        async () => {
          await log.write(LINE);
          return drawnIn(reader).length >= 3;
        },
        { seen: () => reader.transcript() },
      );
      await log.close();
      assert.equal(await reader.exited(), 0, reader.transcript());
      // What is printed last stands in a blank line.
      assert.match(reader.stdout, /\r +\r\d+ lines[,;]/);
    });
  }

  test('events on the terminal, or in a pipe, are not mixed with it', async () => {
    for (const behind of ['', ' | cat']) {
      const { log, reader } = await reading(path =>
        startOnTerminal(rig, `${popbsmtp('match', path)}${behind}`),
      );
      await writeForAWhile(log);
      assert.equal(await reader.exited(), 0);
      assert.match(reader.stdout, /login ts=/);
      assert.deepEqual(drawnIn(reader), []);
    }
  });
});

test('without a terminal there is nothing but the summary', { skip }, async () => {
  const { log, reader } = await reading(path =>
    startDaemon(rig, process.execPath, [MAIN, 'match', '--count', path]),
  );
  await writeForAWhile(log);
  assert.equal(await reader.exited(), 0);
  assert.match(reader.stderr, /^\d+ lines, \d+ logins, 0 logouts\n {4}dovecot: .*\n$/);
  assert.equal(reader.stdout, '');
});

/** Long enough for a meter to be drawn more than once. */
async function writeForAWhile(log: FileHandle): Promise<void> {
  const end = performance.now() + 1500;
  await waitFor('that time', async () => {
    await log.write(LINE);
    return performance.now() > end;
  });
  await log.close();
}
