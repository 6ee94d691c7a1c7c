/**
 * `popbsmtp explain`: why log lines are, or are not, logins, and what the daemon would do about them now.
 *
 * Lines are explained in their order, as those of one log: a login may be told in two of them.
 */
import { systemClock } from '../base/clock.ts';
import { EXIT } from '../base/errors.ts';
import { type Preview, Previews } from '../daemon/preview.ts';
import { registryFor } from '../daemon/rules.ts';
import { zoneOf } from '../line/zone.ts';
import { becomeOwner } from '../map/privileges.ts';
import { mapsOf } from '../map/spec.ts';
import { withConfig } from '../options/config.ts';
import { settingsOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import { Explainer, type Explanation } from '../recogniser/explain.ts';
import { patternsIn } from '../recogniser/load.ts';
import { explanationObject, explanationText } from '../report/explanation.ts';
import { print } from '../report/print.ts';
import { Splitter } from '../source/splitter.ts';

/**
 * @param operands lines; `-`, or none at all, for standard input
 * @throws Failure of patterns or of a setting
 */
export async function explain(typed: Values, operands: readonly string[]): Promise<number> {
  const values = withConfig(typed);
  const settings = settingsOf(values, 'explain');
  const { patterns, dovecotElements, json } = settings;
  const warn = (text: string): void => {
    process.stderr.write(`popbsmtp: ${text}\n`);
  };
  const registry = await registryFor({ patterns: patternsIn(patterns), dovecotElements }, warn);
  becomeOwner([mapsOf(settings).map]);
  const clock = systemClock();
  const prospects = await Previews.load(values, clock, warn);
  const explainer = new Explainer(registry, () => clock.now().wall, zoneOf(settings.watchlogZone));
  const format = json ? explanationObject : explanationText;
  let separator = '';
  for await (const line of linesOf(operands)) {
    const explanation = explainer.explain(line);
    const prospect = await prospectOf(explanation, prospects);
    await print(separator + format(explanation, prospect));
    if (!json) separator = '\n';
  }
  return EXIT.ok;
}

async function prospectOf({ outcome }: Explanation, prospects: Previews): Promise<Preview | null> {
  if (outcome.kind !== 'event' || outcome.event.event !== 'login') return null;
  return prospects.of(outcome.event);
}

/** Lines of bytes, a character a byte; empty ones say nothing. */
async function* linesOf(operands: readonly string[]): AsyncGenerator<string> {
  for (const operand of operands.length === 0 ? ['-'] : unquoted(operands)) {
    if (operand !== '-') yield Buffer.from(operand).toString('latin1');
    else yield* linesOfInput();
  }
}

async function* linesOfInput(): AsyncGenerator<string> {
  const splitter = new Splitter();
  for await (const chunk of process.stdin) yield* splitter.push(chunk).filter(line => line !== '');
  yield* splitter.flush();
}

/** No log line is a single word: words alone are one line that was given without quotes. */
function unquoted(operands: readonly string[]): readonly string[] {
  const words = operands.every(operand => operand !== '-' && !/\s/.test(operand));
  return words ? [operands.join(' ')] : operands;
}
