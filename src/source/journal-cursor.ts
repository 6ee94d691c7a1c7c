/**
 * Cursors of the systemd journal: the names of its entries (systemd.journal-fields(7), __CURSOR).
 *
 * systemd calls the text opaque.  What is read here has been the same since 2012 (sd-journal.c,
 * sd_journal_get_cursor): `s=…;i=…` is where the entry is stored, `b=…;m=…;t=…;x=…` are its boot, its clocks
 * and its hash.  Should that change, entries may be told twice and the time is not seen; nothing is lost.
 */
import { type EpochSeconds, epoch } from '../base/clock.ts';

const PLACE = /^s=[^;]*;i=[^;]*;/;
const REALTIME = /(?:^|;)t=([0-9a-f]{1,14})(?:;|$)/;

/** Whether two cursors name the same entry, though it was moved from memory to disk between them. */
export const isSameEntry = (one: string, other: string): boolean =>
  one.replace(PLACE, '') === other.replace(PLACE, '');

/** When journald received the entry, or null if the cursor does not tell. */
export function cursorTime(cursor: string): EpochSeconds | null {
  const microseconds = REALTIME.exec(cursor)?.[1];
  return microseconds === undefined ? null : epoch(Number.parseInt(microseconds, 16) / 1e6);
}
