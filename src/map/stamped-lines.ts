/**
 * Text files in which the time of a row stands on a comment line of its own before it, `# popbsmtp 1795817958`: so the file alone says what
 * is granted until when, and cannot come apart from its times as from a second file.
 *
 * Promises: lines of the administrator's keep their bytes and their order, and ours stand behind them.
 * Leaves to others: what the line of a row looks like.
 */
import type { Row } from './map.ts';
import { grantOf, stampOf } from './row.ts';

/** Any byte is a character: the administrator's text comes out as it went in. */
export const BYTES = 'latin1';

const STAMP = /^# popbsmtp (\d+)$/;

/** The lines that a row is made of, or one that is none. */
export interface Entry {
  readonly text: string;
  readonly row: Row | null;
}

/** How a type reads its lines. */
export interface LineReader {
  /** @returns the address that a line of ours is for; null for another line */
  ours(line: string): string | null;
  /** @returns the row of a line of the administrator's, if it is one */
  foreign(line: string): Row | null;
}

export function entriesOf(text: string, { ours, foreign }: LineReader): Entry[] {
  const lines = text.split('\n');
  // What is behind the last end of line.
  if (lines.at(-1) === '') lines.pop();
  const entries: Entry[] = [];
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? '';
    const next = lines[index + 1] ?? '';
    const [, stamp] = STAMP.exec(line) ?? [];
    const key = stamp === undefined ? null : ours(next);
    if (stamp !== undefined && key !== null) {
      const row = { key, value: stamp, stamp: stampOf(stamp) };
      entries.push({ text: `${line}\n${next}\n`, row });
      index++;
    } else {
      entries.push({ text: `${line}\n`, row: foreign(line) });
    }
  }
  return entries;
}

export const rowsIn = (entries: readonly Entry[]): Row[] =>
  entries.map(({ row }) => row).filter(row => row !== null);

export const textOf = (entries: readonly Entry[]): string =>
  entries.map(({ text }) => text).join('');

/** Those that are none of ours. */
export const foreignIn = (entries: readonly Entry[]): Entry[] =>
  entries.filter(({ row }) => row === null || grantOf(row) === null);

export const stamped = (stamp: string, line: string): string => `# popbsmtp ${stamp}\n${line}\n`;
