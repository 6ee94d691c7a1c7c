/**
 * `popbsmtp match`: what the recogniser sees in finished logs, and nothing else.
 *
 * Events go to standard output, a line each; what they add up to goes to standard error at the end, with
 * those lines that look like logins and are none.  What is added to logs is match-follow.ts's.
 */
import { EXIT } from '../base/errors.ts';
import { StampReader } from '../line/stamp.ts';
import { type Zone, zoneOf } from '../line/zone.ts';
import { withConfig } from '../options/config.ts';
import { settingsOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import { loadPatterns, patternsIn } from '../recogniser/load.ts';
import { LogMemory } from '../recogniser/log-memory.ts';
import { Recogniser } from '../recogniser/recogniser.ts';
import type { Registry } from '../recogniser/registry.ts';
import { type EventFormat, eventFormat } from '../report/event-line.ts';
import { MatchSummary } from '../report/match-summary.ts';
import { print } from '../report/print.ts';
import { type ProgressMeter, progressMeter } from '../report/progress-meter.ts';
import type { Batch, FinishedLog } from '../source/finished-log.ts';
import { openFinished } from './finished.ts';
import { Unmatched } from './unmatched.ts';

/** What is done with each line of every log. */
interface Matching {
  readonly registry: Registry;
  readonly summary: MatchSummary;
  readonly meter: ProgressMeter | null;
  /** Null where they are only counted. */
  readonly format: EventFormat | null;
  /** Of stamps that do not tell theirs. */
  readonly zone: Zone;
}

/** @throws Failure of the patterns or of a log */
export async function match(values: Values, files: readonly string[]): Promise<number> {
  const settings = settingsOf(withConfig(values), 'match');
  const { patterns, dovecotElements, trustedRelays } = settings;
  const registry = await loadPatterns(
    patternsIn(patterns),
    { elements: dovecotElements, instance: null },
    trustedRelays,
  );
  const summary = new MatchSummary();
  const format = eventFormat(settings);
  const zone = zoneOf(settings.watchlogZone);
  if (settings.follow)
    return (await import('./match-follow.ts')).follow(files, { registry, summary, format, zone });
  const logs = await openFinished(files, () => registry, settings);
  const meter = progressMeter(logs, !settings.count);
  try {
    for (const [index, log] of logs.entries())
      await matchLog(files[index] ?? '', log, { registry, summary, meter, format, zone });
  } finally {
    meter?.clear();
  }
  process.stderr.write(summary.text());
  return EXIT.ok;
}

async function matchLog(
  path: string,
  log: FinishedLog,
  { registry, summary, meter, format, zone }: Matching,
): Promise<void> {
  const stamps = new StampReader(() => log.modified, zone);
  const unmatched = new Unmatched(registry, summary);
  const recogniser = new Recogniser(registry, stamps, new LogMemory(), unmatched.observer);
  const reading = recogniser.reading();
  // Joined at the end: a text that grows is a tree of its parts, which costs as much as the parts.
  const output: string[] = [];
  const isEvent = (batch: Batch, index: number): boolean => {
    if (format === null) {
      const kind = recogniser.kindIn(batch, index);
      if (kind !== null) summary.recognised(kind);
      return kind !== null;
    }
    const event = recogniser.recogniseIn(batch, index);
    if (event === null) return false;
    summary.recognised(event);
    output.push(format(batch.number(index), event));
    return true;
  };
  for await (const batch of log.batches(reading)) {
    for (let index = 0; index < batch.size; index++) {
      if (isEvent(batch, index)) continue;
      const stray = unmatched.take(() => ({
        path,
        number: batch.number(index),
        text: batch.text(index),
      }));
      if (stray?.kind === 'tag') reading.sieve.sampling?.admit(stray.tag);
    }
    await print(output.splice(0).join(''));
    meter?.update();
  }
  summary.read(log.lines(), log.tooLong());
}
