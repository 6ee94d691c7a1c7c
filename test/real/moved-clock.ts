/**
 * A clock that is set wrong, for a program that is started with it: seconds are added to what the system says.
 *
 * Promises: only the time of day moves, not the clock that only goes forward; a change holds at once, while the program runs.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Rig } from './rig.ts';

const LIBRARY = `
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long by(void) {
  static volatile long *offset;
  if (offset == NULL) {
    int file = open(getenv("MOVED_CLOCK"), O_RDONLY);
    offset = mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, file, 0);
  }
  return *offset;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int result = syscall(SYS_clock_gettime, clock, now);
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) now->tv_sec += by();
  return result;
}

int gettimeofday(struct timeval *now, void *zone) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  now->tv_sec = time.tv_sec;
  now->tv_usec = time.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *now) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  if (now != NULL) *now = time.tv_sec;
  return time.tv_sec;
}
`;

export class MovedClock {
  readonly #offset: string;
  readonly #library: string;

  private constructor(directory: string) {
    this.#offset = join(directory, 'offset');
    this.#library = join(directory, 'clock.so');
  }

  /** Needs gcc. */
  static async make(rig: Rig): Promise<MovedClock> {
    const directory = await rig.directory();
    const clock = new MovedClock(directory);
    writeFileSync(clock.#offset, Buffer.alloc(8));
    const source = join(directory, 'clock.c');
    await writeFile(source, LIBRARY);
    const { status, stderr } = spawnSync('gcc', ['-shared', '-fPIC', '-o', clock.#library, source]);
    if (status !== 0) throw new Error(`gcc: ${stderr}`);
    return clock;
  }

  /** For the program. */
  get env(): Readonly<Record<string, string>> {
    return { LD_PRELOAD: this.#library, MOVED_CLOCK: this.#offset };
  }

  /** @param seconds from the right time, forward or, below 0, back */
  moveBy(seconds: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(seconds));
    // In place: the program has it in its memory.
    writeFileSync(this.#offset, bytes, { flag: 'r+' });
  }
}
