/**
 * How rotated logs are compressed, and what is in them: a row for each way.
 *
 * Promises: what is compressed is unpacked piece by piece, in memory that does not grow with the file, and nothing is
 * written anywhere; of a file that is damaged, all that comes before the damage is handed out.
 */
import { readSync } from 'node:fs';
import { constants, createGunzip, gunzipSync } from 'node:zlib';
import { readHead } from './place.ts';
import { headByProgram, unpackedByProgram } from './unpacking-program.ts';

export interface Packing {
  /** Of the names of such files. */
  readonly suffix: string;
  /** The first bytes of such files. */
  readonly magic: Buffer;
  /** What a file was made of, from its first byte on; as `unpacked`. */
  unpack(fd: number): AsyncIterable<Buffer>;
  /** The first bytes of what it was made of, as far as they go. */
  unpackHead(fd: number, bytes: number): Buffer;
}

/** What is unpacked is handed out in pieces of so many bytes, or about as many. */
const PIECE_BYTES = 32 * 1024;
/** Enough of a file of gzip's for the first bytes of what it holds, whatever its own head says. */
const PACKED_HEAD = 8 * 1024;

const byProgram = (suffix: string, magic: string, program: string): Packing => ({
  suffix,
  magic: Buffer.from(magic, 'hex'),
  unpack: fd => unpackedByProgram(program, fd),
  unpackHead: (fd, bytes) => headByProgram(program, fd, bytes),
});

/** What logrotate(8), newsyslog(8) and savelog(8) are told to pack with. */
export const PACKINGS: readonly Packing[] = [
  {
    suffix: '.gz',
    magic: Buffer.from('1f8b08', 'hex'),
    unpack: gunzipped,
    unpackHead: (fd, bytes) =>
      gunzipSync(readHead(fd, PACKED_HEAD), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(
        0,
        bytes,
      ),
  },
  byProgram('.xz', 'fd377a585a00', 'xz'),
  byProgram('.bz2', '425a68', 'bzip2'),
  byProgram('.zst', '28b52ffd', 'zstd'),
];

/** How the file of a name is compressed; null when it is not. */
export const packingOf = (name: string): Packing | null =>
  PACKINGS.find(({ suffix }) => name.endsWith(suffix)) ?? null;

/** How a file is compressed whose first bytes these are, whatever its name; null when it is not. */
export const packingOfHead = (head: Buffer): Packing | null =>
  PACKINGS.find(({ magic }) => head.subarray(0, magic.length).equals(magic)) ?? null;

/** As many of the first bytes tell a packing. */
export const MAGIC_BYTES = Math.max(...PACKINGS.map(({ magic }) => magic.length));

/**
 * @returns the first bytes of what an open file holds, or all when it has fewer
 * @throws Error of zlib or of a program, when not even these can be unpacked
 */
export const headOf = (fd: number, packing: Packing | null, bytes: number): Buffer =>
  packing === null ? readHead(fd, bytes) : packing.unpackHead(fd, bytes);

/**
 * What a compressed file holds, from its first byte on.
 *
 * @param fd open for reading; stays open
 * @throws Error of read(2), of zlib where it is damaged, or of a program, after all that comes before
 */
export const unpacked = (fd: number, packing: Packing): AsyncIterable<Buffer> => packing.unpack(fd);

/** Read at once: zlib makes up to a thousand times as much of it before it asks for more. */
const PACKED_BYTES = 4 * 1024;

async function* gunzipped(fd: number): AsyncGenerator<Buffer> {
  const unpacker = createGunzip({ chunkSize: PIECE_BYTES });
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
