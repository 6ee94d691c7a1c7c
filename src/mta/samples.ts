/**
 * Runs the samples that stand in the pattern file of a mail server, on the daemon's own path.
 *
 * Promises: a `match` sample is recognised by its own expression, with the fields given; a `refuse` sample by none; an `attack` sample by its
 * own one with the true fields, or by none when it gives none.
 */
import type { EpochSeconds } from '../base/clock.ts';
import { parseLine } from '../line/prefix.ts';
import { StampReader } from '../line/stamp.ts';
import type { MailPattern, MailSample } from './mail-pattern.ts';
import { fieldsOf, type MailRecogniser } from './mail-recogniser.ts';

/** A sample that did not do what its file says. */
export interface MailSampleFailure {
  readonly pattern: MailPattern;
  readonly sample: MailSample;
  readonly problem: string;
}

/** @param now near which stamps without a year are */
export function failedMailSamples(
  recogniser: MailRecogniser,
  now: EpochSeconds,
): MailSampleFailure[] {
  const stamps = new StampReader(() => now);
  return recogniser.file.patterns.flatMap(pattern =>
    pattern.samples.flatMap(sample => {
      const problem = problemOf(sample, pattern, recogniser, stamps);
      return problem === null ? [] : [{ pattern, sample, problem }];
    }),
  );
}

function problemOf(
  { line: text, fields }: MailSample,
  pattern: MailPattern,
  recogniser: MailRecogniser,
  stamps: StampReader,
): string | null {
  const line = parseLine(text, stamps);
  if (line.program === null) return 'its prefix is not understood';
  const found = recogniser.describe(line);
  if (fields === null) return found === null ? null : `it is taken for ${named(found.pattern)}`;
  if (found === null) return 'no event';
  if (found.pattern !== pattern) return `it is taken for ${named(found.pattern)}`;
  const told = fieldsOf(pattern, found.match);
  const isSame = pattern.groups.every(name => told[name] === fields[name]);
  return isSame ? null : pattern.groups.map(name => `${name}=${told[name]}`).join(' ');
}

const named = ({ kind, name }: MailPattern): string => `${kind} "${name}"`;
