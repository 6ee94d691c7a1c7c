/** Which known name a misspelt one was meant to be. */

/** More letters than this are another word, and no slip. */
const MOST_DISTANCE = 2;

/**
 * The nearest of some known names to a misspelt one, by the number of letters to change; null when none is near.
 *
 * Of a name of one or two letters something has to be left.
 */
export function nearest(name: string, known: readonly string[]): string | null {
  const [best] = known
    .map(candidate => ({ candidate, distance: editDistance(name, candidate) }))
    .filter(({ distance }) => distance <= MOST_DISTANCE && distance < name.length)
    .sort((a, b) => a.distance - b.distance);
  return best?.candidate ?? null;
}

/** Levenshtein's distance: letters to insert, delete or replace. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [row, letter] of [...a].entries()) {
    const current = [row + 1];
    for (const [column, other] of [...b].entries()) {
      const replace = (previous[column] ?? 0) + (letter === other ? 0 : 1);
      current.push(Math.min(replace, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
