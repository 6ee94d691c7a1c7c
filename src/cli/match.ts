/**
 * `popbsmtp match`: what the recogniser sees in finished logs, and nothing else.
 *
 * Events go to standard output, a line each; what they add up to goes to standard error at the end, with
 * those lines that look like logins and are none.
 */
import { EXIT } from '../base/errors.ts';
import { formatStamp, StampReader } from '../line/stamp.ts';
import { withConfig } from '../options/config.ts';
import { type Settings, settingsOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import type { ServerEvent } from '../recogniser/event.ts';
import { loadPatterns, patternsIn } from '../recogniser/load.ts';
import { LogMemory } from '../recogniser/log-memory.ts';
import { isLoginLike } from '../recogniser/login-like.ts';
import { Recogniser } from '../recogniser/recogniser.ts';
import type { Registry } from '../recogniser/registry.ts';
import { MatchSummary } from '../report/match-summary.ts';
import { isoTime, print } from '../report/print.ts';
import { type ProgressMeter, progressMeter } from '../report/progress-meter.ts';
import { type FinishedLog, openFinishedLog } from '../source/finished-log.ts';

/** What is done with each line of every log. */
interface Matching {
  readonly registry: Registry;
  readonly summary: MatchSummary;
  readonly meter: ProgressMeter | null;
  format(number: number, event: ServerEvent): string;
}

/** @throws Failure of the patterns or of a log */
export async function match(values: Values, files: readonly string[]): Promise<number> {
  const settings = settingsOf(withConfig(values), 'match');
  const registry = await loadPatterns(patternsIn(settings.patterns), settings.dovecotElements);
  const summary = new MatchSummary();
  const format = formatOf(settings);
  // Opened all at once: a misspelt name is better told before an hour of reading than after.
  const logs = files.map(path => ({ path, log: openFinishedLog(path) }));
  const meter = progressMeter(
    logs.map(({ log }) => log),
    !settings.count,
  );
  try {
    for (const { path, log } of logs)
      await matchLog(path, log, { registry, summary, meter, format });
  } finally {
    meter?.clear();
  }
  process.stderr.write(summary.text());
  return EXIT.ok;
}

function formatOf({ count, json }: Settings<'match'>): Matching['format'] {
  if (count) return () => '';
  return json ? jsonLine : textLine;
}

async function matchLog(
  path: string,
  log: FinishedLog,
  { registry, summary, meter, format }: Matching,
): Promise<void> {
  const stamps = new StampReader(() => log.modified);
  let isMissed = false;
  const recogniser = new Recogniser(registry, stamps, new LogMemory(), {
    unrecognised: ({ message }) => {
      isMissed = isLoginLike(message);
    },
    torn: ({ program }, isLogin) => summary.torn(program ?? '-', isLogin),
  });
  for await (const batch of log.batches(recogniser.reading())) {
    let output = '';
    for (let index = 0; index < batch.size; index++) {
      const event = recogniser.recogniseLine(batch.line(index));
      if (event !== null) {
        summary.recognised(event);
        output += format(batch.number(index), event);
      } else if (isMissed) {
        summary.missed(path, batch.number(index), batch.text(index));
        isMissed = false;
      }
    }
    await print(output);
    meter?.update();
  }
  summary.read(log.lines(), log.tooLong());
}

/** Put together by hand, which takes half the time of JSON.stringify for the whole. */
function jsonLine(line: number, { event, server, ip, user, time }: ServerEvent): string {
  const address = ip === null ? 'null' : `"${ip}"`;
  const stamp = time === null ? 'null' : `"${isoTime(time)}"`;
  return (
    `{"line":${line},"event":"${event}","server":${JSON.stringify(server)},"ip":${address},` +
    `"user":${JSON.stringify(user)},"time":${stamp}}\n`
  );
}

function textLine(line: number, { event, server, ip, user, time }: ServerEvent): string {
  const stamp = time === null ? '-' : formatStamp(time);
  return `${line}: ${event} ts=${stamp} ip=${ip ?? '-'} user=${JSON.stringify(user ?? '')} server=${server}\n`;
}
