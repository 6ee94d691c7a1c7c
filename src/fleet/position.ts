/**
 * How far a subscriber has dealt with the streams, and where it goes on.
 *
 * An ID of a stream is the engine's Unix time in milliseconds, a dash and a number (Redis documentation, "Redis
 * Streams"); the engine gives no ID twice, as long as it keeps the stream.
 * Promises: whoever has no position, or one that the engine cannot have given yet (it was restarted without its data, by
 * a clock that was set back), begins where the grace period does; orders are read from the first one on.
 */
import { type EpochSeconds, epoch } from '../base/clock.ts';

export interface Position {
  readonly orders: string;
  readonly grants: string;
}

export type StreamName = keyof Position;

const ID = /^(\d{1,20})-\d{1,20}$/;
const FIRST = '0-0';
/** Behind this one the engine takes no entry: two numbers of 64 bits. */
export const LAST_ID = '18446744073709551615-18446744073709551615';

/** Seconds by which the grace period is begun earlier, for clocks that differ. */
export const SLACK_SECONDS = 60;

export const isId = (text: unknown): text is string => typeof text === 'string' && ID.test(text);

/** The engine's time when it gave an ID. */
export const timeOf = (id: string): EpochSeconds => epoch(Number(ID.exec(id)?.[1] ?? 0) / 1000);

/**
 * @param saved what an earlier run has noted, or this one before the connection was lost
 * @param engineNow the engine's time
 * @param grace the longest grace period in seconds: what was published before it opens nothing
 */
export function positionFrom(saved: unknown, engineNow: EpochSeconds, grace: number): Position {
  const begin = epoch(Math.max(0, engineNow - grace - SLACK_SECONDS));
  const fresh = { orders: FIRST, grants: `${Math.floor(begin * 1000)}-0` };
  const { orders, grants } = savedPosition(saved) ?? fresh;
  if (timeOf(orders) > engineNow || timeOf(grants) > engineNow) return fresh;
  return { orders, grants: timeOf(grants) < begin ? fresh.grants : grants };
}

function savedPosition(saved: unknown): Position | null {
  if (typeof saved !== 'object' || saved === null) return null;
  if (!('orders' in saved) || !('grants' in saved)) return null;
  const { orders, grants } = saved;
  return isId(orders) && isId(grants) ? { orders, grants } : null;
}
