/**
 * A finished log, read from its beginning to its end as fast as it can be dealt with.
 */
import { closeSync, createReadStream, fstatSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { type EpochSeconds, epoch } from '../clock.ts';
import { errnoOf, failure, reasonOf } from '../errors.ts';
import { Splitter } from './splitter.ts';

const CHUNK = 1024 * 1024;

export interface FinishedLog {
  /** Its lines, a batch for each read; to be walked through once. */
  readonly batches: AsyncIterable<string[]>;
  /** Lines of more than MAX_LINE bytes so far, each of which was handed out as an empty one. */
  tooLong(): number;
  /** When it was last written to, which tells the year of stamps that have none. */
  readonly modified: EpochSeconds;
}

/**
 * @param path `-` is standard input, last written to now
 * @throws Failure LOG_MISSING, LOG_UNREADABLE
 */
export function openFinishedLog(path: string): FinishedLog {
  if (path === '-') return finishedLog(process.stdin, path, Date.now());
  const fd = openForReading(path);
  const { mtimeMs } = fstatSync(fd);
  return finishedLog(createReadStream(path, { fd, highWaterMark: CHUNK }), path, mtimeMs);
}

function finishedLog(stream: Readable, path: string, modifiedMs: number): FinishedLog {
  const splitter = new Splitter();
  return {
    batches: batchesOf(stream, path, splitter),
    tooLong: () => splitter.tooLong,
    modified: epoch(modifiedMs / 1000),
  };
}

/** @throws Failure LOG_MISSING, LOG_UNREADABLE */
export function openForReading(path: string): number {
  const fd = openOrFail(path);
  if (!fstatSync(fd).isDirectory()) return fd;
  closeSync(fd);
  throw failure('LOG_UNREADABLE', { path, reason: 'it is a directory' });
}

function openOrFail(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') throw failure('LOG_MISSING', { path }, error);
    throw failure('LOG_UNREADABLE', { path, reason: reasonOf(error) }, error);
  }
}

async function* batchesOf(
  stream: Readable,
  path: string,
  splitter: Splitter,
): AsyncGenerator<string[]> {
  try {
    for await (const chunk of stream) yield splitter.push(chunk);
  } catch (error) {
    throw failure('LOG_UNREADABLE', { path, reason: reasonOf(error) }, error);
  }
  yield splitter.flush();
}
