/**
 * The daemon's own log, by winston: one line an event, as text or as JSON, on standard output or in a file.
 *
 * Promises: with a file, `reopen` goes on in a new one after a rotation and loses nothing (winston's own file
 * transport cannot do that); a file that cannot be opened is an error at the start, and what cannot be
 * written later is said once on standard error.  To the journal each line goes with its priority, which journald takes
 * off (`<4>`, sd-daemon(3)), and a text without a stamp, since journald has one.
 * With `--debug` standard output belongs to the decisions, and the log goes to standard error.
 */
import { closeSync, createWriteStream, fstatSync, openSync, type WriteStream } from 'node:fs';
import { createLogger, format, type Logger, transports } from 'winston';
import { failure, reasonOf } from '../base/errors.ts';
import type { LogLine } from './log-line.ts';

export interface Log {
  write(line: LogLine): void;
  /** @throws Failure LOGTO, with the old file still in use */
  reopen(): void;
  close(): Promise<void>;
}

export interface LogOptions {
  /** Null for standard output. */
  readonly logto: string | null;
  readonly logFormat: 'text' | 'json';
  /** Whether standard output belongs to the decisions. */
  readonly debug: boolean;
}

/** A level as winston names it, as we show it, and as the number that syslog(3) gives it. */
const LEVELS = {
  info: { name: 'info', mark: '', priority: 6 },
  warn: { name: 'warning', mark: 'warning: ', priority: 4 },
  error: { name: 'error', mark: 'error: ', priority: 3 },
} as const satisfies Record<LogLine['level'], unknown>;

type Layout = (line: LogLine) => string;

const now = (): string => new Date().toISOString();

const bareText: Layout = ({ level, text }) => `${LEVELS[level].mark}${text}`;

const stampedText: Layout = line => `${now()} ${bareText(line)}`;

/** `time`, `level` and `event` first, `message` last; between them what the event is about. */
const json: Layout = ({ level, text, facts = { event: 'message' } }) => {
  const { event, ...more } = facts;
  return JSON.stringify({
    time: now(),
    level: LEVELS[level].name,
    event,
    ...more,
    message: text,
  });
};

/** For the journal, which knows the level by the priority. */
const prioritised =
  (layout: Layout): Layout =>
  line =>
    `<${LEVELS[line.level].priority}>${layout(line)}`;

/** @throws Failure LOGTO */
export function openLog({ logto, logFormat, debug }: LogOptions): Log {
  const logger = createLogger({ format: format.printf(({ message }) => String(message)) });
  const stream = debug ? process.stderr : process.stdout;
  const layout = layoutOf(logFormat, {
    isStamped: logto !== null || !debug,
    isJournal: logto === null && goesToJournal(stream.fd),
  });
  const write = (line: LogLine): void => {
    logger.log(line.level, layout(line));
  };
  if (logto !== null) return { write, ...fileLog(logger, logto) };
  logger.add(new transports.Stream({ stream }));
  return { write, reopen: () => undefined, close: async () => void logger.close() };
}

function layoutOf(
  logFormat: LogOptions['logFormat'],
  { isStamped, isJournal }: { readonly isStamped: boolean; readonly isJournal: boolean },
): Layout {
  if (isJournal) return prioritised(logFormat === 'json' ? json : ({ text }) => text);
  if (logFormat === 'json') return json;
  return isStamped ? stampedText : bareText;
}

/** Whether the journal is at the other end of a stream of ours (systemd.exec(5), JOURNAL_STREAM). */
function goesToJournal(fd: number): boolean {
  const { dev, ino } = fstatSync(fd);
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
