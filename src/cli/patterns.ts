/**
 * `popbsmtp patterns`: the servers whose lines are recognised, and by which patterns.
 *
 * With `--test`, the samples of every pattern, also of the mail server's, are run on the daemon's own path instead; each one that does not do what
 * its file says is a line, and the status is 1 then.
 */
import { basename, dirname, resolve } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { excerpt } from '../base/excerpt.ts';
import { quantity } from '../base/quantity.ts';
import { loadMailRecogniser } from '../mta/load.ts';
import { failedMailSamples, type MailSampleFailure } from '../mta/samples.ts';
import { withConfig } from '../options/config.ts';
import { settingsOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import { loadPatterns, patternsIn } from '../recogniser/load.ts';
import type { Pattern, PatternFile } from '../recogniser/pattern.ts';
import type { Registry } from '../recogniser/registry.ts';
import type { SampleKind } from '../recogniser/sample.ts';
import { failedSamples, type SampleFailure } from '../recogniser/samples.ts';
import { print } from '../report/print.ts';

const PASSED = 0;
const FAILED = 1;

/** @throws Failure PATTERN_UNREADABLE, PATTERN_SYNTAX */
export async function patterns(values: Values): Promise<number> {
  const settings = settingsOf(withConfig(values), 'patterns');
  const own = patternsIn(settings.patterns);
  const registry = await loadPatterns(own);
  const { json } = settings;
  if (settings.test) return test(registry, json);
  const originOf = ({ path }: PatternFile): Origin =>
    resolve(dirname(path)) === resolve(own.directory) ? 'own' : 'shipped';
  const format = json ? fileObject : fileLines;
  await print(registry.files.map(file => format(file, originOf(file))).join(''));
  return PASSED;
}

type Origin = 'shipped' | 'own';

const eventAndName = ({ event, name }: Pattern): string => `${event} "${name}"`;

function fileLines(file: PatternFile, origin: Origin): string {
  const names = file.patterns.map(eventAndName).join(', ');
  return (
    `${file.server}\n` +
    `    programs  ${file.programs.join(' ')}\n` +
    `    patterns  ${names}\n` +
    `    file      ${file.path} (${origin})\n`
  );
}

function fileObject(
  { server, programs, patterns: all, path }: PatternFile,
  origin: Origin,
): string {
  const named = all.map(({ event, name }) => ({ event, name }));
  return `${JSON.stringify({ server, programs, patterns: named, file: path, origin })}\n`;
}

async function test(registry: Registry, json: boolean): Promise<number> {
  const now = systemClock().now().wall;
  const mail = await loadMailRecogniser();
  const failures = [
    ...failedSamples(registry, now).map(failure => ofServer(failure, registry)),
    ...failedMailSamples(mail, now).map(failure => ofMailServer(failure, mail.file.path)),
  ];
  const format = json ? failureObject : failureLine;
  await print(failures.map(format).join(''));
  const files = [...registry.files, mail.file];
  const all = files.flatMap<{ readonly samples: readonly unknown[] }>(file => file.patterns);
  const samples = all.reduce((sum, pattern) => sum + pattern.samples.length, 0);
  process.stderr.write(
    `${quantity(samples, 'sample')} of ${quantity(all.length, 'pattern')} in ${quantity(files.length, 'file')}, ${failures.length} failed\n`,
  );
  return failures.length === 0 ? PASSED : FAILED;
}

/** A sample that failed, of whatever file. */
interface FailedSample {
  readonly file: string;
  readonly server: string;
  readonly event: string;
  readonly name: string;
  readonly kind: SampleKind;
  readonly line: string;
  readonly problem: string;
}

function ofServer({ pattern, sample, problem }: SampleFailure, { files }: Registry): FailedSample {
  const { server, event, name } = pattern;
  const file = files.find(({ patterns: own }) => own.includes(pattern))?.path ?? server;
  const line = excerpt(sample.line);
  return { file, server, event, name, kind: sample.kind, line, problem };
}

function ofMailServer(
  { pattern: { kind: event, name }, sample, problem }: MailSampleFailure,
  file: string,
): FailedSample {
  const line = excerpt(sample.line);
  return { file, server: basename(file, '.toml'), event, name, kind: sample.kind, line, problem };
}

const failureLine = ({ file, event, name, kind, problem, line }: FailedSample): string =>
  `${file}: ${event} "${name}": ${kind} sample: ${excerpt(problem)}: ${line}\n`;

const failureObject = (failed: FailedSample): string => `${JSON.stringify(failed)}\n`;
