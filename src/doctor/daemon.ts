/**
 * Whether a daemon has the map, answers, reads the logs that it should, writes what it decides, and runs with the configuration
 * that is on the disk.
 */

import type { EpochSeconds } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import { version } from '../base/package.ts';
import { quantity } from '../base/quantity.ts';
import {
  type ConfigurationState,
  LOG,
  type SettingChange,
} from '../control/configuration-state.ts';
import type { SourceStatus, Status } from '../control/status.ts';
import { formatMapSpec } from '../map/map-types.ts';
import { JOURNAL } from '../source/journal-store.ts';
import { check } from './check.ts';
import type { DaemonState } from './daemon-state.ts';
import { error, failed, ok, skipped, span, type Verdict, warning } from './finding.ts';
import { RELOAD_SERVICE } from './service-state.ts';

export interface DaemonFacts extends DaemonState {
  /** The map, for people. */
  readonly map: string;
  readonly now: EpochSeconds;
  /** The version of this program. */
  readonly installed: string;
}

export const daemonCheck = check(
  'daemon',
  async ({ settings, daemon, now }): Promise<DaemonFacts> => ({
    ...(await daemon()),
    map: formatMapSpec(settings.map),
    now: now(),
    installed: version(),
  }),
  judgeDaemon,
);

const RESTART = 'restart it: systemctl restart popbsmtp';
const RELOAD = `let the daemon read it: ${RELOAD_SERVICE}`;

export function judgeDaemon(facts: DaemonFacts): Verdict[] {
  const { owner, map, answer } = facts;
  if (owner instanceof Failure) return [failed(owner, 'warning')];
  if (owner === 'hidden')
    return [
      warning(
        'whether a daemon runs is not known: this account may not look',
        'run "popbsmtp doctor" as root, or as the daemon\'s account',
      ),
    ];
  if (owner === null)
    return [
      error(
        `no daemon writes ${map}, so no login is granted`,
        'start it: systemctl start popbsmtp, or popbsmtp run; what it logs says why it ended',
      ),
    ];
  const who = owner === 'unknown' ? 'the daemon' : `the daemon, pid ${owner},`;
  switch (answer.kind) {
    case 'none':
      return [
        warning(
          `${who} runs, but cannot be asked: nothing listens at its control socket`,
          `look what it logged at its start, and ${RESTART}`,
        ),
      ];
    case 'failed':
      if (answer.problem.code === 'CONTROL_DENIED')
        return [skipped(`${who} runs, and was not asked how it is: ${answer.problem.message}`)];
      return [
        error(
          `${who} has ${map}, but does not answer, so no login is granted: ${answer.problem.message}`,
          `look at "systemctl status popbsmtp", then ${RESTART}`,
        ),
      ];
    case 'status':
      return answerVerdicts(answer.status, answer.configuration, facts);
  }
}

function answerVerdicts(
  status: Status,
  configuration: ConfigurationState | null | Failure,
  { now, installed }: DaemonFacts,
): Verdict[] {
  const verdicts = [
    ...mapVerdicts(status),
    ...versionVerdicts(status, installed),
    ...sourceVerdicts(status, now),
    ...configurationVerdicts(configuration),
  ];
  if (verdicts.some(({ level }) => level !== 'skipped')) return verdicts;
  const answers = `runs, pid ${status.pid}, and answers`;
  return [
    ok(
      [answers, ...status.sources.map(each => sourceText(each, now)), loginText(status, now)].join(
        '; ',
      ),
    ),
    ...verdicts,
  ];
}

function mapVerdicts({ settled, trouble, commits, overdue }: Status): Verdict[] {
  if (settled) return [];
  const open =
    overdue === 0
      ? ''
      : `; ${quantity(overdue, 'row')} that should be gone may still let somebody relay`;
  return [
    error(
      `it cannot write the map, so nothing that it decides takes effect (${quantity(commits.errors, 'commit')} failed)${open}: ${trouble ?? 'it does not say why'}`,
      'put right what that says: the daemon tries again by itself every few seconds',
    ),
  ];
}

const versionVerdicts = (status: Status, installed: string): Verdict[] =>
  status.version === installed
    ? []
    : [warning(`version ${status.version} runs, and ${installed} is installed`, RESTART)];

/** Bytes of a log that may wait to be read: more than the beginning of a line that is being written. */
const MOST_LAG = 65_536;

const sourceVerdicts = ({ sources }: Status, now: EpochSeconds): Verdict[] =>
  sources
    .filter(({ lag, lastLine }) => (lag ?? 0) > MOST_LAG && now - secondsOf(lastLine) > 60)
    .map(({ name, lag }) =>
      error(`it does not read ${name} on: ${quantity(lag ?? 0, 'byte')} wait`, RESTART),
    );

const named = (name: string): string =>
  name === '-' ? 'standard input' : name === JOURNAL ? 'the journal' : name;

function configurationVerdicts(configuration: ConfigurationState | null | Failure): Verdict[] {
  if (configuration === null) return [];
  if (configuration instanceof Failure)
    return [
      skipped(`whether it runs with what is on the disk was not told: ${configuration.message}`),
    ];
  const { changes, problem } = configuration;
  if (problem !== null)
    return [
      warning(
        `it runs with a configuration of before, and would not take the one on the disk: ${problem}`,
        'fix that: a reload keeps the old settings, and a start fails',
      ),
    ];
  return changes.map(change =>
    warning(changeText(change), change.takes === 'reload' ? RELOAD : RESTART),
  );
}

function changeText({ what, running, written }: SettingChange): string {
  if (what === LOG)
    return `it reads ${namesText(running)}, and would choose ${namesText(written)} if it were started now`;
  return running === null && written === null
    ? `${what} has changed since it was read`
    : `it runs with ${what} = ${valueText(running)}, and on the disk stands ${valueText(written)}`;
}

const namesText = (names: string | null): string =>
  names === null || names === '' ? 'no log' : names.split(' ').map(named).join(' and ');

const valueText = (value: string | null): string => (value === null ? 'nothing' : `"${value}"`);

function sourceText({ name, lines, lastLine }: SourceStatus, now: EpochSeconds): string {
  const when = lastLine === null ? 'no line yet' : `the last line ${ago(lastLine, now)}`;
  return `reads ${named(name)} (${quantity(lines, 'line')}, ${when})`;
}

const loginText = ({ lastLogin }: Status, now: EpochSeconds): string =>
  lastLogin === null ? 'no login since its start' : `the last login ${ago(lastLogin, now)}`;

const secondsOf = (time: string | null): number => (time === null ? 0 : Date.parse(time) / 1000);

const ago = (time: string, now: EpochSeconds): string => `${span(now - secondsOf(time))} ago`;
