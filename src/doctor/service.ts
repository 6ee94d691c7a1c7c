/**
 * What systemd says of the service, where systemd runs (sd_booted(3)).
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { SHOWN } from '../classifier/own-addresses.ts';
import { check } from './check.ts';
import { error, ok, type Verdict, warning } from './finding.ts';

const UNIT = 'popbsmtp.service';
const PROPERTIES = [
  'LoadState',
  'ActiveState',
  'SubState',
  'UnitFileState',
  'Result',
  'NRestarts',
  'WatchdogUSec',
  'PrivateNetwork',
  'BindReadOnlyPaths',
];
const TIMEOUT_MS = 10_000;

/** Properties of the unit, or null where systemd does not run. */
export type ServiceFacts = ReadonlyMap<string, string> | null;

export const serviceCheck = check('service', gather, judgeService);

function gather(): Promise<ServiceFacts> {
  if (!existsSync('/run/systemd/system')) return Promise.resolve(null);
  const args = ['show', UNIT, ...PROPERTIES.map(name => `--property=${name}`)];
  return new Promise(resolve => {
    execFile('systemctl', args, { timeout: TIMEOUT_MS, env: { PATH: '/usr/bin:/bin' } }, (_, out) =>
      resolve(propertiesOf(out)),
    );
  });
}

/** Lines of `Name=value`. */
const propertiesOf = (output: string): Map<string, string> =>
  new Map(
    Array.from(output.matchAll(/^(\w+)=(.*)$/gm), ([, name = '', value = '']) => [name, value]),
  );

export function judgeService(facts: ServiceFacts): Verdict[] {
  if (facts === null || facts.get('LoadState') !== 'loaded') return [];
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
        `${UNIT} runs, after systemd had to start it again ${restarts} times`,
        'look at "journalctl -u popbsmtp" for the reason',
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
        'take over BindReadOnlyPaths= of the unit that comes with popbsmtp, then restart it',
      ),
    ];
  const watchdog = facts.get('WatchdogUSec') ?? '0';
  return [
    ok(
      `${UNIT} is active${watchdog === '0' || watchdog === 'infinity' ? '' : `, watchdog ${watchdog}`}`,
    ),
  ];
}
