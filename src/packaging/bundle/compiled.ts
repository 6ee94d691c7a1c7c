/**
 * The program as V8 has compiled it, kept in a file beside it.
 *
 * Reason: compiling took two fifths of a start, and half of what `list` takes beyond an empty Node.
 *
 * Promises: it is used only by the very Node that made it, for the very text that it was made from, and undamaged; V8
 * itself asks for the version alone, and runs whatever the rest says.  Where there is none that fits, the program is
 * compiled as if there were no such thing.
 * Leaves to others: making it (compile.ts), by the build and by the package's scripts.
 */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import { COMPILED, PROGRAM } from './facts.ts';

/** Bytes of a SHA-256, before what V8 made; which V8 wants aligned to eight. */
const DIGEST = 32;

/** The text of the program, which is ASCII, and where it is. */
export interface Program {
  readonly url: string;
  readonly text: Buffer;
  readonly script: Script;
}

/** @param directory of the bundle */
export function loadProgram(directory: string): Program {
  const file = join(directory, PROGRAM);
  const text = readFileSync(file);
  const url = pathToFileURL(file).href;
  const cachedData = readCompiled(join(directory, COMPILED), text);
  const script = new Script(text.toString('latin1'), {
    filename: url,
    ...(cachedData !== null && { cachedData }),
  });
  return { url, text, script };
}

/** Starts it. @param directory of the bundle */
export function startProgram({ script, url }: Program, directory: string): void {
  script.runInThisContext()(createRequire(url), url, directory);
}

/** What goes into the file. */
export const sealed = (text: Buffer, data: Buffer): Buffer =>
  Buffer.concat([digestOf(text, data), data]);

function readCompiled(path: string, text: Buffer): Buffer | null {
  const content = contentOf(path);
  if (content === null) return null;
  const data = content.subarray(DIGEST);
  return content.subarray(0, DIGEST).equals(digestOf(text, data)) ? data : null;
}

/** Null also where it cannot be read: it is no more than a help. */
function contentOf(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}

/** Over all that it depends on; another Node can have the same version, and other built-in functions. */
function digestOf(text: Buffer, data: Buffer): Buffer {
  const { size, mtimeMs } = statSync(process.execPath);
  return createHash('sha256')
    .update(`${process.version} ${process.arch} ${size} ${mtimeMs}\n`)
    .update(text)
    .update(data)
    .digest();
}
