/**
 * A row of the doctor's own in the real map, for as long as something is tried with it.
 *
 * Promises: it is written as the daemon writes its rows, under the map's lock; it is taken away whatever happens,
 * also when the user ends us.  It looks like a grant that ends in two minutes, so that, should we be killed, the
 * next start of the daemon or `popbsmtp purge` takes it away.  A running daemon does not know it and leaves it alone.
 * No map is made.
 */
import type { IpText } from '../base/address.ts';
import { epoch } from '../base/clock.ts';
import { Failure, reasonOf } from '../base/errors.ts';
import type { LookupMap } from '../map/map.ts';
import { formatMapSpec, isInPlace, mapExists, openMap, readRows } from '../map/map-types.ts';
import { ownerOf } from '../map/owner.ts';
import type { Subject } from './check.ts';
import { error, ok, type Verdict, warning } from './finding.ts';

/** Seconds. */
const PROBE_LIFE = 120;
const ENDED: unique symbol = Symbol('ended');

/** The user wants to end. */
export class Interrupted extends Error {
  /** What is to be told before: a row that could not be taken away. */
  readonly leftOver: Verdict | null;

  constructor(leftOver: Verdict | null = null) {
    super('interrupted');
    this.leftOver = leftOver;
  }
}

/** What came of it, or why it could not be tried. */
export type Probed<T> =
  | { readonly kind: 'tried'; readonly result: T; readonly leftOver: Verdict | null }
  | { readonly kind: 'skipped'; readonly verdict: Verdict };

/**
 * @param ip has no row yet
 * @param use what is tried while the row is there; what it throws is a bug
 * @throws Interrupted
 */
export async function withProbeRow<T>(
  subject: Subject,
  ip: IpText,
  use: () => Promise<T>,
): Promise<Probed<T>> {
  const { map: spec, nowrite } = subject.settings;
  if (nowrite) return skipped(ok('nothing is written in a dry run'));
  if (!mapExists(spec)) return skipped(ok('there is no map to write a row to'));
  if (!isInPlace(spec) && (await ownerOf(spec)) !== null) {
    return skipped(ok(`not tried: the daemon would have to write ${formatMapSpec(spec)} again`));
  }
  let map: LookupMap;
  try {
    map = await openMap(spec);
  } catch (problem) {
    return skipped(unwritable(problem, formatMapSpec(spec)));
  }
  try {
    return await tryWith(subject, map, ip, use);
  } finally {
    await map.close();
  }
}

async function tryWith<T>(
  { settings, now, ended }: Subject,
  map: LookupMap,
  ip: IpText,
  use: () => Promise<T>,
): Promise<Probed<T>> {
  const stamp = epoch(Math.min(now(), now() - settings.grace.of(ip) + PROBE_LIFE));
  try {
    await map.commit([{ ip, stamp }]);
  } catch (problem) {
    return skipped(unwritable(problem, formatMapSpec(settings.map)));
  }
  let tried: T | typeof ENDED;
  try {
    tried = await Promise.race([use(), end(ended)]);
  } catch (problem) {
    await takeAway(map, ip);
    throw problem;
  }
  const leftOver = await takeAway(map, ip);
  if (tried === ENDED) throw new Interrupted(leftOver);
  return { kind: 'tried', result: tried, leftOver };
}

function end(ended: AbortSignal): Promise<typeof ENDED> {
  return new Promise(resolve => {
    if (ended.aborted) resolve(ENDED);
    else ended.addEventListener('abort', () => resolve(ENDED), { once: true });
  });
}

async function takeAway(map: LookupMap, ip: IpText): Promise<Verdict | null> {
  try {
    await map.commit([{ ip, stamp: null }]);
    return null;
  } catch (problem) {
    const name = formatMapSpec(map.spec);
    return error(
      `the row of ${ip}, written for this test, could not be taken away: ${reasonOf(problem)}`,
      `postmap -d ${ip} ${name}`,
    );
  }
}

const skipped = (verdict: Verdict): { kind: 'skipped'; verdict: Verdict } => ({
  kind: 'skipped',
  verdict,
});

function unwritable(problem: unknown, map: string): Verdict {
  if (!(problem instanceof Failure)) throw problem;
  return warning(
    `no row could be written to ${map} to try it: ${problem.message}`,
    'run "popbsmtp doctor" as root, or as the account of the daemon',
  );
}

/** The keys that the map has; none when it cannot be read. */
export async function keysOf({ settings }: Subject): Promise<ReadonlySet<string>> {
  try {
    return new Set((await readRows(settings.map)).map(({ key }) => key));
  } catch (problem) {
    if (problem instanceof Failure) return new Set();
    throw problem;
  }
}
