/**
 * Sifts a file in a thread of its own, so that reading it and looking at its bytes takes no time where there is a
 * second processor.
 *
 * Reason: of the time that a large log took, a third went there.
 *
 * Promises: the blocks of a Sifter, in the same order (test/source/finished-log.test.ts compares them); the thread
 * works at most BLOCKS ahead, and has ended when the walk has.
 */
import { on } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Expressions } from '../line/message-matcher.ts';
import type { SharedScanMemory } from '../line/scan-memory.ts';
import type { Sieve, SieveSettings } from '../line/sieve.ts';
import { addBlock, type Content, type Sifted } from './sifter.ts';

const BLOCKS = 4;
/** The thread's program, as it is built. */
const WORKER = new URL('./sifter-worker.js', import.meta.url);

/** What the thread works with. */
export interface Task {
  /** Open for reading. */
  readonly fd: number;
  /** The sieve's. */
  readonly settings: SieveSettings;
  readonly expressions: readonly (Expressions | null)[];
  /** With the blocks. */
  readonly memory: SharedScanMemory;
}

/** What has become of a block that the thread was told to fill. */
export type Answer =
  | { readonly kind: 'filled'; readonly content: Content }
  | { readonly kind: 'end' }
  | { readonly kind: 'failed'; readonly error: unknown };

/**
 * @param fd open for reading; stays open
 * @throws what reading throws
 */
export async function* siftInThread(fd: number, sieve: Sieve): AsyncGenerator<Sifted> {
  const blocks = Array.from({ length: BLOCKS }, () => addBlock(sieve));
  const { settings, memory } = sieve;
  const task: Task = {
    fd,
    // A log that is worth a thread is worth automata.
    settings: { ...settings, firstLines: 0 },
    expressions: sieve.expressions(),
    memory: memory.share(),
  };
  const worker = new Worker(WORKER, { workerData: task });
  try {
    const answers = on(worker, 'message');
    for (const index of blocks.keys()) worker.postMessage(index);
    for (;;) {
      for (const [index, block] of blocks.entries()) {
        const content = contentOf((await answers.next()).value[0]);
        if (content === null) return;
        yield { block, content };
        worker.postMessage(index);
      }
    }
  } finally {
    await worker.terminate();
  }
}

function contentOf(answer: Answer): Content | null {
  switch (answer.kind) {
    case 'filled':
      return answer.content;
    case 'end':
      return null;
    case 'failed':
      throw answer.error;
  }
}
