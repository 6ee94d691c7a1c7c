/**
 * What smtpd logs when it refuses a recipient, as data.
 *
 * Source: Postfix 3.7 src/smtpd/smtpd_check.c, log_whatsup (`NOQUEUE: reject: RCPT from NAME[ADDRESS]: TEXT; from=<…> to=<…> …`;
 * with smtpd_client_port_logging a colon and the port behind the bracket) and permit_auth_destination's `Relay access denied`, which
 * reject_unauth_destination sends with relay_domains_reject_code, 554, and defer_unauth_destination with 4xx in its place (seen: 454).
 * Known limit: what stands in the addresses is a stranger's: the recipient is only ever shown, and the sender proves nothing.
 */
import { canonicalIp, type IpText } from '../base/address.ts';

export interface Refusal {
  readonly ip: IpText;
  /** Of SMTP, such as 554. */
  readonly code: number;
  /** What Postfix answered, without the code. */
  readonly text: string;
  /** As the client gave it; empty for the null sender. */
  readonly sender: string;
  /** Whether it would not relay, which a row of the map is for. */
  readonly isRelay: boolean;
}

/** `postfix/smtpd`, `postfix/submission/smtpd`, `postfix-out/smtpd`. */
const PROGRAM = /^[\w.-]+(?:\/[\w.-]+)*\/smtpd$/;
const REFUSED =
  /^\w+: reject: RCPT from [^\s[\]]+\[(?<ip>[\da-f.:]+)\](?::\d+)?: (?<code>[45]\d\d) (?<text>.*); from=<(?<sender>[^>]*)> to=</i;
/** A part of each line about a relay, to look for first. */
export const RELAY_REFUSED = 'Relay access denied';
const RELAY = /^(?:\d\.\d{1,3}\.\d{1,3} )?<.*>: Relay access denied$/;

/** @returns null for any other line */
export function refusalIn(program: string | null, message: string): Refusal | null {
  if (program === null || !PROGRAM.test(program)) return null;
  const { ip: address = '', code, text = '', sender = '' } = REFUSED.exec(message)?.groups ?? {};
  const ip = canonicalIp(address);
  return ip === null ? null : { ip, code: Number(code), text, sender, isRelay: RELAY.test(text) };
}
