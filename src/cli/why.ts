/**
 * `popbsmtp why`: why an address or a user could, or could not, relay at a time.
 *
 * Answers from the history beside the map, with the networks and grace periods as they are set now.
 */
import { canonicalIp, type IpText } from '../base/address.ts';
import { EXIT, Failure } from '../base/errors.ts';
import { masked } from '../base/excerpt.ts';
import { parseWhen } from '../base/when.ts';
import type { Classifier } from '../classifier/classifier.ts';
import { classifierFor } from '../daemon/rules.ts';
import { rulesOf } from '../daemon/settings.ts';
import { evidenceFor } from '../history/evidence.ts';
import { HistoryFile } from '../history/history-file.ts';
import { Timeline } from '../history/timeline.ts';
import { why as judge, type Question, type Rules, type Verdict } from '../history/why.ts';
import type { MapSpec } from '../map/map.ts';
import { becomeOwner } from '../map/privileges.ts';
import { mapsOf } from '../map/spec.ts';
import { withConfig } from '../options/config.ts';
import { settingsOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import { print, warn } from '../report/print.ts';
import { shownUsers } from '../report/user-names.ts';
import { whyJson, whyText } from '../report/why-text.ts';
import { beside } from '../state/beside.ts';
import { stopBetweenReads } from './stops.ts';

/** @throws Failure of a setting, HISTORY, HISTORY_MISSING */
export async function why(typed: Values, [whom = '']: readonly string[]): Promise<number> {
  const values = withConfig(typed);
  const settings = settingsOf(values, 'why');
  const maps = mapsOf(settings);
  const now = Date.now() / 1000;
  const at = settings.at === null ? now : parseWhen(settings.at, now);
  const show = await shownUsers({ ...settings, map: maps.map, nowrite: true });
  const address = canonicalIp(whom);
  const question: Question = { address, user: address === null ? show(masked(whom)) : null, at };
  const rules = rulesOf(values, maps);
  becomeOwner([maps.map]);
  stopBetweenReads();
  const verdict = await whyBy(maps.map, question, async ips => ({
    network: await networksFor(rules, ips),
    grace: ip => rules.grace.of(ip),
  }));
  await print(settings.json ? `${JSON.stringify(whyJson(verdict))}\n` : whyText(verdict));
  return EXIT.ok;
}

/**
 * The answer of the history beside a map.
 *
 * @param rulesFor asked for the addresses that have to do with it
 * @throws Failure HISTORY, HISTORY_MISSING
 */
export async function whyBy(
  map: MapSpec,
  question: Question,
  rulesFor: (ips: readonly IpText[]) => Promise<Rules>,
): Promise<Verdict> {
  const file = await HistoryFile.openForReading(beside(map, 'history'));
  try {
    const entries = await evidenceFor(question, file);
    const rules = await rulesFor([
      ...new Set(entries.flatMap(({ ip }) => (ip === null ? [] : [ip]))),
      ...(question.address === null ? [] : [question.address]),
    ]);
    return judge(question, new Timeline(entries, rules.grace), rules);
  } finally {
    await file.close();
  }
}

/** What the networks say; nothing where Postfix cannot be asked for them, which is told. */
async function networksFor(
  rules: ReturnType<typeof rulesOf>,
  ips: readonly IpText[],
): Promise<Rules['network']> {
  try {
    const classifier: Classifier = await classifierFor(rules, warn);
    await classifier.prepare(ips);
    return ip => {
      const verdict = classifier.classify(ip);
      return verdict.kind === 'ignored' ? verdict.reason : null;
    };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    warn(`${error.line}; what the history says of networks counts`);
    return () => null;
  }
}
