/**
 * What systemd says of the service and of its timer, where it runs (sd_booted(3)).
 *
 * Known limit: other accounts than root ask over D-Bus, and get no answer on a machine without it (seen with systemd 257).
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';

export const UNIT = 'popbsmtp.service';
export const TIMER = 'popbsmtp-purge.timer';
/** What writes the log files of a host. */
const SYSLOG_UNITS = ['rsyslog.service', 'syslog-ng.service'] as const;
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
      /** The unit of a syslog daemon that is installed and does not run; null where there is none. */
      readonly stopped: string | null;
      /** Seconds of the clock that systemd stamps with (CLOCK_MONOTONIC). */
      readonly uptime: number;
    }
  /** Why it gave no answer. */
  | { readonly unasked: string }
  | null;

export async function serviceState(): Promise<ServiceState> {
  if (!existsSync('/run/systemd/system')) return null;
  const shown = await show([UNIT, TIMER, ...SYSLOG_UNITS]);
  if (typeof shown === 'string') return { unasked: shown };
  const [service = NOTHING, timer = NOTHING, ...syslogs] = shown;
  return {
    service,
    timer,
    stopped: SYSLOG_UNITS.find((_, index) => isStopped(syslogs[index] ?? NOTHING)) ?? null,
    // Of the kernel's clock as a process of any namespace of time sees it; so does systemctl.
    uptime: Number(process.hrtime.bigint() / 1_000_000_000n),
  };
}

const NOTHING: Properties = new Map();

const isStopped = (unit: Properties): boolean =>
  unit.get('LoadState') === 'loaded' && /^(?:inactive|failed)$/.test(unit.get('ActiveState') ?? '');

export const isServiceActive = (state: ServiceState): boolean =>
  state !== null && 'service' in state && state.service.get('ActiveState') === 'active';

/** Has the daemon read its configuration again. */
export const RELOAD_SERVICE = 'systemctl reload popbsmtp';

/** The properties of each unit, in this order. @returns why not, where systemctl fails */
function show(units: readonly string[]): Promise<Properties[] | string> {
  const args = ['show', ...units, ...PROPERTIES.map(name => `--property=${name}`)];
  const options = { timeout: TIMEOUT_MS, env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' } };
  return new Promise(resolve => {
    execFile('systemctl', args, options, (problem, out, said) =>
      resolve(
        problem === null ? out.split('\n\n').map(propertiesOf) : said.trim() || problem.message,
      ),
    );
  });
}

/** Lines of `Name=value`. */
const propertiesOf = (output: string): Map<string, string> =>
  new Map(
    Array.from(output.matchAll(/^(\w+)=(.*)$/gm), ([, name = '', value = '']) => [name, value]),
  );
