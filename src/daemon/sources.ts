/**
 * Makes the sources that the settings name.
 */
import { closeSync } from 'node:fs';
import { type Clock, epoch } from '../clock.ts';
import { Failure, failure } from '../errors.ts';
import { parseLine } from '../line/prefix.ts';
import { StampReader } from '../line/stamp.ts';
import type { RunSettings } from '../settings.ts';
import { FileSource } from '../source/file-source.ts';
import { openForReading } from '../source/finished-log.ts';
import type { Receiver, Source } from '../source/source.ts';
import { startAtTime } from '../source/start.ts';
import { StreamSource } from '../source/stream-source.ts';
import { usualLog } from '../source/usual-logs.ts';

/** How the command line names standard input. */
const STDIN = '-';

/**
 * The logs to watch; each can be read, or does not exist yet.
 *
 * @param named by the administrator; when none are, the usual ones are looked for
 * @throws Failure LOG_UNREADABLE, LOG_NONE, JOURNAL
 */
export function checkLogs(named: readonly string[]): readonly string[] {
  const paths = named.length > 0 ? named : [usualLog()];
  for (const path of paths) if (path !== STDIN) checkLog(path);
  return paths;
}

function checkLog(path: string): void {
  // Not a file of that name: the word is reserved for the systemd journal.
  if (path === 'journal') throw failure('JOURNAL', {});
  try {
    closeSync(openForReading(path));
  } catch (error) {
    const missing = error instanceof Failure && error.code === 'LOG_MISSING';
    if (!missing) throw error;
  }
}

export function makeSource(
  path: string,
  { grace, reprocess }: RunSettings,
  clock: Clock,
  receiver: Receiver,
): Source {
  if (path === STDIN) return new StreamSource(process.stdin, 'standard input', receiver);
  if (reprocess) return new FileSource(path, receiver, () => 0);
  const stamps = new StampReader(() => clock.now().wall);
  const since = epoch(clock.now().wall - grace);
  return new FileSource(
    path,
    receiver,
    startAtTime(since, line => parseLine(line, stamps).time),
  );
}
