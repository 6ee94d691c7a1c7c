/**
 * `popbsmtp match`: what the recogniser sees in finished logs, and nothing else.
 */
import { epoch } from '../clock.ts';
import { EXIT } from '../errors.ts';
import { formatStamp, StampReader } from '../line/stamp.ts';
import type { ServerEvent } from '../recogniser/event.ts';
import { loadPatterns } from '../recogniser/load.ts';
import { Recogniser } from '../recogniser/recogniser.ts';
import type { Registry } from '../recogniser/registry.ts';
import { type FinishedLog, openFinishedLog } from '../source/finished-log.ts';
import { isoTime, print } from './print.ts';
import { patternsOf, withConfig } from './settings.ts';
import type { Values } from './values.ts';

interface Counts {
  lines: number;
  logins: number;
  logouts: number;
}

/** @throws Failure of the patterns or of a log */
export async function match(values: Values, files: readonly string[]): Promise<number> {
  const registry = await loadPatterns(patternsOf(withConfig(values)));
  const format = values.flag('json') ? jsonLine : textLine;
  const counts: Counts = { lines: 0, logins: 0, logouts: 0 };
  // Opened all at once: a misspelt name is better told before an hour of reading than after.
  for (const log of files.map(openFinishedLog)) await matchLog(log, registry, format, counts);
  process.stderr.write(
    `${counts.lines} lines, ${counts.logins} logins, ${counts.logouts} logouts\n`,
  );
  return EXIT.ok;
}

async function matchLog(
  { batches, modified }: FinishedLog,
  registry: Registry,
  format: (number: number, event: ServerEvent) => string,
  counts: Counts,
): Promise<void> {
  const recogniser = new Recogniser(registry, new StampReader(() => epoch(modified)));
  let number = 0;
  for await (const batch of batches) {
    let text = '';
    for (const line of batch) {
      number++;
      const event = recogniser.recognise(line);
      if (event === null) continue;
      text += format(number, event);
      if (event.event === 'login') counts.logins++;
      else counts.logouts++;
    }
    await print(text);
  }
  counts.lines += number;
}

function jsonLine(line: number, { event, server, ip, user, time }: ServerEvent): string {
  const stamp = time === null ? null : isoTime(time);
  return `${JSON.stringify({ line, event, server, ip, user, time: stamp })}\n`;
}

function textLine(line: number, { event, server, ip, user, time }: ServerEvent): string {
  const stamp = time === null ? '-' : formatStamp(time);
  return `${line}: ${event} ts=${stamp} ip=${ip ?? '-'} user=${JSON.stringify(user ?? '')} server=${server}\n`;
}
