/**
 * Tells the service manager (systemd) that the daemon is ready, that it gets on, and that it stops.
 *
 * Promises: READY=1 is told when every log is being followed (or waited for, if it is not there yet); WATCHDOG=1 twice
 * in the time that systemd allows, and each time only after the pipeline has dealt with all that came before, so that
 * a hung one falls silent and is started again; STOPPING=1 at once.  Without NOTIFY_SOCKET in the environment nothing
 * is told, and no program is started.  That systemd cannot be told is said once.
 * How: Node cannot send datagrams to a Unix socket, so systemd-notify does, one short process a message; systemd
 * accepts that with NotifyAccess=all.  systemd-notify waits until the message has arrived, since a message of a process
 * that has ended may not be counted as the unit's (systemd-notify(1), systemd 252).
 * A map that another program keeps locked is no hang: each commit gives up after a while, and another start would help
 * nobody.
 */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { errnoOf, reasonOf } from '../base/errors.ts';

/** What is told of. */
export interface Supervised {
  /** Resolves when every log is being followed, or waited for. */
  readonly following: Promise<void>;
  /** Resolves when everything that was handed over before has been dealt with. */
  progress(): Promise<void>;
}

const run = promisify(execFile);

const NOTIFY = 'systemd-notify';
/** It gives up by itself after 5 s (systemd 252, src/notify/notify.c). */
const TIMEOUT_MS = 10_000;

/**
 * Starts to send what systemd wants to know: that it is ready, that it works, that it stops.
 *
 * @param environment with what systemd has put there (sd_notify(3), sd_watchdog_enabled(3))
 * @param warn told when systemd cannot be told
 * @returns how to tell that the daemon stops; no ping comes after that
 */
export function notifySystemd(
  daemon: Supervised,
  environment: NodeJS.ProcessEnv,
  warn: (text: string) => void,
): () => Promise<void> {
  const socket = environment['NOTIFY_SOCKET'];
  if (socket === undefined || socket === '') return async () => undefined;
  const messenger = new Messenger(socket, environment['PATH'], warn);
  const leaving = new AbortController();
  // A step that has failed is a bug that the daemon itself ends of; here it only means silence.
  tell(daemon, messenger, watchdogOf(environment), leaving.signal).catch(() => undefined);
  return () => {
    leaving.abort();
    return messenger.send('STOPPING=1');
  };
}

/** @param watchdog milliseconds within which systemd wants to hear of us; null when it does not */
async function tell(
  daemon: Supervised,
  messenger: Messenger,
  watchdog: number | null,
  signal: AbortSignal,
): Promise<void> {
  await daemon.following;
  if (!signal.aborted) await messenger.send('READY=1');
  while (watchdog !== null) {
    await sleep(watchdog / 2, undefined, { signal, ref: false });
    await daemon.progress();
    if (signal.aborted) return;
    await messenger.send('WATCHDOG=1');
  }
}

/** The milliseconds of the watchdog; null when there is none, or it is another process's. */
function watchdogOf(environment: NodeJS.ProcessEnv): number | null {
  const { WATCHDOG_USEC: interval = '', WATCHDOG_PID: pid } = environment;
  if (pid !== undefined && pid !== String(process.pid)) return null;
  return /^[1-9]\d*$/.test(interval) ? Number(interval) / 1000 : null;
}

/** Sends one message after the other. */
class Messenger {
  readonly #environment: NodeJS.ProcessEnv;
  readonly #warn: (text: string) => void;
  #turn: Promise<void> = Promise.resolve();
  #failed = false;

  constructor(socket: string, path: string | undefined, warn: (text: string) => void) {
    this.#environment = { NOTIFY_SOCKET: socket, PATH: path, LC_ALL: 'C' };
    this.#warn = warn;
  }

  /** Never rejects. */
  send(message: string): Promise<void> {
    this.#turn = this.#turn.then(() => this.#send(message));
    return this.#turn;
  }

  async #send(message: string): Promise<void> {
    const options = { env: this.#environment, timeout: TIMEOUT_MS, killSignal: 'SIGKILL' } as const;
    try {
      await run(NOTIFY, [message], options);
    } catch (error) {
      if (this.#failed) return;
      this.#failed = true;
      this.#warn(
        `cannot tell systemd ${message}: ${reasonFor(error)}; it will start popbsmtp again and again, unless ` +
          'the unit has Type=exec and no WatchdogSec=',
      );
    }
  }
}

const reasonFor = (error: unknown): string =>
  errnoOf(error) === 'ENOENT'
    ? `${NOTIFY} was not found`
    : reasonOf(error)
        .trim()
        .replace(/\s*\n\s*/g, ': ');
