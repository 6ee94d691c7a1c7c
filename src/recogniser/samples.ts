/**
 * Runs the samples that stand in pattern files, on the daemon's own path.
 *
 * Promises: a `match` sample is recognised by its own expression, with the fields given, and by no other of
 * all patterns that are active; a `refuse` sample by none; an `attack` sample by its own one with the true
 * fields, or by none when it gives none.
 */
import { epoch } from '../clock.ts';
import { type Line, parseLine } from '../line/prefix.ts';
import { StampReader } from '../line/stamp.ts';
import type { ServerEvent } from './event.ts';
import type { Pattern, Sample } from './pattern.ts';
import { eventOf, Recogniser } from './recogniser.ts';
import type { Registry } from './registry.ts';

/** A sample that did not do what its file says. */
export interface SampleFailure {
  readonly pattern: Pattern;
  readonly sample: Sample;
  readonly problem: string;
}

/** Runs all samples of all files of a registry; what is returned has failed. */
export function failedSamples(registry: Registry): SampleFailure[] {
  return registry.files
    .flatMap(({ patterns }) => patterns)
    .flatMap(pattern =>
      pattern.samples.flatMap(sample => {
        const problem = problemOf(sample, pattern, registry);
        return problem === null ? [] : [{ pattern, sample, problem }];
      }),
    );
}

function problemOf(sample: Sample, pattern: Pattern, registry: Registry): string | null {
  const stamps = new StampReader(() => epoch(Date.now() / 1000));
  const line = parseLine(sample.line, stamps);
  const found = describing(line, registry);
  const event = new Recogniser(registry, stamps).recognise(sample.line);
  if (sample.outcome === null)
    return event === null && found.length === 0 ? null : `it is taken for ${named(found)}`;
  if (event === null) return line.program === null ? 'its prefix is not understood' : 'no event';
  if (found.length !== 1 || found[0] !== pattern) return `it is taken for ${named(found)}`;
  return sameFields(event, sample.outcome) ? null : `ip=${event.ip} user=${event.user}`;
}

/** Every pattern that would make an event of a line. */
function describing(line: Line, registry: Registry): Pattern[] {
  const program = line.program === null ? null : registry.program(line.program);
  return (program?.patterns ?? []).filter(pattern => eventOf(pattern, line) !== null);
}

const named = (patterns: readonly Pattern[]): string =>
  patterns.map(({ server, event, name }) => `${server}: ${event} "${name}"`).join(' and ');

const sameFields = (event: ServerEvent, { ip, user }: NonNullable<Sample['outcome']>): boolean =>
  event.ip === ip && event.user === user;
