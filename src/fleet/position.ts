/**
 * How far a subscriber has dealt with the streams, of which engine, and where it goes on.
 *
 * An ID of a stream is the engine's Unix time in milliseconds, a dash and a number (Redis documentation, "Redis
 * Streams"); the engine gives no ID twice, as long as it keeps the stream.  What was written forms a history: a primary
 * and its replicas have one, with one name and one count of bytes; an engine that is promoted begins another, and knows
 * which it was a part of before, and how far (Redis documentation, "Redis replication", "Replication ID explained").
 * In another history an ID says nothing: the entries of a new primary may have IDs below those that only the old one gave.
 * Promises: no entry is skipped that was written after the two histories parted; whoever has no position, one of a
 * history that the engine does not know, or one that it cannot have given yet (its clock was set back) begins where the
 * grace period does; orders are read from the first one on then.
 */
import { type EpochSeconds, epoch } from '../base/clock.ts';
import type { History } from './history.ts';

export interface Position {
  readonly orders: string;
  readonly grants: string;
}

export type StreamName = keyof Position;

export const STREAMS: readonly StreamName[] = ['grants', 'orders'];

/** A position all of whose entries were there when the history had so many bytes. */
interface Mark extends Position {
  readonly offset: number;
}

/** A position with where it is valid; plain JSON. */
export interface Place extends Position {
  /** The name of the history. */
  readonly history: string;
  /** Earlier positions in it, the latest last: where to go back to when an engine goes on from an earlier point. */
  readonly marks: readonly Mark[];
}

const ID = /^(\d{1,20})-\d{1,20}$/;
const FIRST = '0-0';
/** Behind this one the engine takes no entry: two numbers of 64 bits. */
export const LAST_ID = '18446744073709551615-18446744073709551615';

/** Seconds by which the grace period is begun earlier, for clocks that differ. */
export const SLACK_SECONDS = 60;

/** With one each heartbeat, two minutes: what parted earlier is read from where the grace period begins. */
const MOST_MARKS = 12;

export const isId = (text: unknown): text is string => typeof text === 'string' && ID.test(text);

/** The engine's time when it gave an ID. */
export const timeOf = (id: string): EpochSeconds => epoch(Number(ID.exec(id)?.[1] ?? 0) / 1000);

/**
 * Where the grace period begins, and all orders.
 *
 * @param engineNow the engine's time, here and below
 * @param grace the longest grace period in seconds, here and below: what was published before it opens nothing
 */
export function beginning(engineNow: EpochSeconds, grace: number): Position {
  const begin = Math.max(0, engineNow - grace - SLACK_SECONDS);
  return { orders: FIRST, grants: `${Math.floor(begin * 1000)}-0` };
}

/**
 * Where to go on.
 *
 * @param saved what an earlier run has noted, or this one before the connection was lost
 * @param history that of the engine now
 */
export function placeIn(
  history: History,
  saved: unknown,
  engineNow: EpochSeconds,
  grace: number,
): Place {
  const fresh = beginning(engineNow, grace);
  const place = savedPlace(saved);
  const found = place === null ? null : knownIn(history, place);
  const isPossible =
    found !== null && timeOf(found.orders) <= engineNow && timeOf(found.grants) <= engineNow;
  if (!isPossible) return { ...fresh, history: history.name, marks: [] };
  const { orders, grants, marks } = found;
  const isOld = timeOf(grants) < timeOf(fresh.grants);
  return { orders, grants: isOld ? fresh.grants : grants, history: history.name, marks };
}

/**
 * The same place, with where to go back to.
 *
 * @param offset of its history, asked for after its last entry was read
 */
export function marked({ orders, grants, history, marks }: Place, offset: number): Place {
  const kept = marks.slice(1 - MOST_MARKS);
  return { orders, grants, history, marks: [...kept, { orders, grants, offset }] };
}

/** The latest position that is valid in a history; null for none. */
function knownIn(
  { name, former }: History,
  place: Place,
): (Position & Pick<Place, 'marks'>) | null {
  if (name === '') return null;
  if (name === place.history) return place;
  if (former?.name !== place.history) return null;
  const marks = place.marks.filter(({ offset }) => offset < former.end);
  const last = marks.at(-1);
  return last === undefined ? null : { ...last, marks };
}

function savedPlace(saved: unknown): Place | null {
  const position = savedPosition(saved);
  if (position === null || typeof saved !== 'object' || saved === null) return null;
  // Earlier versions have noted neither.
  const history = 'history' in saved && typeof saved.history === 'string' ? saved.history : '';
  const marks = 'marks' in saved && Array.isArray(saved.marks) ? saved.marks : [];
  return { ...position, history, marks: marks.flatMap(markOf) };
}

function markOf(saved: unknown): readonly Mark[] {
  const position = savedPosition(saved);
  if (position === null || typeof saved !== 'object' || saved === null) return [];
  const offset = 'offset' in saved ? saved.offset : null;
  return typeof offset === 'number' ? [{ ...position, offset }] : [];
}

function savedPosition(saved: unknown): Position | null {
  if (typeof saved !== 'object' || saved === null) return null;
  if (!('orders' in saved) || !('grants' in saved)) return null;
  const { orders, grants } = saved;
  return isId(orders) && isId(grants) ? { orders, grants } : null;
}
