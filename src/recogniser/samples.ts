/**
 * Runs the samples that stand in pattern files, on the daemon's own path.
 *
 * Promises: a `match` sample is recognised by its own expression, with the fields given, and by no other of
 * all patterns that are active; a `refuse` sample by none; an `attack` sample by its own one with the true
 * fields, or by none when it gives none.
 */
import type { EpochSeconds } from '../base/clock.ts';
import { type Line, parseLine } from '../line/prefix.ts';
import { StampReader } from '../line/stamp.ts';
import type { ServerEvent } from './event.ts';
import type { Pattern } from './pattern.ts';
import { describe, Recogniser, saidIn } from './recogniser.ts';
import type { Registry } from './registry.ts';
import type { Sample } from './sample.ts';

/** A sample that did not do what its file says. */
export interface SampleFailure {
  readonly pattern: Pattern;
  readonly sample: Sample;
  readonly problem: string;
}

/**
 * Runs all samples of all files of a registry; what is returned has failed.
 *
 * @param now near which their stamps without a year are
 */
export function failedSamples(registry: Registry, now: EpochSeconds): SampleFailure[] {
  return registry.files
    .flatMap(({ patterns }) => patterns)
    .flatMap(pattern =>
      pattern.samples.flatMap(sample => {
        const problem = problemOf(sample, pattern, { registry, now });
        return problem === null ? [] : [{ pattern, sample, problem }];
      }),
    );
}

function problemOf(
  sample: Sample,
  pattern: Pattern,
  { registry, now }: { readonly registry: Registry; readonly now: EpochSeconds },
): string | null {
  const stamps = new StampReader(() => now);
  const line = lineOf(sample, registry, stamps);
  const found = describing(line, registry);
  const recogniser = new Recogniser(registry, stamps);
  for (const before of sample.after) recogniser.recognise(before);
  const event = recogniser.recognise(sample.line);
  if (sample.outcome === null) {
    // What it follows may be the reason.
    if (sample.after.length > 0) return event === null ? null : `it is taken for ${named(found)}`;
    // What a failed login tells is no login.
    const told = found.filter(other => tellsSession(other) || other.event === pattern.event);
    return told.length === 0 ? null : `it is taken for ${named(told)}`;
  }
  if (found.length === 0)
    return line.program === null ? 'its prefix is not understood' : 'no event';
  if (found.length > 1 || found[0] !== pattern) return `it is taken for ${named(found)}`;
  return difference(sample.outcome, tellsSession(pattern) ? toldIn(event) : toldBy(pattern, line));
}

const tellsSession = ({ event }: Pattern): boolean => event === 'login' || event === 'logout';

/** What a sample's line says, as the recogniser takes it. */
function lineOf(sample: Sample, registry: Registry, stamps: StampReader): Line {
  const line = parseLine(sample.line, stamps, registry);
  const program = line.program === null ? null : registry.program(line.program);
  return program === null ? line : saidIn(line, program, stamps).line;
}

/** Every pattern that describes a line. */
function describing(line: Line, registry: Registry): Pattern[] {
  const program = line.program === null ? null : registry.program(line.program);
  return (program?.patterns ?? []).filter(pattern => describe(pattern, line) !== null);
}

const named = (patterns: readonly Pattern[]): string =>
  patterns.map(({ server, event, name }) => `${server}: ${event} "${name}"`).join(' and ');

type Told = NonNullable<Sample['outcome']>;

const toldIn = (event: ServerEvent | null): Told | null =>
  event && { ip: event.ip, user: event.user, tls: event.event === 'login' ? event.tls : null };

function toldBy(pattern: Pattern, line: Line): Told | null {
  const description = describe(pattern, line);
  return description && { ip: description.ip, user: description.fields.user ?? null, tls: null };
}

function difference(expected: Told, told: Told | null): string | null {
  if (told === null) return 'no event';
  const { ip, user, tls } = told;
  if (ip === expected.ip && user === expected.user && tls === expected.tls) return null;
  return `ip=${ip} user=${user} tls=${tls}`;
}
