/** A source that goes on where another has stopped, and what one finds that looks late. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type EpochSeconds, epoch } from '../../src/base/clock.ts';
import { FileSource } from '../../src/source/file-source.ts';
import { type Place, parsePlace } from '../../src/source/place.ts';
import type { Notice } from '../../src/source/source.ts';
import { type StartPosition, startAtTime } from '../../src/source/start.ts';

let directory: string;
let log: string;
let lines: string[];
let notices: Notice[];
let source: FileSource;
let delivered: () => void = () => undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'popbsmtp-test-'));
  log = join(directory, 'mail.log');
  lines = [];
  notices = [];
});

afterEach(async () => {
  await source.stop();
  rmSync(directory, { recursive: true });
});

/** Never started: it looks when it is told to. */
function open(place: Place | null = null, startAt: StartPosition = () => 0): void {
  const receiver = {
    lines: async (batch: readonly string[]) => {
      lines.push(...batch);
      delivered();
    },
    notice: (notice: Notice) => void notices.push(notice),
  };
  source = new FileSource(log, receiver, startAt, { place });
}

async function sees(...expected: readonly string[]): Promise<void> {
  await source.look();
  assert.deepEqual(lines, expected);
  lines = [];
}

/** Stops, and has another go on from the place, as it comes back from a file. */
async function restart(meanwhile: () => void): Promise<void> {
  await source.stop();
  const place = parsePlace(JSON.parse(JSON.stringify(source.place)));
  assert.ok(place);
  meanwhile();
  open(place);
}

/** Looks until so many lines have been delivered, and stops then. */
async function stopAfter(count: number): Promise<void> {
  let stopping: Promise<void> | null = null;
  delivered = () => {
    if (lines.length >= count) stopping ??= source.stop();
  };
  await source.look();
  assert.ok(stopping !== null);
  await stopping;
  delivered = () => undefined;
}

const kinds = (): string[] => notices.map(({ kind }) => kind);

function compress(path: string): void {
  writeFileSync(`${path}.gz`, gzipSync(readFileSync(path)));
  unlinkSync(path);
}

describe('a source goes on exactly where another has stopped', () => {
  beforeEach(async () => {
    writeFileSync(log, 'one\ntwo\nhal');
    open();
    await sees('one', 'two');
  });

  afterEach(() => assert.ok(!kinds().includes('place lost')));

  test('in the same file', async () => {
    await restart(() => appendFileSync(log, 'f\nthree\n'));
    await sees('half', 'three');
  });

  test('in one that was rotated away, and in the next', async () => {
    await restart(() => {
      appendFileSync(log, 'f\n');
      renameSync(log, `${log}.1`);
      writeFileSync(log, 'three\n');
    });
    await sees('half', 'three');
  });

  test('in one that a supervisor’s logger has put a label on, and in all that came after it', async () => {
    await source.stop();
    renameSync(log, join(directory, 'current'));
    log = join(directory, 'current');
    open();
    await sees('one', 'two');
    await restart(() => {
      appendFileSync(log, 'f\n');
      renameSync(log, join(directory, '@400000006ab2f0a012345678.s'));
      writeFileSync(join(directory, '@400000006ab2f0b012345678.u'), 'three\n');
      writeFileSync(log, 'four\n');
    });
    await sees('half', 'three', 'four');
  });

  test('in one that was compressed, and in all between, plain or not', async () => {
    await restart(() => {
      appendFileSync(log, 'f\n');
      renameSync(log, `${log}.3`);
      compress(`${log}.3`);
      writeFileSync(`${log}.2`, 'three\n');
      compress(`${log}.2`);
      writeFileSync(`${log}.1`, 'four\n');
      writeFileSync(log, 'five\n');
    });
    await sees('half', 'three', 'four', 'five');
  });

  test('in one that was named by its date', async () => {
    await restart(() => {
      appendFileSync(log, 'f\n');
      renameSync(log, `${log}-20260321`);
      writeFileSync(`${log}-20260322`, 'three\n');
      writeFileSync(log, 'four\n');
    });
    await sees('half', 'three', 'four');
  });

  test('in the copy of one that was truncated, also when more was written to it than before', async () => {
    await restart(() => {
      appendFileSync(log, 'f\n');
      copyFileSync(log, `${log}.1`);
      writeFileSync(log, 'three\nfour\nfive\nsix\n');
    });
    await sees('half', 'three', 'four', 'five', 'six');
  });

  test('while a file is missing, and when it comes', async () => {
    await restart(() => {
      appendFileSync(log, 'f\n');
      renameSync(log, `${log}.1`);
    });
    await sees('half');
    writeFileSync(log, 'three\n');
    await sees('three');
  });

  test('without a file that can not be read', async () => {
    await restart(() => {
      renameSync(log, `${log}.2`);
      writeFileSync(`${log}.1.gz`, 'three\n');
      writeFileSync(log, 'four\n');
    });
    await sees('four');
    assert.ok(kinds().includes('failed'));
  });

  test('with as much of a damaged file as can be read, and the damage is told', async () => {
    const long = Array.from({ length: 20_000 }, (_, index) => `${index} ${Math.random()}`);
    const packed = gzipSync(`${long.join('\n')}\n`);
    await restart(() => {
      renameSync(log, `${log}.2`);
      writeFileSync(`${log}.1.gz`, packed.subarray(0, packed.length - 9));
      writeFileSync(log, 'four\n');
    });
    await source.look();
    assert.equal(lines.pop(), 'four');
    // Its last block is only whole with its last bytes.
    assert.deepEqual(lines, long.slice(0, lines.length));
    assert.ok(lines.length > 10_000, `${lines.length} lines`);
    assert.deepEqual(
      notices.filter(({ kind }) => kind === 'failed'),
      [{ kind: 'failed', path: log, reason: `${log}.1.gz: unexpected end of file` }],
    );
  });

  test('in the middle of a file that was compressed, long as it is', async () => {
    const long = Array.from({ length: 50_000 }, (_, index) => `${index} ${'x'.repeat(index % 99)}`);
    await restart(() => {
      appendFileSync(log, `f\n${long.join('\n')}\n`);
      renameSync(log, `${log}.1`);
      writeFileSync(log, 'end\n');
    });
    // Nothing is written anywhere, so it does not matter that nothing can be.
    const { TMPDIR } = process.env;
    process.env['TMPDIR'] = join(directory, 'missing');
    // Two stops on the way: at a place within the plain file, and within the compressed one.
    await stopAfter(10_000);
    compress(`${log}.1`);
    await restart(() => undefined);
    await stopAfter(30_000);
    await restart(() => undefined);
    await source.look();
    if (TMPDIR === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = TMPDIR;
    assert.deepEqual(lines, ['half', ...long, 'end']);
  });

  test('also with what a slow writer adds to the old file', async () => {
    const writer = openSync(log, 'a');
    renameSync(log, `${log}.1`);
    writeFileSync(log, 'three\n');
    await sees('three');
    await restart(() => writeSync(writer, 'f\nlate\n'));
    await sees('half', 'late');
    writeSync(writer, 'later\n');
    closeSync(writer);
    await sees('later');
  });
});

test('a place that is gone is told, and the start is where it would have been without', async () => {
  writeFileSync(log, 'one\ntwo\n');
  open();
  await sees('one', 'two');
  await restart(() => {
    unlinkSync(log);
    writeFileSync(log, 'three\n');
  });
  await sees('three');
  assert.ok(kinds().includes('place lost'));
});

test('only what has been dealt with is behind the place', async () => {
  writeFileSync(log, 'one\n');
  let deal: () => void = () => undefined;
  const dealt = new Promise<void>(resolve => {
    deal = resolve;
  });
  source = new FileSource(log, { lines: () => dealt, notice: () => undefined }, () => 0);
  const position = (): number | undefined => source.place?.position;
  assert.equal(position(), undefined);
  const looked = source.look();
  await new Promise(resolve => setImmediate(resolve));
  assert.equal(position(), 0);
  deal();
  await looked;
  assert.equal(position(), 4);
});

test('lines that could not be dealt with are delivered again', async () => {
  writeFileSync(log, 'one\ntwo\n');
  let broken = true;
  const receiver = {
    lines: async (batch: readonly string[]) => {
      if (broken) throw new Error('not now');
      lines.push(...batch);
    },
    notice: (notice: Notice) => void notices.push(notice),
  };
  source = new FileSource(log, receiver, () => 0);
  await sees();
  assert.ok(kinds().includes('failed'));
  broken = false;
  await sees('one', 'two');
});

describe('what was there when a file was opened', () => {
  const written: (readonly [string, EpochSeconds | null])[] = [];

  function follow(place: Place | null = null): void {
    written.length = 0;
    const receiver = {
      lines: async (batch: readonly string[], writtenBy: EpochSeconds | null = null) => {
        for (const line of batch) written.push([line, writtenBy]);
      },
      notice: () => undefined,
    };
    source = new FileSource(log, receiver, () => null, { place });
  }

  test('is no younger than its last change was, and what comes later is new', async () => {
    writeFileSync(log, 'one\ntwo\nthr');
    utimesSync(log, 1000, 1000.5);
    follow();
    await source.look();
    appendFileSync(log, 'ee\nfour\n');
    await source.look();
    assert.deepEqual(written, [
      ['one', 1001],
      ['two', 1001],
      ['three', null],
      ['four', null],
    ]);
  });

  test('has the last change of its own file, of whatever kind', async () => {
    writeFileSync(`${log}.2`, 'one\n');
    utimesSync(`${log}.2`, 1000, 1000);
    compress(`${log}.2`);
    utimesSync(`${log}.2.gz`, 1000, 1000);
    writeFileSync(`${log}.1`, 'two\n');
    utimesSync(`${log}.1`, 2000, 2000);
    writeFileSync(log, 'three\n');
    utimesSync(log, 3000, 3000);
    follow();
    await source.look();
    assert.deepEqual(written, [
      ['one', 1000],
      ['two', 2000],
      ['three', 3000],
    ]);
  });

  test('is gone when it was cut away', async () => {
    writeFileSync(log, 'one\ntwo\n');
    utimesSync(log, 1000, 1000);
    follow();
    await source.look();
    truncateSync(log);
    appendFileSync(log, 'three\n');
    await source.look();
    assert.deepEqual(written.at(-1), ['three', null]);
  });
});

describe('the start by time', () => {
  const since = (seconds: number): StartPosition =>
    startAtTime(
      () => epoch(seconds + 60),
      () => line => epoch(Number(line.split(' ', 1)[0])),
    );
  const logOf = (from: number, to: number): string =>
    Array.from({ length: to - from }, (_, index) => `${from + index} ${'x'.repeat(99)}\n`).join('');

  const first = (): number => Number(lines[0]?.split(' ', 1)[0]);
  const last = (): number => Number(lines.at(-1)?.split(' ', 1)[0]);

  for (const compressed of [false, true]) {
    const how = compressed ? 'compressed' : 'plain';
    test(`reaches back into files rotated away (${how}) when all of the current one is young`, async () => {
      writeFileSync(`${log}.3`, logOf(0, 2000));
      writeFileSync(`${log}.2`, logOf(2000, 4000));
      writeFileSync(`${log}.1`, logOf(4000, 4500));
      if (compressed) for (const number of [1, 2, 3]) compress(`${log}.${number}`);
      writeFileSync(log, logOf(4500, 5000));
      open(null, since(3000));
      await source.look();
      assert.ok(first() <= 3000 && first() > 2500, `starts at ${first()}`);
      assert.equal(lines.length, 5000 - first());
      assert.equal(last(), 4999);
    });
  }

  test('leaves them alone when the current one goes back far enough', async () => {
    writeFileSync(`${log}.1`, logOf(0, 2000));
    writeFileSync(log, logOf(2000, 4000));
    open(null, since(3000));
    await source.look();
    assert.ok(first() <= 3000 && first() > 2500, `starts at ${first()}`);
  });
});

describe('between two looks', () => {
  beforeEach(async () => {
    writeFileSync(log, 'one\n');
    open();
    await sees('one');
  });

  test('a file may be emptied, and filled with more than there was', async () => {
    truncateSync(log);
    appendFileSync(log, 'two\nthree\nfour\n');
    await sees('two', 'three', 'four');
    assert.deepEqual(
      notices.find(({ kind }) => kind === 'truncated'),
      { kind: 'truncated', path: log, copy: null },
    );
  });

  test('a file may be emptied, and filled with as much as there was', async () => {
    writeFileSync(log, 'two\n');
    await sees('two');
  });

  test('a file may be replaced by one of the same size', async () => {
    writeFileSync(`${log}.new`, 'two\n');
    renameSync(`${log}.new`, log);
    await sees('two');
  });

  test('a file may be copied and emptied, and what the copy has more is read', async () => {
    appendFileSync(log, 'two\n');
    copyFileSync(log, `${log}.1`);
    truncateSync(log);
    appendFileSync(log, 'three\n');
    await sees('two', 'three');
    assert.deepEqual(
      notices.find(({ kind }) => kind === 'truncated'),
      { kind: 'truncated', path: log, copy: `${log}.1` },
    );
  });

  test('the copy may have been compressed', async () => {
    appendFileSync(log, 'two\n');
    copyFileSync(log, `${log}-20260322`);
    compress(`${log}-20260322`);
    truncateSync(log);
    await sees('two');
  });

  test('it may be copied and emptied twice', async () => {
    appendFileSync(log, 'two\n');
    copyFileSync(log, `${log}.2`);
    writeFileSync(log, 'three\n');
    copyFileSync(log, `${log}.1`);
    writeFileSync(log, 'four\n');
    await sees('two', 'three', 'four');
  });

  test('a new file may get its first lines, be copied and emptied', async () => {
    renameSync(log, `${log}.1`);
    writeFileSync(log, '');
    await sees();
    writeFileSync(log, 'two\n');
    renameSync(`${log}.1`, `${log}.2`);
    copyFileSync(log, `${log}.1`);
    truncateSync(log);
    await sees('two');
  });

  test('several rotations may pass', async () => {
    appendFileSync(log, 'two\n');
    renameSync(log, `${log}.3`);
    writeFileSync(`${log}.2`, 'three\n');
    writeFileSync(`${log}.1`, 'four\n');
    writeFileSync(log, 'five\n');
    await sees('two', 'three', 'four', 'five');
  });

  test('a file may be removed after its last lines, and another made', async () => {
    appendFileSync(log, 'two\n');
    unlinkSync(log);
    await sees('two');
    writeFileSync(log, 'three\n');
    await sees('three');
  });

  test('something else than a file may stand in its place for a while', async () => {
    unlinkSync(log);
    mkdirSync(log);
    await sees();
    await sees();
    assert.equal(kinds().filter(kind => kind === 'failed').length, 1);
    rmdirSync(log);
    writeFileSync(log, 'two\n');
    await sees('two');
  });
});

test('the files kept open after rotations are bounded', async () => {
  writeFileSync(log, 'line\n');
  open();
  await source.look();
  const before = readdirSync('/proc/self/fd').length;
  for (let count = 1; count <= 50; count++) {
    renameSync(log, `${log}-${20260000 + count}`);
    writeFileSync(log, 'line\n');
    await source.look();
  }
  assert.equal(lines.length, 51);
  assert.ok(readdirSync('/proc/self/fd').length - before <= 8);
});
