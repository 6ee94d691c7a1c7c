import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { createGzip, gzipSync } from 'node:zlib';
import {
  headOf,
  PACKINGS,
  type Packing,
  packingOf,
  packingOfHead,
  unpacked,
} from '../../src/source/packing.ts';
import { headByProgram } from '../../src/source/unpacking-program.ts';
import { requirePrograms } from '../real/programs.ts';

const directory = mkdtempSync(join(tmpdir(), 'popbsmtp-test-'));
after(() => rmSync(directory, { recursive: true }));
const path = join(directory, 'log');

const gzip = PACKINGS.find(({ suffix }) => suffix === '.gz');
assert.ok(gzip !== undefined);
const packing: Packing = gzip;

const TEXT = Buffer.from(
  Array.from({ length: 30_000 }, (_, index) => `${index} ${Math.random()}\n`).join(''),
);

/** What of a compressed file comes out, and why that was not all. */
async function unpack(bytes: Buffer): Promise<{ content: Buffer; problem: string | null }> {
  writeFileSync(path, bytes);
  const fd = openSync(path, 'r');
  const pieces: Buffer[] = [];
  try {
    for await (const piece of unpacked(fd, packing)) pieces.push(piece);
    return { content: Buffer.concat(pieces), problem: null };
  } catch (error) {
    assert.ok(error instanceof Error);
    return { content: Buffer.concat(pieces), problem: error.message };
  } finally {
    closeSync(fd);
  }
}

test('a name tells how its file is compressed', () => {
  assert.equal(packingOf('/var/log/mail.log.2.gz'), packing);
  for (const name of ['mail.log', 'mail.log.1', 'mail.gz.log']) assert.equal(packingOf(name), null);
});

describe('what comes out is', () => {
  test('what went in', async () => {
    assert.deepEqual(await unpack(gzipSync(TEXT)), { content: TEXT, problem: null });
  });

  test('nothing, of nothing', async () => {
    assert.deepEqual(await unpack(gzipSync('')), { content: Buffer.alloc(0), problem: null });
  });

  test('all of several files behind each other, as gzip makes them of an append', async () => {
    const two = Buffer.concat([gzipSync(TEXT), gzipSync(TEXT)]);
    assert.deepEqual(await unpack(two), { content: Buffer.concat([TEXT, TEXT]), problem: null });
  });

  test('all that a file without its end holds', async () => {
    const packed = gzipSync(TEXT);
    const { content, problem } = await unpack(packed.subarray(0, packed.length - 8));
    assert.equal(content.equals(TEXT), true);
    assert.equal(problem, 'unexpected end of file');
  });

  test('all that comes before the damage', async () => {
    const packed = gzipSync(TEXT);
    const half = packed.length >> 1;
    packed.fill(0xff, half);
    const { content, problem } = await unpack(packed);
    assert.notEqual(problem, null);
    assert.ok(content.length > TEXT.length / 3, `${content.length} of ${TEXT.length}`);
    const intact = TEXT.length / 3;
    assert.equal(content.subarray(0, intact).equals(TEXT.subarray(0, intact)), true);
  });

  test('nothing of what is no such file', async () => {
    const { content, problem } = await unpack(TEXT);
    assert.deepEqual([content.length, problem], [0, 'incorrect header check']);
  });
});

test('a walk may end before the file does', async () => {
  writeFileSync(path, gzipSync(TEXT));
  const fd = openSync(path, 'r');
  for await (const piece of unpacked(fd, packing)) {
    assert.ok(piece.length > 0);
    break;
  }
  closeSync(fd);
});

test('a long log takes no more memory than a short one', async () => {
  const packer = createGzip({ level: 1 });
  const packed: Buffer[] = [];
  packer.on('data', (piece: Buffer) => packed.push(piece));
  const line = Buffer.alloc(1 << 20, 'Nov 23 00:53:00 mx dovecot: imap-login: Disconnected\n');
  for (let written = 0; written < 300; written++)
    await new Promise(resolve => packer.write(line, resolve));
  packer.end();
  await once(packer, 'end');
  writeFileSync(path, Buffer.concat(packed));
  const fd = openSync(path, 'r');
  let [size, longest] = [0, 0];
  let held = 0;
  for await (const piece of unpacked(fd, packing)) {
    size += piece.length;
    longest = Math.max(longest, piece.length);
    held = Math.max(held, process.memoryUsage().arrayBuffers);
  }
  closeSync(fd);
  assert.equal(size, 300 << 20);
  assert.ok(longest <= 1 << 20, `pieces of ${longest} bytes`);
  assert.ok(held < 100 << 20, `${held} bytes held`);
});

test('the head of a file is that of what it holds', () => {
  for (const [bytes, how] of [
    [gzipSync(TEXT), packing],
    [TEXT, null],
  ] as const) {
    writeFileSync(path, bytes);
    const fd = openSync(path, 'r');
    assert.equal(headOf(fd, how, 1024).equals(TEXT.subarray(0, 1024)), true);
    closeSync(fd);
  }
});

const PROGRAMS = [
  ['.xz', 'xz'],
  ['.bz2', 'bzip2'],
  ['.zst', 'zstd'],
] as const;

for (const [suffix, program] of PROGRAMS)
  describe(`by ${program}`, { skip: requirePrograms([program]) }, () => {
    const how = packingOf(`/var/log/mail.log.2${suffix}`);
    assert.ok(how !== null);
    const pack = (bytes: Buffer): Buffer =>
      spawnSync(program, ['-c'], { input: bytes, maxBuffer: 2 * TEXT.length }).stdout;

    /** What comes out, and why that was not all. */
    async function contentOf(bytes: Buffer): Promise<[Buffer, string]> {
      writeFileSync(path, bytes);
      const fd = openSync(path, 'r');
      const pieces: Buffer[] = [];
      try {
        for await (const piece of unpacked(fd, how ?? assert.fail())) pieces.push(piece);
        return [Buffer.concat(pieces), ''];
      } catch (error) {
        return [Buffer.concat(pieces), error instanceof Error ? error.message : ''];
      } finally {
        closeSync(fd);
      }
    }

    test('what comes out is what went in, each time', async () => {
      const packed = pack(TEXT);
      assert.equal(packingOfHead(packed), how);
      writeFileSync(path, packed);
      const fd = openSync(path, 'r');
      for (let walk = 0; walk < 2; walk++) {
        assert.equal(headOf(fd, how, 1024).equals(TEXT.subarray(0, 1024)), true);
        const pieces: Buffer[] = [];
        for await (const piece of unpacked(fd, how)) pieces.push(piece);
        assert.equal(Buffer.concat(pieces).equals(TEXT), true);
      }
      closeSync(fd);
    });

    test('of nothing comes nothing', async () => {
      assert.deepEqual(await contentOf(pack(Buffer.alloc(0))), [Buffer.alloc(0), '']);
    });

    test('damage is told in one line, after all that comes before it', async () => {
      const long = Buffer.concat(Array.from({ length: 20 }, () => TEXT));
      const packed = pack(long);
      const [content, problem] = await contentOf(packed.subarray(0, packed.length - 50));
      assert.ok(content.length > 0 && content.equals(long.subarray(0, content.length)));
      assert.match(problem, new RegExp(`^${program}: .+$`));
    });

    test('what is no such file has no head', () => {
      writeFileSync(path, TEXT);
      const fd = openSync(path, 'r');
      assert.throws(() => headOf(fd, how, 10), new RegExp(`^Error: ${program}: .+$`));
      closeSync(fd);
    });

    test('a walk may end before the file does', async () => {
      writeFileSync(path, pack(TEXT));
      const fd = openSync(path, 'r');
      for await (const piece of unpacked(fd, how)) {
        assert.ok(piece.length > 0);
        break;
      }
      closeSync(fd);
    });
  });

test('a program that is missing is named', () => {
  const fd = openSync(path, 'r');
  assert.throws(() => headByProgram('no-such-packer', fd, 10), /no-such-packer is not installed/);
  closeSync(fd);
});
