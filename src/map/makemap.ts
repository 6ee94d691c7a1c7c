/**
 * Runs sendmail's own `makemap`: what is in a map, and a map of what it is to have.
 *
 * Promises: no sendmail.cf is read, whose TrustedUser a map would be given to; keys and values are taken as they are, with `#` and blanks.
 * Leaves to others: which file, and what the records mean.
 * Known limits: a key with a tab in it, which `makemap -t` can make, comes out as a shorter one; NUL bytes at the end of keys and values, as `makemap -N` and
 * `postmap` write them, are not kept (sendmail looks for both forms unless the K line has -N or -O).
 * Source: makemap(8) of 8.17.1.
 */
import { failure } from '../base/errors.ts';
import { runSystemCommand } from '../postfix/command.ts';
import type { MakemapRecord } from './makemap-records.ts';
import type { MapSpec } from './map.ts';

/** A million rows take half a minute. */
const TIMEOUT_MS = 120_000;

/** Any byte is a character. */
const BYTES = 'latin1';

/** What no key begins with, for no line to be a comment. */
const NO_COMMENT = '\u0001';

/** In bytes; with less, a hundred thousand rows take three times as long. */
const CACHE = 32 << 20;

const RECORD = /^([^\t\n]*)\t(.*)$/gm;

/** @throws Failure MAKEMAP_MISSING, MAP_MAKEMAP */
export async function dumpMap(spec: MapSpec, named: MapSpec): Promise<MakemapRecord[]> {
  const printed = await makemap(['-u'], spec, named, 'read');
  return Array.from(printed.matchAll(RECORD), ([, key = '', value = '']) => ({ key, value }));
}

/**
 * @param named the map that the user knows, for an error
 * @throws Failure MAKEMAP_MISSING, MAP_MAKEMAP
 */
export async function writeMap(
  spec: MapSpec,
  named: MapSpec,
  records: readonly MakemapRecord[],
): Promise<void> {
  const lines = records.map(({ key, value }) => `${key}\t${value}\n`).join('');
  const options = ['-e', '-f', '-D', NO_COMMENT, '-t', '\t', '-c', String(CACHE)];
  await makemap(options, spec, named, 'write', lines);
}

async function makemap(
  options: readonly string[],
  { path, type }: MapSpec,
  named: MapSpec,
  what: 'read' | 'write',
  input = '',
): Promise<string> {
  // Not -s: nothing is made in a directory that others may write to.
  const args = ['-C', '/dev/null', ...options, type.slice(type.indexOf(':') + 1), path];
  const run = { input, timeoutMs: TIMEOUT_MS, encoding: BYTES } as const;
  const result = await runSystemCommand('makemap', args, run);
  const spec = `${named.type}:${named.path}`;
  if (result.kind === 'missing') throw failure('MAKEMAP_MISSING', { spec });
  const reason =
    result.kind === 'broken'
      ? result.reason
      : result.status === 0
        ? null
        : (result.stderr.trim().split('\n').at(-1) ?? '').replace(/^makemap: /, '') ||
          `status ${result.status}`;
  if (reason !== null) throw failure('MAP_MAKEMAP', { what, spec, reason });
  return result.kind === 'ended' ? result.stdout : '';
}
