/**
 * `popbsmtp report`: what a time of the history adds up to, as text, as an object, or as a page for a browser.
 */
import { constants, open } from 'node:fs/promises';
import { EXIT, type Failure, failure, reasonOf } from '../base/errors.ts';
import { parseWhen } from '../base/when.ts';
import { HOUR, hourOf } from '../history/block.ts';
import { HistoryFile } from '../history/history-file.ts';
import { Summary } from '../history/summary.ts';
import type { Summed } from '../history/summary-rows.ts';
import { becomeOwner } from '../map/privileges.ts';
import { mapsOf } from '../map/spec.ts';
import { withConfig } from '../options/config.ts';
import { settingsOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import { print } from '../report/print.ts';
import { usageHtml } from '../report/usage-html.ts';
import { usageJson, usageText } from '../report/usage-text.ts';
import { beside } from '../state/beside.ts';
import { stopBetweenReads } from './stops.ts';

/** Seconds, when no time is named. */
const USUAL = 30 * 86_400;

/** @throws Failure of a setting, HISTORY, HISTORY_MISSING, REPORT */
export async function report(typed: Values): Promise<number> {
  const settings = settingsOf(withConfig(typed), 'report');
  const { map } = mapsOf(settings);
  const now = Date.now() / 1000;
  const since = settings.since === null ? now - USUAL : parseWhen(settings.since, now);
  const until = settings.until === null ? now : parseWhen(settings.until, now);
  const path = beside(map, 'history');
  // No empty page is left where there is nothing to tell.
  HistoryFile.require(path);
  const page = settings.html === null ? null : await openPage(settings.html);
  try {
    becomeOwner([map]);
    const summed = await summedUp(path, since, until);
    if (page !== null) await page.write(usageHtml(summed));
    if (settings.json) await print(`${JSON.stringify(usageJson(summed))}\n`);
    else if (page === null) await print(usageText(summed));
  } finally {
    await page?.close();
  }
  return EXIT.ok;
}

interface Page {
  /** @throws Failure REPORT */
  readonly write: (text: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Opened as whoever calls, before root becomes the owner of the map; what it had stays until there is something to write. */
async function openPage(path: string): Promise<Page> {
  const failed = (error: unknown): Failure =>
    failure('REPORT', { path, reason: reasonOf(error) }, error);
  try {
    const file = await open(path, constants.O_WRONLY | constants.O_CREAT, 0o640);
    return {
      write: async text => {
        try {
          // A terminal or a pipe has nothing to cut off.
          if ((await file.stat()).isFile()) await file.truncate();
          await file.writeFile(text);
        } catch (error) {
          throw failed(error);
        }
      },
      close: () => file.close(),
    };
  } catch (error) {
    throw failed(error);
  }
}

async function summedUp(path: string, since: number, until: number): Promise<Summed> {
  stopBetweenReads();
  const file = await HistoryFile.openForReading(path);
  try {
    const span = await file.span();
    // Not further back than there is anything.
    const from = span === null ? since : Math.max(since, span.first * HOUR);
    const summary = new Summary(Math.min(from, until), until);
    await file.blocks(hourOf(from), hourOf(until) + 1, block => summary.take(block));
    return summary.sum();
  } finally {
    await file.close();
  }
}
