/**
 * Whether a daemon has the map.
 */
import { Failure } from '../base/errors.ts';
import { formatMapSpec } from '../map/map-types.ts';
import { ownerOf } from '../map/owner.ts';
import { check } from './check.ts';
import { error, failed, ok, type Verdict, warning } from './finding.ts';

export interface DaemonFacts {
  readonly owner: number | 'unknown' | 'hidden' | null | Failure;
  /** The map, for people. */
  readonly map: string;
}

export const daemonCheck = check(
  'daemon',
  async ({ settings }): Promise<DaemonFacts> => {
    const map = formatMapSpec(settings.map);
    try {
      return { owner: await ownerOf(settings.map), map };
    } catch (problem) {
      if (problem instanceof Failure) return { owner: problem, map };
      throw problem;
    }
  },
  judgeDaemon,
);

export function judgeDaemon({ owner, map }: DaemonFacts): Verdict[] {
  if (owner instanceof Failure) return [failed(owner, 'warning')];
  if (owner === 'hidden')
    return [
      warning(
        'whether a daemon runs is not known: this account may not look',
        'run "popbsmtp doctor" as root, or as the daemon\'s account',
      ),
    ];
  if (owner !== null) return [ok(`runs, pid ${owner}`)];
  return [
    error(
      `no daemon writes ${map}, so no login is granted`,
      'start it: systemctl start popbsmtp, or popbsmtp run; what it logs says why it ended',
    ),
  ];
}
