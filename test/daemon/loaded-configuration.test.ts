/** What a daemon runs with, against what is on the disk. */
import assert from 'node:assert/strict';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, test } from 'node:test';
import type { SettingChange } from '../../src/control/configuration-state.ts';
import { LoadedConfiguration } from '../../src/daemon/loaded-configuration.ts';
import { parseCommandLine } from '../../src/options/command-line.ts';
import { withConfig } from '../../src/options/config.ts';
import { directory } from '../map/scratch.ts';

const place = await directory();
const file = join(place, 'popbsmtp.toml');
const own = await directory();
const pattern = join(own, 'own.toml');

const typed = () =>
  parseCommandLine(['run', '--config', file, '--patterns', own, '--max-grants', '7'], '').values;

beforeEach(async () => {
  await writeFile(file, 'grace = "15m"\nwatchlog = "/log"\n');
  await writeFile(pattern, '');
  await utimes(pattern, 1, 1);
});

const loaded = (): LoadedConfiguration =>
  new LoadedConfiguration(typed(), withConfig(typed()), 10_000);

const changes = async (of: LoadedConfiguration): Promise<readonly SettingChange[]> =>
  (await of.state(null)).changes;

describe('the configuration of a daemon', () => {
  test('is what is on the disk', async () => {
    const state = await loaded().state(null);
    assert.deepEqual(state, { loaded: '1970-01-01T00:00:10.000Z', changes: [], problem: null });
  });

  test('differs in a value, and not in how it is written', async () => {
    const before = loaded();
    await writeFile(file, '# the same\nwatchlog = ["/log"]\ngrace = "900"\n');
    assert.deepEqual(await changes(before), []);
    await writeFile(file, 'grace = "1h"\nwatchlog = ["/log", "/other"]\nexclude = "none"\n');
    assert.deepEqual(await changes(before), [
      { what: 'watchlog', running: '/log', written: '/log /other', takes: 'restart' },
      { what: 'grace', running: '15m', written: '1h', takes: 'reload' },
      {
        what: 'exclude',
        running: '127.0.0.0/8 ::1 0.0.0.0/8 :: 169.254.0.0/16 fe80::/10 224.0.0.0/4 ff00::/8',
        written: 'none',
        takes: 'reload',
      },
    ]);
  });

  test('takes over what was loaded again, but for what takes a restart', async () => {
    const before = loaded();
    await writeFile(file, 'grace = "1h"\nwatchlog = "/other"\n');
    before.reloaded(withConfig(typed()), 20_000);
    assert.deepEqual(
      (await changes(before)).map(({ what }) => what),
      ['watchlog'],
    );
  });

  test('what the command line says counts, whatever the file has', async () => {
    const before = loaded();
    await writeFile(file, 'grace = "15m"\nwatchlog = "/log"\nmax-grants = 9\n');
    assert.deepEqual(await changes(before), []);
  });

  test('patterns that are younger', async () => {
    const before = loaded();
    await utimes(pattern, 11, 11);
    assert.deepEqual(await changes(before), [
      { what: pattern, running: null, written: null, takes: 'reload' },
    ]);
  });

  for (const text of ['grace = ', 'grase = "15m"\n', 'grace = "soon"\n'] as const)
    test(`what cannot be read is said: ${text.trim()}`, async () => {
      const before = loaded();
      await writeFile(file, text);
      const { problem, changes: found } = await before.state(null);
      assert.match(problem ?? '', /popbsmtp\.toml/);
      assert.deepEqual(found, []);
    });
});
