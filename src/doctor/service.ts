/**
 * What systemd says of the service, and of the timer that ends what a dead daemon leaves, where systemd runs (sd_booted(3)).
 */
import { SHOWN } from '../classifier/own-addresses.ts';
import { check } from './check.ts';
import { error, ok, skipped, span, type Verdict, warning } from './finding.ts';
import { type Properties, type ServiceState, TIMER, UNIT } from './service-state.ts';

export const serviceCheck = check('service', ({ service }) => service(), judgeService);

export function judgeService(found: ServiceState): Verdict[] {
  if (found === null) return [];
  if ('unasked' in found) return [skipped(`systemd could not be asked: ${found.unasked}`)];
  if (found.service.get('LoadState') !== 'loaded') return [];
  const service = serviceVerdicts(found.service, found.uptime);
  const timer = timerVerdicts(found.timer);
  // Whoever starts the daemon in another way has his own timer, or none.
  if (service.length === 0) return [];
  if (service.some(({ level }) => level !== 'ok')) return [...service, ...timer];
  return timer.length > 0 ? timer : service;
}

/** Without the timer nothing ends the grants of a daemon that has died and is not started again. */
function timerVerdicts(facts: Properties): Verdict[] {
  const what = 'nothing ends grants when the daemon has died';
  if (facts.get('LoadState') !== 'loaded')
    return [
      warning(
        `${TIMER} is not installed: ${what}`,
        'install popbsmtp-purge.service and popbsmtp-purge.timer, and enable them: systemctl enable --now popbsmtp-purge.timer',
      ),
    ];
  const enable = `systemctl enable --now ${TIMER}`;
  if (facts.get('ActiveState') !== 'active')
    return [warning(`${TIMER} is ${facts.get('ActiveState')}: ${what}`, `start it: ${enable}`)];
  if (facts.get('UnitFileState') === 'disabled')
    return [
      warning(`${TIMER} will not run after the next boot: ${what} then`, `enable it: ${enable}`),
    ];
  return [];
}

function serviceVerdicts(facts: Properties, uptime: number): Verdict[] {
  const [active, sub, result] = ['ActiveState', 'SubState', 'Result'].map(name => facts.get(name));
  const enabled = facts.get('UnitFileState') !== 'disabled';
  // Whoever starts the daemon in another way need not be told of the unit.
  if (active === 'inactive' && !enabled) return [];
  if (active !== 'active')
    return [
      error(
        `${UNIT} is ${active} (${sub}${result === 'success' ? '' : `, ${result}`})`,
        'look at "systemctl status popbsmtp" and "journalctl -u popbsmtp"',
      ),
    ];
  const restarts = Number(facts.get('NRestarts') ?? 0);
  if (restarts > 0)
    return [
      warning(
        `${UNIT} runs, after systemd had to start it again ${restarts === 1 ? 'once' : `${restarts} times`}`,
        'look at "journalctl -u popbsmtp" for the reason; once that is known, count anew: systemctl reset-failed popbsmtp',
      ),
    ];
  if (!enabled)
    return [
      warning(
        `${UNIT} runs, but will not after the next boot`,
        'enable it: systemctl enable popbsmtp',
      ),
    ];
  if (facts.get('PrivateNetwork') === 'yes' && !facts.get('BindReadOnlyPaths')?.includes(SHOWN))
    return [
      warning(
        `${UNIT} has a network of its own and does not see this machine's, whose own addresses and gateways shall get no grant`,
        `show it that as the unit that comes with popbsmtp does: ${SHOW_NETWORK}`,
      ),
    ];
  return [watchdogVerdict(facts, uptime)];
}

/** The tables that own-addresses.ts reads, as the unit has them (proc_net(5)). */
export const NETWORK_PATHS = ['fib_trie', 'if_inet6', 'route', 'ipv6_route']
  .map(table => `-/proc/1/net/${table}:${SHOWN}/${table}`)
  .join(' ');

const DROP_INS = `/etc/systemd/system/${UNIT}.d`;
/** The last of the drop-ins (systemd.unit(5)), so that it counts whatever another one has taken away. */
const SHOW_NETWORK = [
  `mkdir -p ${DROP_INS}`,
  `printf '[Service]\\nBindReadOnlyPaths=${NETWORK_PATHS}\\n' > ${DROP_INS}/zz-network.conf`,
  'systemctl daemon-reload',
  'systemctl restart popbsmtp',
].join(' && ');

function watchdogVerdict(facts: Properties, uptime: number): Verdict {
  const watchdog = facts.get('WatchdogUSec') ?? '0';
  const silence = uptime - Number(facts.get('WatchdogTimestampMonotonic') ?? 0) / 1_000_000;
  const patience = secondsOf(watchdog);
  if (patience !== null && silence > patience)
    return error(
      `${UNIT} has not told the watchdog for ${span(silence)} that it is alive`,
      'look at "journalctl -u popbsmtp"; restart it: systemctl restart popbsmtp',
    );
  return ok(`${UNIT} is active${patience === null ? '' : `, watchdog ${watchdog}`}`);
}

const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, min: 60, h: 3600, d: 86_400 };

/** Of a time span as systemd prints it, `1min 30s`; null for none. */
function secondsOf(text: string): number | null {
  const parts = Array.from(text.matchAll(/(\d+)(ms|s|min|h|d)(?![a-z])/g));
  if (parts.length === 0) return null;
  return parts.reduce((sum, [, number, unit = '']) => sum + Number(number) * (UNITS[unit] ?? 0), 0);
}
