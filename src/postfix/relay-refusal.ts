/**
 * What Postfix logs when it lets a client not relay: who asked, and in whose name.
 *
 * Source: smtpd_check.c (`smtpd_check_reject`, `reject_unauth_destination`, Postfix 2.x to 3.11): `NOQUEUE: reject: RCPT from
 * host[address]: 554 5.7.1 <recipient>: Relay access denied; from=<sender> to=<recipient> proto=ESMTP helo=<name>`; 454 4.7.1 of
 * `defer_unauth_destination`.  Known limit: sender and name are whatever the client says, so that they prove nothing.
 */
import { canonicalIp, type IpText } from '../base/address.ts';

export interface RelayRefusal {
  readonly ip: IpText;
  /** As the client gave it; empty for the null sender. */
  readonly sender: string;
}

/** A part of each such line, to look for first. */
export const RELAY_REFUSED = 'Relay access denied';

const LINE =
  /^\S+: reject(?:_warning)?: RCPT from \S*?\[([^\]\s]+)\](?::\d+)?: [45]54 [45]\.7\.1 <.*>: Relay access denied; from=<([^>]*)> to=</;

/** @param program of the line's tag @returns null for any other line */
export function relayRefusalOf(program: string | null, message: string): RelayRefusal | null {
  if (program === null || !/(?:^|\/)smtpd$/.test(program)) return null;
  const [, address = '', sender = ''] = LINE.exec(message) ?? [];
  const ip = canonicalIp(address.replace(/^IPv6:/, ''));
  return ip === null ? null : { ip, sender };
}
