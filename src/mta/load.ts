/** Reads the shipped patterns of the mail server, which the build has parsed (recogniser/parsed.ts). */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { failure, reasonOf } from '../base/errors.ts';
import { packageRoot } from '../base/package.ts';
import { parsedName, readParsed } from '../recogniser/parsed.ts';
import { type MailPatternFile, parseMailPatterns } from './mail-pattern.ts';
import { MailRecogniser } from './mail-recogniser.ts';

const SHIPPED = join(packageRoot(), 'patterns', 'mta', 'postfix.toml');

export const PARSED_MAIL_NAME = parsedName('mail-patterns');

/** What came of the shipped file in the build. */
interface Parsed {
  readonly text: string;
  readonly file: MailPatternFile;
}

/** @throws Failure PATTERN_UNREADABLE, PATTERN_SYNTAX */
export async function loadMailRecogniser(): Promise<MailRecogniser> {
  const [text, parsed] = await Promise.all([readShipped(), readParsed<Parsed>(PARSED_MAIL_NAME)]);
  return new MailRecogniser(
    parsed?.text === text ? { ...parsed.file, path: SHIPPED } : parseMailPatterns(SHIPPED, text),
  );
}

/** What the build puts under PARSED_MAIL_NAME. @throws Failure PATTERN_UNREADABLE, PATTERN_SYNTAX */
export async function parseShippedMail(): Promise<Buffer> {
  const text = await readShipped();
  const parsed: Parsed = { text, file: parseMailPatterns(SHIPPED, text) };
  return serialize(parsed);
}

async function readShipped(): Promise<string> {
  try {
    return await readFile(SHIPPED, 'utf8');
  } catch (error) {
    throw failure('PATTERN_UNREADABLE', { path: SHIPPED, reason: reasonOf(error) }, error);
  }
}
