/**
 * What systemd says of the service and of its timer, where it runs (sd_booted(3)).
 *
 * Known limit: other accounts than root ask over D-Bus, and get no answer on a machine without it (seen with systemd 257).
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';

export const UNIT = 'popbsmtp.service';
export const TIMER = 'popbsmtp-purge.timer';
const PROPERTIES = [
  'LoadState',
  'ActiveState',
  'SubState',
  'UnitFileState',
  'Result',
  'NRestarts',
  'WatchdogUSec',
  'WatchdogTimestampMonotonic',
  'PrivateNetwork',
  'BindReadOnlyPaths',
];
const TIMEOUT_MS = 10_000;

/** Properties of a unit. */
export type Properties = ReadonlyMap<string, string>;

/** Null where systemd does not run. */
export type ServiceState =
  | {
      readonly service: Properties;
      readonly timer: Properties;
      /** Seconds of the clock that systemd stamps with (CLOCK_MONOTONIC). */
      readonly uptime: number;
    }
  /** Why it gave no answer. */
  | { readonly unasked: string }
  | null;

export const isServiceActive = (state: ServiceState): boolean =>
  state !== null && 'service' in state && state.service.get('ActiveState') === 'active';

/** Has the daemon read its configuration again. */
export const RELOAD_SERVICE = 'systemctl reload popbsmtp';

export async function serviceState(): Promise<ServiceState> {
  if (!existsSync('/run/systemd/system')) return null;
  const [service, timer] = await Promise.all([show(UNIT), show(TIMER)]);
  if (typeof service === 'string') return { unasked: service };
  if (typeof timer === 'string') return { unasked: timer };
  // Of the kernel's clock as a process of any namespace of time sees it; so does systemctl.
  return { service, timer, uptime: Number(process.hrtime.bigint() / 1_000_000_000n) };
}

/** What writes the log files of a host, by its unit. */
const SYSLOG_UNITS = ['rsyslog.service', 'syslog-ng.service'] as const;

/** One of these that is installed and does not run; null where there is none, or that is not known. */
export async function stoppedSyslog(): Promise<string | null> {
  if (!existsSync('/run/systemd/system')) return null;
  for (const unit of SYSLOG_UNITS) {
    const found = await show(unit);
    if (typeof found === 'string' || found.get('LoadState') !== 'loaded') continue;
    if (['inactive', 'failed'].includes(found.get('ActiveState') ?? '')) return unit;
  }
  return null;
}

/** @returns why not, where systemctl fails */
function show(unit: string): Promise<Properties | string> {
  const args = ['show', unit, ...PROPERTIES.map(name => `--property=${name}`)];
  const options = { timeout: TIMEOUT_MS, env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' } };
  return new Promise(resolve => {
    execFile('systemctl', args, options, (problem, out, said) =>
      resolve(problem === null ? propertiesOf(out) : said.trim() || problem.message),
    );
  });
}

/** Lines of `Name=value`. */
const propertiesOf = (output: string): Map<string, string> =>
  new Map(
    Array.from(output.matchAll(/^(\w+)=(.*)$/gm), ([, name = '', value = '']) => [name, value]),
  );
