/** Reads the shipped patterns of the mail server. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { failure, reasonOf } from '../base/errors.ts';
import { packageRoot } from '../base/package.ts';
import { parseMailPatterns } from './mail-pattern.ts';
import { MailRecogniser } from './mail-recogniser.ts';

const SHIPPED = join(packageRoot(), 'patterns', 'mta', 'postfix.toml');

/** @throws Failure PATTERN_UNREADABLE, PATTERN_SYNTAX */
export async function loadMailRecogniser(): Promise<MailRecogniser> {
  const text = await readFile(SHIPPED, 'utf8').catch(error => {
    throw failure('PATTERN_UNREADABLE', { path: SHIPPED, reason: reasonOf(error) }, error);
  });
  return new MailRecogniser(parseMailPatterns(SHIPPED, text));
}
