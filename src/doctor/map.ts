/**
 * Whether the map is there, sound, readable for those who are to read it, and writable for nobody but the daemon; and whether its rows
 * are taken away when they are due.
 */

import type { EpochSeconds } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import { quantity } from '../base/quantity.ts';
import type { GraceOf } from '../grant/grant-table.ts';
import type { Row } from '../map/map.ts';
import { modeOf } from '../map/map-mode.ts';
import { formatMapSpec } from '../map/map-types.ts';
import { exampleKeys, grantsIn, isEndless, isWhole } from '../map/row.ts';
import { check } from './check.ts';
import { error, failed, ok, type Verdict, warning } from './finding.ts';
import type { FileState, MapState } from './map-state.ts';

const OTHERS_WRITE = 0o002;
const GROUP_READ = 0o040;
const OTHERS_READ = 0o004;
const OTHERS_ENTER = 0o001;
const STICKY = 0o1000;

export const mapCheck = check('map', ({ map }) => map(), judgeMap);

export function judgeMap({ spec, file, directories, rows }: MapState): Verdict[] {
  const [innermost] = directories;
  if (file === null && isUnreadable(rows) && innermost !== undefined)
    return [closedVerdict(spec, innermost)];
  if (file === null || (rows instanceof Failure && !isUnreadable(rows)))
    return rows instanceof Failure ? [failed(rows)] : [];
  const owners = ownerVerdicts(file, directories);
  const verdicts = [
    // Another owner is why it cannot be read, and being root is no cure.
    ...(rows instanceof Failure && owners.length === 0 ? [failed(rows, 'warning')] : []),
    ...writableVerdicts(file, directories),
    ...owners,
    ...readableVerdicts(file, directories, modeOf(spec)),
  ];
  return verdicts.length > 0 ? verdicts : [ok(`${formatMapSpec(spec)} is sound`)];
}

const isUnreadable = (rows: MapState['rows']): boolean =>
  rows instanceof Failure && rows.code === 'MAP_UNREADABLE';

/** Of the directories on the way to the map, the last that could be looked at lets this account not in. */
const closedVerdict = (spec: MapState['spec'], { path }: FileState): Verdict =>
  error(
    `this account may not enter ${path}, behind which ${formatMapSpec(spec)} is`,
    "run doctor as root, who looks as the daemon's account; if that is it, keep the map where it may enter, such as /var/popbsmtp",
  );

const isOpen = ({ mode }: FileState, index: number): boolean =>
  (mode & OTHERS_WRITE) !== 0 && (index === 0 || (mode & STICKY) === 0);

function writableVerdicts(file: FileState, directories: readonly FileState[]): Verdict[] {
  const open = [...directories.filter(isOpen), ...((file.mode & OTHERS_WRITE) !== 0 ? [file] : [])];
  return open.map(({ path, mode }) =>
    error(
      `every local account can write ${path}, and so let any address relay`,
      // A sticky directory, such as /tmp, is everybody's on purpose.
      (mode & STICKY) !== 0
        ? "keep the map in a directory of the daemon's account alone, such as /var/popbsmtp"
        : `take that away: chmod o-w ${path}`,
    ),
  );
}

function ownerVerdicts(file: FileState, [directory]: readonly FileState[]): Verdict[] {
  if (directory === undefined || directory.uid === file.uid) return [];
  return [
    error(
      `${file.path} belongs to the account ${file.uid}, its directory to ${directory.uid}: one of them is not the daemon`,
      `give both to the daemon's account: chown ${directory.uid}:${directory.gid} ${file.path}*`,
    ),
  ];
}

/** Readable for those whom map-mode names: for more of them, any may lock it; for fewer, they are not served. */
function readableVerdicts(
  file: FileState,
  directories: readonly FileState[],
  wanted: number,
): Verdict[] {
  const more = file.mode & ~wanted & (GROUP_READ | OTHERS_READ);
  if (more !== 0)
    return [
      warning(
        `accounts that map-mode does not name can read ${file.path}, and so lock it and keep grants from ending`,
        `restart the daemon, or: chmod ${octal(wanted)} ${file.path}`,
      ),
    ];
  if ((wanted & OTHERS_READ) === 0) return [];
  const closed = [
    ...((file.mode & OTHERS_READ) === 0 ? [file] : []),
    ...directories.filter(({ mode }) => (mode & OTHERS_ENTER) === 0),
  ];
  return closed.map(({ path }) =>
    warning(
      `map-mode lets every account read the map, but ${path} does not`,
      path === file.path
        ? `restart the daemon, or: chmod ${octal(wanted)} ${path}`
        : 'keep the map in a directory that others may enter, such as /var/popbsmtp',
    ),
  );
}

const octal = (mode: number): string => mode.toString(8).padStart(4, '0');

export interface RowFacts {
  readonly rows: readonly Row[] | Failure;
  readonly now: EpochSeconds;
  readonly grace: GraceOf;
  /** Whether a daemon has the map, beside which a purge ends nothing. */
  readonly isOwned: boolean;
}

export const rowsCheck = check(
  'rows',
  async ({ settings, map, now, daemon }) => ({
    rows: (await map()).rows,
    now: now(),
    grace: ip => settings.grace.of(ip),
    isOwned: (await daemon()).owner !== null,
  }),
  judgeRows,
);

/** Seconds after which a row that is due should long be gone; the timer of init/ runs once a minute. */
const PATIENCE = 90;

const FOREIGN_CURE =
  'end them: "systemctl stop popbsmtp && popbsmtp purge --foreign; systemctl start popbsmtp"; whom you trust belongs into mynetworks';

export function judgeRows({ rows, now, grace, isOwned }: RowFacts): Verdict[] {
  if (rows instanceof Failure) return [];
  const grants = [...grantsIn(rows)];
  const overdue = grants.filter(({ ip, stamp }) => stamp + grace(ip) + PATIENCE < now);
  const open = rows.filter(isEndless);
  const whole = open.filter(isWhole);
  const wide = open.filter(row => !isWhole(row));
  const others = rows.length - grants.length - open.length;
  const verdicts: Verdict[] = [];
  if (overdue.length > 0)
    verdicts.push(
      error(
        `${quantity(overdue.length, 'row')} should have been taken away, such as ${overdue[0]?.ip}`,
        isOwned
          ? 'the daemon does not know of it, or has another grace period; its start ends what is due: systemctl restart popbsmtp'
          : 'run "popbsmtp purge", and start the daemon',
      ),
    );
  if (wide.length > 0)
    verdicts.push(
      error(
        `${quantity(wide.length, 'row')} whose key is no whole address may let a whole network relay, and nothing ends that: ${exampleKeys(wide)}`,
        FOREIGN_CURE,
      ),
    );
  if (whole.length > 0)
    verdicts.push(
      warning(
        `${quantity(whole.length, 'row')} of your own let an address relay, and nothing ends that: ${exampleKeys(whole)}`,
        FOREIGN_CURE,
      ),
    );
  const added = others === 0 ? '' : `, and ${quantity(others, 'row')} of your own`;
  return verdicts.length > 0 ? verdicts : [ok(`${quantity(grants.length, 'grant')}${added}`)];
}
