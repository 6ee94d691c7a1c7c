/** Entries as a history has them: in blocks by the hour, the oldest first. */
import { BlockWriter, hourOf } from '../../src/history/block.ts';
import type { Entry } from '../../src/history/entry.ts';

export function blocksOf(entries: readonly Entry[]): Buffer[] {
  const blocks = new Map<number, BlockWriter>();
  for (const entry of entries) {
    const hour = hourOf(entry.time);
    const block = blocks.get(hour) ?? new BlockWriter(hour);
    blocks.set(hour, block);
    block.add(entry);
  }
  return [...blocks].sort(([a], [b]) => a - b).map(([, block]) => block.bytes());
}
