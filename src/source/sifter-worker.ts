/**
 * The thread of sifter-thread.ts: fills the blocks that it is told to, one after the other.
 */
import { on } from 'node:events';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { type Block, ScanMemory } from '../line/scan-memory.ts';
import { Sieve } from '../line/sieve.ts';
import { fileReader, Sifter } from './sifter.ts';
import type { Answer, Task } from './sifter-thread.ts';

const { fd, settings, expressions, memory }: Task = workerData;
const sieve = new Sieve(settings, () => expressions, new ScanMemory(memory));
const { blocks } = sieve.memory;
const sifter = new Sifter(fileReader(fd), sieve);

async function fill(block: Block): Promise<Answer> {
  try {
    const content = await sifter.next(block);
    return content === null ? { kind: 'end' } : { kind: 'filled', content };
  } catch (error) {
    return { kind: 'failed', error };
  }
}

async function serve(port: MessagePort): Promise<void> {
  for await (const [index] of on(port, 'message')) {
    const block = blocks[index];
    if (block !== undefined) port.postMessage(await fill(block));
  }
}

// A module that waits could not be in a bundle of CommonJS; what fails here ends the thread with its error all the same.
if (parentPort !== null) void serve(parentPort);
