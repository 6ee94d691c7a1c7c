/**
 * Stack traces that name our files, although what runs is a bundle of them.
 *
 * Node does so by itself only when it reads the source map of whatever is loaded (`--enable-source-maps`), at every start.  Here
 * they are read when a trace is looked at, which is when there is a bug to print.
 * Known limit: a frame whose map cannot be read stays as it is.
 */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A place in a file of the bundle. */
const PLACE = /(file:\/\/[^\s():]+\.js):(\d+):(\d+)/g;

/** From now on, in every trace of this thread. */
export function nameSources(): void {
  Error.prepareStackTrace = (error, frames) =>
    [describe(error), ...frames.map(frame => `    at ${withSources(String(frame))}`)].join('\n');
}

function describe(error: unknown): string {
  try {
    return String(error);
  } catch {
    return 'an error that cannot be shown';
  }
}

/** A frame with the places of our sources, `src/daemon/daemon.ts:12:3`, instead of those of the bundle. */
function withSources(frame: string): string {
  return frame.replace(PLACE, (place, url: string, line: string, column: string) => {
    const file = fileURLToPath(url);
    const entry = mapOf(file)?.findEntry(Number(line) - 1, Number(column) - 1);
    if (entry === undefined || !('originalSource' in entry)) return place;
    const source = resolve(dirname(file), entry.originalSource);
    const name = relative(resolve(dirname(file), '../..'), source);
    return `${name}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  });
}

function mapOf(file: string): SourceMap | null {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')));
  } catch {
    return null;
  }
}
