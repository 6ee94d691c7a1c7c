/**
 * The pattern files that patterns/README.md prints, as an administrator would copy them.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { StampReader } from '../../src/line/stamp.ts';
import { loadPatterns } from '../../src/recogniser/load.ts';
import { Recogniser } from '../../src/recogniser/recogniser.ts';
import { failedSamples } from '../../src/recogniser/samples.ts';

/** Near the stamps of the samples, which have no year. */
const NOW = epoch(1_795_400_000);

const directory = mkdtempSync(join(tmpdir(), 'popbsmtp-test-'));
after(() => rmSync(directory, { recursive: true }));

const manual = readFileSync(join(import.meta.dirname, '../../../patterns/README.md'), 'utf8');
const blocks = [...manual.matchAll(/^```toml\n(.*?)^```$/gms)].map(([, text = '']) => text);
for (const [index, text] of blocks.entries()) writeFileSync(join(directory, `${index}.toml`), text);

const registry = await loadPatterns({ directory, explicit: true });

test('each of them can be loaded, and its samples are right', () => {
  assert.equal(blocks.length, 2);
  assert.deepEqual(failedSamples(registry, NOW), []);
});

for (const [what, proxy, ip] of [
  ["a client is granted what the administrator's own proxy says of it", '10.0.0.4', '192.0.2.10'],
  ['but not what it says of itself', '198.51.100.9', null],
] as const) {
  test(what, () => {
    const recogniser = new Recogniser(registry, new StampReader(() => NOW));
    const event = recogniser.recognise(
      `Nov 23 00:53:00 mx mailboxd: INFO  [ImapServer-2] [name=a@example.org;ip=${proxy};oip=192.0.2.10;ua=x/1;] ` +
        'imap - user a@example.org authenticated, mechanism=LOGIN [TLS]',
    );
    assert.equal(event?.ip ?? null, ip);
  });
}
