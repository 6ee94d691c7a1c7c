import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { IpText } from '../../src/base/address.ts';
import { BlockWriter, blockKey, HOUR, hourOf, type StoredBlock } from '../../src/history/block.ts';
import { type Entry, entryOf } from '../../src/history/entry.ts';
import { evidenceFor } from '../../src/history/evidence.ts';
import { HistoryFile } from '../../src/history/history-file.ts';
import type { Question } from '../../src/history/why.ts';

const NOON = 1_795_000_000;
const ip = (number: number): IpText => `198.51.100.${number}` as IpText;

let directory = '';
let count = 0;
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'popbsmtp-evidence-'));
});
after(() => rmSync(directory, { recursive: true }));

/** In blocks of a few entries each, as the recorder would write them. */
async function fileOf(
  entries: readonly Entry[],
  change: (block: StoredBlock, index: number) => StoredBlock = block => block,
): Promise<HistoryFile> {
  const path = join(directory, `h${count++}`);
  const file = await HistoryFile.open(path, { most: 2 ** 26, warn: assert.fail });
  const blocks: StoredBlock[] = [];
  for (let at = 0; at < entries.length; ) {
    const hour = hourOf(entries[at]?.time ?? 0);
    const writer = new BlockWriter(hour);
    for (let more = 0; more < 3 && at < entries.length; more++) {
      const entry = entries[at];
      if (entry === undefined || hourOf(entry.time) !== hour) break;
      writer.add(entry);
      at++;
    }
    blocks.push(change(writer.stored(blockKey(hour, blocks.length + 1)), blocks.length));
  }
  await file.write({ blocks, messages: new Map() });
  return file;
}

async function evidence(entries: readonly Entry[], question: Partial<Question>): Promise<Entry[]> {
  const file = await fileOf(entries);
  try {
    const found = await evidenceFor({ address: null, user: null, at: NOON, ...question }, file);
    return found.sort((a, b) => a.time - b.time);
  } finally {
    await file.close();
  }
}

const login = (hours: number, of: number, user: string): Entry =>
  entryOf('login', NOON - hours * HOUR, { ip: ip(of), user, server: 'dovecot', what: 'granted' });

describe('the evidence', () => {
  test('has what bears on the address, its users, their addresses, and the daemon, however far back', async () => {
    const entries = [
      entryOf('daemon', NOON - 2000 * HOUR, { what: 'started' }),
      entryOf('order', NOON - 1900 * HOUR, { user: 'ANNA', what: 'revoke', until: NOON * 2 }),
      login(1000, 1, 'anna'),
      login(900, 2, 'Anna'),
      login(800, 3, 'bert'),
      entryOf('ended', NOON - 700 * HOUR, { ip: ip(2), what: 'purged' }),
    ];
    const about = entries.filter(({ user }) => user !== 'bert');
    assert.deepEqual(await evidence(entries, { address: ip(1) }), about);
    assert.deepEqual(await evidence(entries, { user: 'anna' }), about);
  });

  test('is the same with the filters and without them', async () => {
    const some = fc
      .array(fc.tuple(fc.integer({ min: 30, max: 200 }), fc.nat(9), fc.nat(5)), { maxLength: 60 })
      .map(all =>
        all.sort(([a], [b]) => b - a).map(([hours, of, user]) => login(hours, of, `u${user}`)),
      );
    await fc.assert(
      fc.asyncProperty(some, async entries => {
        const question = { address: ip(1), user: null, at: NOON };
        const [filtered, bare] = await Promise.all([
          fileOf(entries),
          fileOf(entries, block => ({ ...block, filter: Buffer.alloc(8, 255) })),
        ]);
        const found = await evidenceFor(question, filtered);
        assert.deepEqual(found, await evidenceFor(question, bare));
        await filtered.close();
        await bare.close();
      }),
      { numRuns: 20 },
    );
  });

  test('of an address in very many blocks has the latest, and every order', async () => {
    const entries = [
      entryOf('order', NOON - 3000 * HOUR, { ip: ip(1), what: 'revoke', until: NOON * 2 }),
      ...Array.from({ length: 2000 }, (_, at) => login(2000 - at, 1, 'anna')),
    ];
    const found = await evidence(entries, { address: ip(1) });
    assert.deepEqual(found[0], entries[0]);
    assert.deepEqual(found.at(-1), entries.at(-1));
    assert.ok(found.length < 1000, `${found.length}`);
  });
});
