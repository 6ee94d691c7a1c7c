/** Reads back what was noted: JSON of our own, but from a file, so that nothing is taken for granted. */

/**
 * The entries of a list under a key, each a list itself; none when there is no such list, and without those that
 * `entryOf` refuses.
 */
export function savedList<T>(
  saved: unknown,
  key: string,
  entryOf: (entry: readonly unknown[]) => T | null,
): T[] {
  if (typeof saved !== 'object' || saved === null) return [];
  const value: unknown = Object.entries(saved).find(([name]) => name === key)?.[1];
  const entries: unknown[] = Array.isArray(value) ? value : [];
  return entries
    .map(entry => (Array.isArray(entry) ? entryOf(entry) : null))
    .filter(entry => entry !== null);
}
