/**
 * What `allow` and `revoke` share: how long, and whom to tell: the daemon, or the map itself when none runs.
 */
import { canonicalIp, type IpText } from '../base/address.ts';
import { type EpochSeconds, epoch } from '../base/clock.ts';
import { failure } from '../base/errors.ts';
import { MAX_SECONDS } from '../grant/orders.ts';
import { formatCtime } from '../line/stamp.ts';

/** Seconds; longer than a generation is as long. */
export const secondsOf = ({ for: seconds }: { readonly for: number }): number =>
  Math.min(seconds, MAX_SECONDS);

/** @throws Failure ADDRESS */
export function ipOf(text: string): IpText {
  const ip = canonicalIp(text);
  if (ip === null) throw failure('ADDRESS', { value: text });
  return ip;
}

export const say = (text: string): void => void process.stdout.write(`${text}\n`);

export const warn = (text: string): void => void process.stderr.write(`popbsmtp: ${text}\n`);

export const LATER = 'the map cannot be written now, and this follows as soon as it can';

const timeOf = (until: number): EpochSeconds => epoch(Math.floor(until));

/** `until Wed Nov 25 01:26:01 2026` */
export const untilText = (until: number): string => `until ${formatCtime(timeOf(until))}`;
