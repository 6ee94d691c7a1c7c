/**
 * A row of the doctor's own in the real map, for as long as something is tried with it.
 *
 * Promises: it is written as the daemon writes its rows; it is taken away whatever happens, also when the user ends us.  It looks like
 * a grant that ends in two minutes, so that, should we be killed, the next start of the daemon or `popbsmtp purge` takes it away.
 * A map in place is written under its lock, and a running daemon does not know the row and leaves it alone; a map that is
 * replaced as a whole is its daemon's alone, which is asked to write the row, and ends it by itself.  No map is made.
 */
import type { IpText } from '../base/address.ts';
import { Failure, reasonOf } from '../base/errors.ts';
import type { LookupMap } from '../map/map.ts';
import { formatMapSpec, isInPlace, mapExists, openMap, readRows } from '../map/map-types.ts';
import { ownerOf } from '../map/owner.ts';
import type { Subject } from './check.ts';
import { error, skipped, type Verdict } from './finding.ts';
import { inFile, ofDaemon, type RowWriter, unwritable } from './probe-writer.ts';

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
  if (nowrite) return not(skipped('not tried: nothing is written in a dry run'));
  if (!(await mapExists(spec))) return not(skipped('not tried: there is no map to write a row to'));
  if (!isInPlace(spec) && (await ownerOf(spec)) !== null) {
    const { answer } = await subject.daemon();
    return answer.kind === 'status'
      ? tryWith(subject, ofDaemon(spec), ip, use)
      : not(skipped('not tried: the daemon that would have to write a row does not answer'));
  }
  let map: LookupMap;
  try {
    map = await openMap(spec);
  } catch (problem) {
    return not(unwritable(problem, spec));
  }
  try {
    return await tryWith(subject, inFile(map, subject), ip, use);
  } finally {
    await map.close();
  }
}

async function tryWith<T>(
  { settings, ended }: Subject,
  writer: RowWriter,
  ip: IpText,
  use: () => Promise<T>,
): Promise<Probed<T>> {
  const unwritten = await writer.write(ip);
  if (unwritten !== null) return not(unwritten);
  const name = formatMapSpec(settings.map);
  let tried: T | typeof ENDED;
  try {
    tried = await Promise.race([use(), end(ended)]);
  } catch (problem) {
    await takeAway(writer, ip, name);
    throw problem;
  }
  const leftOver = await takeAway(writer, ip, name);
  if (tried === ENDED) throw new Interrupted(leftOver);
  return { kind: 'tried', result: tried, leftOver };
}

function end(ended: AbortSignal): Promise<typeof ENDED> {
  return new Promise(resolve => {
    if (ended.aborted) resolve(ENDED);
    else ended.addEventListener('abort', () => resolve(ENDED), { once: true });
  });
}

/** @param name of the map, for people */
async function takeAway(writer: RowWriter, ip: IpText, name: string): Promise<Verdict | null> {
  try {
    await writer.takeAway(ip);
    return null;
  } catch (problem) {
    return error(
      `the row of ${ip} in ${name}, written for this test, could not be taken away: ${reasonOf(problem)}`,
      writer.remedy(ip),
    );
  }
}

const not = (verdict: Verdict): { kind: 'skipped'; verdict: Verdict } => ({
  kind: 'skipped',
  verdict,
});

/** The keys that the map has; none when it cannot be read. */
export async function keysOf({ settings }: Subject): Promise<ReadonlySet<string>> {
  try {
    return new Set((await readRows(settings.map)).map(({ key }) => key));
  } catch (problem) {
    if (problem instanceof Failure) return new Set();
    throw problem;
  }
}
