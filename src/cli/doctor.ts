/**
 * `popbsmtp doctor`: the whole chain from the login to the relay in one verdict.
 *
 * A line for each finding, and below it what to do; with `--json` an object for each.  The status is 0 only if nothing
 * is an error.  INT and TERM take away what the doctor has written to the map before they end it, and so does a reader that goes away,
 * after which the status is that of what was found until then.
 */

import { failure } from '../base/errors.ts';
import type { Given } from '../base/given.ts';
import { outputEnded, ReaderGone } from '../base/output.ts';
import { quantity } from '../base/quantity.ts';
import { type RunSettings, runSettings } from '../daemon/settings.ts';
import type { Subject } from '../doctor/check.ts';
import { examine } from '../doctor/examination.ts';
import { type Finding, failed } from '../doctor/finding.ts';
import { Interrupted } from '../doctor/probe.ts';
import type { Endpoint } from '../doctor/smtp-session.ts';
import { subjectOf } from '../doctor/subject.ts';
import { becomeOwner } from '../map/privileges.ts';
import { allOf } from '../map/spec.ts';
import { withConfig } from '../options/config.ts';
import { someOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import { print } from '../report/print.ts';

const HEALTHY = 0;
const ILL = 1;

/** @throws Failure ENDPOINT */
export async function doctor(values: Values): Promise<number> {
  const { json, ...named } = someOf(values, 'json', 'smtp', 'no-smtp');
  const smtp = smtpOf(named);
  const format = json ? jsonLine : textLines;
  const found = { error: 0, warning: 0, skipped: 0, ok: 0 };
  try {
    for await (const finding of findings(values, smtp)) {
      found[finding.level]++;
      await print(format(finding));
    }
    if (!json) await print(summary(found));
  } catch (problem) {
    // Whoever has gone away (`doctor | head -1`) wants no summary either, but may look at the status.
    if (!(problem instanceof ReaderGone)) throw problem;
  }
  return found.error === 0 ? HEALTHY : ILL;
}

function summary({ error, warning, skipped }: Readonly<Record<Finding['level'], number>>): string {
  const left = skipped === 0 ? '' : `, ${skipped} skipped`;
  return `${quantity(error, 'error')}, ${quantity(warning, 'warning')}${left}\n`;
}

/** Where a configuration is wrong, there is nothing to examine it with. */
async function* findings(values: Values, smtp: Subject['smtp']): AsyncGenerator<Finding> {
  let settings: RunSettings;
  try {
    settings = runSettings(withConfig(values));
  } catch (problem) {
    yield { check: 'configuration', ...failed(problem) };
    return;
  }
  const signals = catchSignals();
  try {
    const areLogsNamed = values.given('watchlog') !== null;
    const subject = subjectOf(settings, smtp, signals.ended, areLogsNamed);
    // Only root can tell what the daemon's account may read, is told of services without D-Bus, and may read any configuration; from here on
    // the account's own eyes do.
    await Promise.all([
      subject.logs(),
      subject.service(),
      subject.otherMta(),
      subject.otherReaders(),
    ]);
    becomeOwner(allOf(settings));
    yield* examine(subject);
  } catch (problem) {
    if (!(problem instanceof Interrupted)) throw problem;
    if (problem.leftOver !== null) yield { check: 'lookup', ...problem.leftOver };
  } finally {
    signals.release();
  }
}

/** The first signal asks for an orderly end, after which it does what it does to every program; a second one does so at once. */
function catchSignals(): { readonly ended: AbortSignal; release(): void } {
  const ending = new AbortController();
  let received: NodeJS.Signals | null = null;
  const end = (signal: NodeJS.Signals): void => {
    release();
    received = signal;
    ending.abort();
  };
  const release = (): void => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, end);
    if (received !== null) process.kill(process.pid, received);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  // That is an end in order, and no death.
  void outputEnded.then(() => ending.abort());
  return { ended: ending.signal, release };
}

function smtpOf({
  smtp,
  noSmtp,
}: {
  readonly smtp: Given<string> | null;
  readonly noSmtp: boolean;
}): Subject['smtp'] {
  if (noSmtp) return null;
  return smtp === null ? 'find' : endpointOf(smtp);
}

/** @throws Failure ENDPOINT */
function endpointOf({ value, origin }: Given<string>): Endpoint {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(value) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw failure('ENDPOINT', { where: origin, value });
  return { host, port: Number(port) };
}

const jsonLine = (finding: Finding): string => `${JSON.stringify(finding)}\n`;

function textLines({ check, level, what, hint }: Finding): string {
  const line = `${level.padEnd(8)} ${check.padEnd(13)} ${what}\n`;
  return hint === null ? line : `${line}${' '.repeat(23)}${hint}\n`;
}
