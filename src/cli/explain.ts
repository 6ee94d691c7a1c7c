/**
 * `popbsmtp explain`: why log lines are, or are not, logins, and what the daemon would do about them now; of a refusal of Postfix's, what
 * is known of its address.
 *
 * Lines are explained in their order, as those of one log: a login may be told in two of them.
 */
import type { IpText } from '../base/address.ts';
import { unlessFailed } from '../base/attempt.ts';
import { systemClock } from '../base/clock.ts';
import { EXIT } from '../base/errors.ts';
import { ask } from '../control/client.ts';
import { type Preview, Previews } from '../daemon/preview.ts';
import { registryFor } from '../daemon/rules.ts';
import { rulesOf } from '../daemon/settings.ts';
import type { Rules } from '../history/why.ts';
import { zoneOf } from '../line/zone.ts';
import type { MapSpec } from '../map/map.ts';
import { readRows } from '../map/map-types.ts';
import { becomeOwner } from '../map/privileges.ts';
import { mapsOf } from '../map/spec.ts';
import { withConfig } from '../options/config.ts';
import { settingsOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import { refusalIn } from '../postfix/refusal.ts';
import { Explainer, type Explanation } from '../recogniser/explain.ts';
import { patternsIn } from '../recogniser/load.ts';
import { explanationObject, explanationText } from '../report/explanation.ts';
import { print, warn } from '../report/print.ts';
import type { Standing } from '../report/refusal-rows.ts';
import { Splitter } from '../source/splitter.ts';

/**
 * @param operands lines; `-`, or none at all, for standard input
 * @throws Failure of patterns or of a setting
 */
export async function explain(typed: Values, operands: readonly string[]): Promise<number> {
  const values = withConfig(typed);
  const settings = settingsOf(values, 'explain');
  const { json } = settings;
  const registry = await registryFor(
    { ...settings, patterns: patternsIn(settings.patterns) },
    warn,
  );
  const maps = mapsOf(settings);
  const { map } = maps;
  const { grace } = rulesOf(values, maps);
  const graceOf = (ip: IpText): number => grace.of(ip);
  becomeOwner([map]);
  const clock = systemClock();
  const prospects = await Previews.load(values, clock, warn);
  const explainer = new Explainer(registry, () => clock.now().wall, zoneOf(settings.watchlogZone));
  const format = json ? explanationObject : explanationText;
  let separator = '';
  for await (const line of linesOf(operands)) {
    const explanation = explainer.explain(line);
    const prospect = await prospectOf(explanation, prospects);
    const standing = await standingOf(explanation, map, prospects, graceOf);
    await print(separator + format(explanation, prospect, standing));
    if (!json) separator = '\n';
  }
  return EXIT.ok;
}

async function prospectOf({ outcome }: Explanation, prospects: Previews): Promise<Preview | null> {
  if (outcome.kind !== 'event' || outcome.event.event !== 'login') return null;
  return prospects.of(outcome.event);
}

/** Null for a line that is no refusal. */
async function standingOf(
  { line }: Explanation,
  map: MapSpec,
  prospects: Previews,
  grace: Rules['grace'],
): Promise<Standing | null> {
  const refusal = refusalIn(line.program, line.message);
  if (refusal === null) return null;
  const { ip } = refusal;
  // Who may not ask the daemon, or read the map, still learns the rest.
  const about = await unlessFailed(() => ask(map, { command: 'about', address: ip }), null);
  const row = await unlessFailed(async () => {
    const rows = await readRows(map);
    return rows.find(({ key }) => key === ip) ?? null;
  }, undefined);
  const now = Date.now() / 1000;
  const question = { address: ip, user: null, at: line.time ?? now };
  const isKnown = about !== null && (about.grant ?? about.end ?? about.ignored) !== null;
  const past = isKnown
    ? null
    : await unlessFailed(async () => {
        const { whyBy } = await import('./why.ts');
        // What the networks say is told by itself.
        const rules = { network: () => null, grace };
        return whyBy(map, question, async () => rules);
      }, null);
  return {
    refusal,
    about,
    past,
    row,
    order: about?.order ?? prospects.orderOf(ip),
    bar: await prospects.barOf(ip),
    time: line.time,
    now,
  };
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
