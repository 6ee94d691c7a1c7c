/**
 * How rotated logs are compressed, and what is in them: a row for each way.
 *
 * Promises: what is compressed is unpacked piece by piece, in memory that does not grow with the file, and nothing is
 * written anywhere; of a file that is damaged, all that comes before the damage is handed out.
 */
import { readSync } from 'node:fs';
import type { Transform } from 'node:stream';
import { constants, createGunzip, gunzipSync } from 'node:zlib';
import { readHead } from './place.ts';

export interface Packing {
  /** Of the names of such files. */
  readonly suffix: string;
  /** Takes what is compressed, and gives what it was made of. */
  unpack(): Transform;
  /** What the first bytes of such a file were made of, as far as they go. */
  unpackHead(head: Buffer): Buffer;
}

/** What is unpacked is handed out in pieces of so many bytes, or fewer. */
const PIECE_BYTES = 32 * 1024;

export const PACKINGS: readonly Packing[] = [
  {
    suffix: '.gz',
    unpack: () => createGunzip({ chunkSize: PIECE_BYTES }),
    unpackHead: head => gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH }),
  },
];

/** How the file of a name is compressed; null when it is not. */
export const packingOf = (name: string): Packing | null =>
  PACKINGS.find(({ suffix }) => name.endsWith(suffix)) ?? null;

/** Enough of a compressed file for the first bytes of what it holds, whatever its own head says. */
const PACKED_HEAD = 8 * 1024;

/**
 * @returns the first bytes of what an open file holds, or all when it has fewer
 * @throws Error of zlib, when not even these can be unpacked
 */
export function headOf(fd: number, packing: Packing | null, bytes: number): Buffer {
  if (packing === null) return readHead(fd, bytes);
  return packing.unpackHead(readHead(fd, PACKED_HEAD)).subarray(0, bytes);
}

/** Read at once: zlib makes up to a thousand times as much of it before it asks for more. */
const PACKED_BYTES = 4 * 1024;

/**
 * What a compressed file holds, from its first byte on.
 *
 * @param fd open for reading; stays open
 * @throws Error of read(2), or of zlib where it is damaged, after all that comes before
 */
export async function* unpacked(fd: number, packing: Packing): AsyncGenerator<Buffer> {
  const unpacker = packing.unpack();
  const pieces: Buffer[] = [];
  const state: { ended: boolean; failure: Error | null } = { ended: false, failure: null };
  let wake: () => void = () => undefined;
  // Not by its iterator, which drops what it holds when an error comes.
  unpacker.on('data', (piece: Buffer) => pieces.push(piece));
  unpacker.on('end', () => {
    state.ended = true;
    wake();
  });
  unpacker.on('error', error => {
    state.failure = error;
    wake();
  });
  const until = (step: (done: () => void) => void): Promise<void> =>
    new Promise(resolve => {
      wake = resolve;
      step(resolve);
    });
  try {
    for (const packed of packedPieces(fd)) {
      await until(done => unpacker.write(packed, done));
      yield* pieces.splice(0);
      if (state.ended || state.failure !== null) break;
    }
    if (!state.ended && state.failure === null) await until(() => unpacker.end());
    yield* pieces.splice(0);
    if (state.failure !== null) throw state.failure;
  } finally {
    unpacker.destroy();
  }
}

function* packedPieces(fd: number): Generator<Buffer> {
  let position = 0;
  for (;;) {
    // Not reused: what was written belongs to the unpacker.
    const packed = Buffer.allocUnsafe(PACKED_BYTES);
    const count = readSync(fd, packed, 0, PACKED_BYTES, position);
    if (count === 0) return;
    position += count;
    yield packed.subarray(0, count);
  }
}
