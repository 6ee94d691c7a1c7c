/**
 * The daemon's own log, by winston: one line an event, on standard output or in a file.
 *
 * Promises: with a file, `reopen` goes on in a new one after a rotation and loses nothing (winston's own file
 * transport cannot do that); a file that cannot be opened is an error at the start, and what cannot be
 * written later is said once on standard error.  Under systemd the journal stamps each line, so we do not.
 * With `--debug` standard output belongs to the decisions, and the log goes to standard error.
 */
import { closeSync, createWriteStream, fstatSync, openSync, type WriteStream } from 'node:fs';
import { format, type Logger, createLogger as makeLogger, transports } from 'winston';
import { failure, reasonOf } from '../errors.ts';
import type { LogLine } from './log-line.ts';

export interface Log {
  write(line: LogLine): void;
  /** @throws Failure LOGTO, with the old file still in use */
  reopen(): void;
  close(): Promise<void>;
}

const LAYOUT = format.printf(({ level, message, timestamp }) => {
  const mark = level === 'info' ? '' : `${level === 'warn' ? 'warning' : level}: `;
  return `${typeof timestamp === 'string' ? `${timestamp} ` : ''}${mark}${String(message)}`;
});

/**
 * @param file null for standard output
 * @throws Failure LOGTO
 */
export function openLog(file: string | null, debug: boolean): Log {
  const bare = file === null && (debug || goesToJournal());
  const logger = makeLogger({
    format: bare ? LAYOUT : format.combine(format.timestamp(), LAYOUT),
  });
  const write = ({ level, text }: LogLine): void => {
    logger.log(level, text);
  };
  if (file === null) {
    logger.add(new transports.Stream({ stream: debug ? process.stderr : process.stdout }));
    return { write, reopen: () => undefined, close: async () => void logger.close() };
  }
  return { write, ...fileLog(logger, file) };
}

/** Whether the journal is at the other end of standard output (systemd.exec(5), JOURNAL_STREAM). */
function goesToJournal(): boolean {
  const { dev, ino } = fstatSync(process.stdout.fd);
  return process.env['JOURNAL_STREAM'] === `${dev}:${ino}`;
}

function fileLog(logger: Logger, file: string): Pick<Log, 'reopen' | 'close'> {
  const attach = (): { stream: WriteStream; transport: InstanceType<typeof transports.Stream> } => {
    const stream = openStream(file);
    const transport = new transports.Stream({ stream });
    logger.add(transport);
    return { stream, transport };
  };
  let current = attach();
  return {
    reopen: () => {
      const old = current;
      current = attach();
      logger.remove(old.transport);
      old.stream.end();
    },
    close: async () => {
      logger.close();
      await new Promise<void>(resolve => current.stream.end(resolve));
    },
  };
}

function openStream(file: string): WriteStream {
  try {
    // Tried first, and at once: a stream would report it when nobody listens any more.
    closeSync(openSync(file, 'a', 0o640));
  } catch (error) {
    throw failure('LOGTO', { path: file, reason: reasonOf(error) }, error);
  }
  const stream = createWriteStream(file, { flags: 'a', mode: 0o640 });
  stream.once('error', error => {
    process.stderr.write(`popbsmtp: cannot write the log ${file}: ${reasonOf(error)}\n`);
  });
  return stream;
}
