import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RunSettings, runSettings } from '../../../src/daemon/settings.ts';
import { parseConfig } from '../../../src/options/config.ts';
import { OPTION_NAMES, specOf } from '../../../src/options/options.ts';
import { Values } from '../../../src/options/values.ts';
import { defaultEntry, exampleEntry } from '../../../src/packaging/manual/config-entry.ts';
import { sampleConfig } from '../../../src/packaging/manual/sample-config.ts';

const KEYS = OPTION_NAMES.filter(name => specOf(name).inFile);

/** Where a value came from is another place, of course. */
const valuesOf = (settings: RunSettings): unknown =>
  JSON.parse(
    JSON.stringify(settings, (key, value: unknown) => (key === 'origin' ? undefined : value)),
  );

test('as it is installed, it says nothing', () => {
  assert.deepEqual(parseConfig(sampleConfig(), 'sample'), new Values(new Map()));
});

test('with every line uncommented, it gives the defaults', () => {
  const text = sampleConfig().replace(/^#(?! )/gm, '');
  assert.notEqual(text, sampleConfig());
  const settings = runSettings(parseConfig(text, 'sample'));
  assert.deepEqual(valuesOf(settings), valuesOf(runSettings(new Values(new Map()))));
});

test('every key is there, once, with its default or an example', () => {
  const text = sampleConfig();
  for (const name of KEYS) {
    const found = text.match(new RegExp(`^(?:#|# Example: )${name} = `, 'gm'));
    assert.equal(found?.length, 1, name);
  }
});

test('no line of prose is wider than a terminal', () => {
  for (const line of sampleConfig().split('\n')) {
    assert.ok(line.length <= 80 || /^#(?: Example: )?\S+ = /.test(line), line);
  }
});

test('every example is understood, and says something else than the default', () => {
  for (const name of KEYS) {
    const example = exampleEntry(name);
    runSettings(parseConfig(example, 'example'));
    assert.notEqual(example, defaultEntry(name));
  }
});
