/**
 * `popbsmtp run`: the daemon as a process.
 *
 * Signals: TERM and INT commit, close and end with 0, and keep the rows; HUP reads configuration, patterns and
 * mynetworks again and reopens the log, and keeps the old state when the new one is wrong.
 */

import { EXIT, Failure } from '../base/errors.ts';
import { endureFullOutput, outputEnded } from '../base/output.ts';
import { type Daemon, startDaemon } from '../daemon/daemon.ts';
import { LoadedConfiguration } from '../daemon/loaded-configuration.ts';
import type { Output } from '../daemon/output.ts';
import { type RunSettings, runSettings } from '../daemon/settings.ts';
import { notifySystemd } from '../daemon/systemd.ts';
import { becomeOwner } from '../map/privileges.ts';
import { allOf, type Maps } from '../map/spec.ts';
import { withConfig } from '../options/config.ts';
import { changesForNextStart } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import { Advice } from '../report/advice.ts';
import { debugLines, decisionLine, isAudited, withShownUser } from '../report/decisions.ts';
import { type Log, openLog } from '../report/log.ts';
import { noticeLine } from '../report/log-line.ts';
import { type ShowUser, shownUsers } from '../report/user-names.ts';
import { answerForeground, inBackground, startBackground, writePidFile } from './background.ts';
import { collectEarly } from './heap.ts';
import { nameProcess } from './process-name.ts';

/**
 * Runs until a signal or the end of standard input.
 *
 * @returns the exit status
 */
export async function run(values: Values): Promise<number> {
  nameProcess();
  endureFullOutput();
  collectEarly();
  const start = startOf(values);
  const { settings } = start;
  if (settings.daemon !== null && !inBackground()) return startBackground();
  becomeOwner(allOf(settings));
  const log = openLog(settings);
  try {
    await runDaemon(start, log);
  } finally {
    await log.close();
  }
  return EXIT.ok;
}

/** What the daemon was started with. */
interface Start {
  /** The command line's alone: the file may say something else on a reload. */
  readonly typed: Values;
  readonly values: Values;
  readonly settings: RunSettings;
  /** In ms of Unix time: what is written later has not been read. */
  readonly began: number;
}

/**
 * @param running the maps of the daemon that runs already
 * @throws Failure of any value that is wrong
 */
function startOf(typed: Values, running: Maps | null = null): Start {
  const began = Date.now();
  const values = withConfig(typed);
  return { typed, values, settings: runSettings(values, running), began };
}

async function runDaemon(start: Start, log: Log): Promise<void> {
  const { settings } = start;
  const show = await shownUsers(settings);
  const hashed = await hashedUsers(settings);
  const loaded = new LoadedConfiguration(start.typed, start.values, start.began);
  const hangUps = new HangUps();
  try {
    const daemon = await startDaemon(settings, outputTo(log, { show, hashed }, settings), loaded);
    hangUps.answer(() => void reload(daemon, start, loaded, log));
    await serve(daemon, settings, log);
  } finally {
    hangUps.close();
  }
}

/** How users are named in headers: hashed, or not at all where nothing may name them. */
async function hashedUsers(settings: RunSettings): Promise<ShowUser> {
  const { policyHeader, logUsers } = settings;
  const logUsersThere = policyHeader === null || logUsers === 'none' ? 'none' : 'hashed';
  return shownUsers({ ...settings, logUsers: logUsersThere });
}

/** Until the daemon ends, or is to end. */
async function serve(daemon: Daemon, settings: RunSettings, log: Log): Promise<void> {
  const end = terminated();
  try {
    const removePidFile =
      settings.daemon === null ? () => undefined : writePidFile(settings.daemon);
    try {
      await answerForeground('');
      const leave = notifySystemd(daemon, process.env, text => log.write({ level: 'warn', text }));
      await Promise.race([daemon.ended, end, outputEnded]);
      await leave();
    } finally {
      removePidFile();
    }
  } finally {
    await daemon.stop();
  }
}

/** SIGHUP, which ends no process from here on; one that comes before there is an answer is answered then. */
class HangUps {
  readonly #hear = (): void => {
    if (this.#answer === null) this.#waits = true;
    else this.#answer();
  };
  #answer: (() => void) | null = null;
  #waits = false;

  constructor() {
    process.on('SIGHUP', this.#hear);
  }

  answer(act: () => void): void {
    this.#answer = act;
    if (this.#waits) act();
  }

  close(): void {
    process.off('SIGHUP', this.#hear);
  }
}

function outputTo(
  log: Log,
  { show, hashed }: { readonly show: ShowUser; readonly hashed: ShowUser },
  { debug, nowrite }: RunSettings,
): Output {
  const advice = new Advice();
  return {
    report: taken => {
      const decision = withShownUser(taken, show);
      if (debug)
        for (const line of debugLines(decision, nowrite)) process.stdout.write(`${line}\n`);
      const line = decisionLine(decision);
      // What the debug lines tell already is not told twice.
      const told = debug && line?.level === 'info' && !isAudited(decision);
      if (line !== null && !told) log.write(line);
      const advised = advice.on(decision);
      if (advised !== null) log.write(advised);
    },
    notice: notice => log.write(noticeLine(notice)),
    warn: text => log.write({ level: 'warn', text }),
    keptUser: show,
    hashedUser: hashed,
  };
}

function terminated(): Promise<void> {
  return new Promise(resolve => {
    // Only the first one: a second one ends the process at once, should a stop ever hang.
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
}

async function reload(
  daemon: Daemon,
  start: Start,
  loaded: LoadedConfiguration,
  log: Log,
): Promise<void> {
  try {
    log.reopen();
    const now = startOf(start.typed, start.settings);
    await daemon.reload(now.settings);
    loaded.reloaded(now.values, now.began);
    log.write({ level: 'info', text: 'reloaded configuration, patterns and mynetworks' });
    for (const name of changesForNextStart(start.values, now.values)) {
      log.write({ level: 'warn', text: `a change of ${name} takes effect at the next start` });
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    log.write({ level: 'error', text: `not reloaded, the old settings stay: ${error.line}` });
  }
}
