/**
 * Steps that are taken again and again, all those of the same period in the same moment: a process that has nothing to do
 * is woken once for all of them.
 *
 * Promises: the first time comes within the period; a step that was stopped is not taken again.
 */

interface Beat {
  readonly timer: NodeJS.Timeout;
  readonly steps: Set<() => void>;
}

const beats = new Map<number, Beat>();

/**
 * @param milliseconds between two times
 * @returns ends it
 */
export function every(milliseconds: number, step: () => void): () => void {
  const beat = beats.get(milliseconds) ?? begin(milliseconds);
  // One that is given twice is two steps.
  const own = (): void => step();
  beat.steps.add(own);
  return () => {
    beat.steps.delete(own);
    if (beat.steps.size > 0 || beats.get(milliseconds) !== beat) return;
    clearInterval(beat.timer);
    beats.delete(milliseconds);
  };
}

function begin(milliseconds: number): Beat {
  const steps = new Set<() => void>();
  const timer = setInterval(() => {
    for (const step of steps) step();
  }, milliseconds);
  const beat = { timer, steps };
  beats.set(milliseconds, beat);
  return beat;
}
